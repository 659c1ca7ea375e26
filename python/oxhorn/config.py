"""Settings of the whole process, by Keras' names.

Oxhorn computes in single precision on its own engine, so the settings for other precisions and
backends exist in order to say so: whatever asks for something else is refused.
"""

from __future__ import annotations

import os
from typing import Any

from oxhorn import _session
from oxhorn.saving.safe_mode import enable_unsafe_deserialization
from oxhorn.utils.messages import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]

BACKEND = "oxhorn"
FLOATX = "float32"
DATA_FORMATS = ("channels_first", "channels_last")


def _limit(name: str) -> int | None:
    return int(os.environ[name]) if name in os.environ else None


_epsilon = 1e-7
_image_data_format = "channels_last"
_traceback_filtering = True
_max_epochs = _limit("KERAS_MAX_EPOCHS")
_max_steps_per_epoch = _limit("KERAS_MAX_STEPS_PER_EPOCH")


def backend() -> str:
    """The name of the engine that computes, which is `"oxhorn"`."""
    return BACKEND


def set_backend(backend: str) -> None:
    """Refuses every backend but `"oxhorn"`."""
    if backend != BACKEND:
        raise ValueError(
            f"Oxhorn is its own backend, so that the only one available is '{BACKEND}'. "
            f"Received: backend={backend}"
        )


def floatx() -> str:
    """The default type of numbers, which is `"float32"`."""
    return FLOATX


def set_floatx(value: str) -> None:
    """Refuses every type but `"float32"`."""
    accepted = ("bfloat16", "float16", "float32", "float64")
    if value not in accepted:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {accepted}")
    if value != FLOATX:
        raise NotImplementedError(
            f"Oxhorn computes in {FLOATX} alone. Received: floatx={value}. Leave `floatx` as it "
            "is; arrays of other types are converted."
        )


def epsilon() -> float:
    """The small number that keeps denominators and logarithms away from zero."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets the number that `epsilon()` returns."""
    global _epsilon
    _epsilon = value


def image_data_format() -> str:
    """`"channels_last"` or `"channels_first"`, for layers that are not told."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets the format that `image_data_format()` returns."""
    global _image_data_format
    _image_data_format = standardize_data_format(str(data_format))


def standardize_data_format(data_format: str | None) -> str:
    """The format in lower case, or the default for `None`; others are refused."""
    if data_format is None:
        return image_data_format()
    data_format = str(data_format).lower()
    if data_format not in DATA_FORMATS:
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={data_format}"
        )
    return data_format


def enable_flash_attention() -> None:
    """Refuses: attention is computed in one way only."""
    raise NotImplementedError(
        "Oxhorn has no flash attention to enable. Leave out the call; layers compute the same "
        "numbers without it."
    )


def disable_flash_attention() -> None:
    """Does nothing, as there is no flash attention."""


def is_flash_attention_enabled() -> bool:
    """`False`, as there is no flash attention."""
    return False


def is_nnx_enabled() -> bool:
    """`False`, as layers are no modules of Flax."""
    return False


def max_epochs() -> int | None:
    """The number of epochs after which every `fit` ends, or `None`."""
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Sets the number that `max_epochs()` returns, before that KERAS_MAX_EPOCHS of the system."""
    global _max_epochs
    _max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """The number of steps after which every epoch ends, or `None`."""
    return _max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Sets what `max_steps_per_epoch()` returns, before that KERAS_MAX_STEPS_PER_EPOCH."""
    global _max_steps_per_epoch
    _max_steps_per_epoch = max_steps_per_epoch


def dtype_policy() -> Any:
    """The policy of layers that are not given one."""
    from oxhorn.dtype_policies import DTypePolicy

    return DTypePolicy(FLOATX)


def set_dtype_policy(policy: Any) -> None:
    """Refuses every policy but `"float32"`."""
    from oxhorn.dtype_policies import DTypePolicy

    if not isinstance(policy, DTypePolicy):
        if not isinstance(policy, str):
            raise ValueError(
                "Invalid `policy` argument. Expected the string name of a policy (such as "
                "'mixed_float16') or a `DTypePolicy` instance. "
                f"Received: policy={policy} (of type {type(policy)})"
            )
        DTypePolicy(policy)


def enable_traceback_filtering() -> None:
    """Says that frames of the framework may be left out of tracebacks, which is the default."""
    global _traceback_filtering
    _traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Says that every frame is wanted in tracebacks."""
    global _traceback_filtering
    _traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether frames of the framework may be left out of tracebacks."""
    return _traceback_filtering


_session.on_clear(enable_traceback_filtering)


def keras_home() -> str:
    """The folder of downloads: KERAS_HOME of the system, or else `.keras` in the user's home."""
    if os.environ.get("KERAS_HOME"):
        return os.environ["KERAS_HOME"]
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):
        import tempfile

        home = tempfile.gettempdir()
    return os.path.join(home, ".keras")
