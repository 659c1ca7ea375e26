"""What stands for `tensorflow` in scripts that import it for `tf.keras`.

It holds `tf.keras`, and what such scripts do around it: seeds, versions, questions about devices,
settings that change nothing here. Every other name is refused with what to write in its place.
"""

from __future__ import annotations

import importlib
import logging
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# The release whose names these are, marked as ours.
VERSION = "2.21.0+oxhorn"

# Types of elements: NumPy's, which Keras takes wherever it takes a dtype.
DTYPES = ["bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64"]
DTYPES += ["uint8", "uint16", "uint32", "uint64"]

# Functions of tensors that have another name in `keras.ops`.
RENAMED = {
    "concat": "concatenate",
    "gather": "take",
    "pow": "power",
    "range": "arange",
    "reduce_all": "all",
    "reduce_any": "any",
    "reduce_logsumexp": "logsumexp",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_sum": "sum",
}

# What to do without the names that scripts use most.
INSTEAD = {
    "GradientTape": "`fit` and `train_on_batch` differentiate; write a loss with `keras.ops`",
    "Variable": "use `keras.Variable`, or `add_weight` in a layer",
    "data": "give `fit` NumPy arrays, a generator or a `keras.utils.PyDataset`",
    "device": "there is one device, the processor: leave the line out",
    "distribute": "there is one device, the processor: leave the strategy out",
    "function": "`fit` compiles the whole step: leave the decorator out",
    "image": "use `keras.ops.image`, or layers",
    "linalg": "use `keras.ops`",
    "math": "use `keras.ops`",
    "nn": "use `keras.ops` or `keras.activations`",
    "python": "it is private to TensorFlow: use `keras`",
    "saved_model": "use `model.save` and `keras.models.load_model`",
    "summary": "use `keras.callbacks.TensorBoard`",
}


class Namespace(types.ModuleType):
    """A module that knows its names, and says of any other what to write in its place."""

    # Its parts are importable as modules of their own.
    __path__: list[str] = []

    def __init__(self, name: str, instead: str, **members: object) -> None:
        super().__init__(name, "Oxhorn's stand-in for the module of this name.")
        self.__dict__.update(members)
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise refusal(f"{self.__name__}.{name}", self._instead)


def refusal(name: str, instead: str) -> AttributeError:
    """That a name is not there, and what to do without it."""
    return AttributeError(f"Oxhorn has no `{name.replace('tensorflow', 'tf', 1)}`: {instead}")


class TensorFlow(Namespace):
    """The module `tensorflow`."""

    def __getattr__(self, name: str) -> Any:
        if name == "keras":
            # Only now, since that is what takes time.
            return importlib.import_module("oxhorn")
        if name in DTYPES:
            return np.dtype(name)
        if name in INSTEAD:
            raise refusal(f"tf.{name}", INSTEAD[name])
        if name in RENAMED:
            raise refusal(f"tf.{name}", f"use `keras.ops.{RENAMED[name]}`")
        return super().__getattr__(name)


class Device(NamedTuple):
    """What there is to compute on, with TensorFlow's words for it."""

    name: str
    device_type: str


def devices(kind: str) -> Callable[[str | None], list[Device]]:
    """The function that lists devices of a kind, `physical_device` or `device`: the processor."""

    def list_devices(device_type: str | None = None) -> list[Device]:
        return [Device(f"/{kind}:CPU:0", "CPU")] if device_type in (None, "CPU") else []

    return list_devices


def set_seed(seed: int) -> None:
    """Seeds the layers, initializers and random functions that have no seed of their own.

    NumPy's generator, and so the order of samples, is left as it was, as TensorFlow leaves it.
    """
    from oxhorn.utils import set_random_seed

    state = np.random.get_state()
    set_random_seed(seed)
    np.random.set_state(state)


def convert_to_tensor(value: object, dtype: Any = None) -> np.ndarray:
    """The value as an array; Python's numbers become `float32` and `int32`, as in TensorFlow."""
    array = np.asarray(value, dtype)
    if dtype is not None or isinstance(value, (np.ndarray, np.generic)):
        return array
    narrow = {"float64": "float32", "int64": "int32"}.get(array.dtype.name)
    return array if narrow is None else array.astype(narrow)


def constant(value: object, dtype: Any = None, shape: Any = None) -> np.ndarray:
    """The value as an array; with `shape` reshaped, or one number repeated to fill it."""
    array = convert_to_tensor(value, dtype)
    if shape is None:
        return array
    return np.full(shape, array) if array.size == 1 else array.reshape(shape)


def nothing(*_: object, **__: object) -> None:
    """A setting of TensorFlow's own machinery, which is not there to be set."""


def part(name: str, instead: str, **members: object) -> Namespace:
    """A module within `tensorflow`."""
    return Namespace(f"tensorflow.{name}", instead, **members)


def logging_module() -> Namespace:
    """`tf.compat.v1.logging`: the logger's levels, and the setting of them."""
    names = ("DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL")
    levels = {name: getattr(logging, name) for name in names}
    logger = logging.getLogger("tensorflow")
    functions = {"set_verbosity": logger.setLevel, "get_verbosity": logger.getEffectiveLevel}
    return part("compat.v1.logging", "use the module `logging`", **levels, **functions)


def build() -> TensorFlow:
    """The module, made of what is above."""
    processor = "there is one device, the processor, and nothing to set"
    physical, logical = devices("physical_device"), devices("device")
    # Each setting is already so here, or is about devices that are not there.
    shared = {
        "list_physical_devices": physical,
        "list_logical_devices": logical,
        "get_visible_devices": physical,
        "set_visible_devices": nothing,
    }
    experimental = part(
        "config.experimental",
        processor,
        enable_op_determinism=nothing,
        set_memory_growth=nothing,
        **shared,
    )
    config = part(
        "config",
        processor,
        experimental=experimental,
        set_soft_device_placement=nothing,
        optimizer=part("config.optimizer", processor, set_jit=nothing),
        **shared,
    )
    v1 = part(
        "compat.v1",
        "TensorFlow 1 is not there: use `keras`",
        logging=logging_module(),
        set_random_seed=set_seed,
    )
    no_gpu = {"is_gpu_available": lambda *_, **__: False, "gpu_device_name": lambda: ""}
    return TensorFlow(
        "tensorflow",
        "use `keras.ops` on tensors, NumPy on arrays",
        __version__=VERSION,
        autograph=part("autograph", "use `keras.ops`", set_verbosity=nothing),
        compat=part("compat", "TensorFlow 1 is not there: use `keras`", v1=v1),
        config=config,
        constant=constant,
        convert_to_tensor=convert_to_tensor,
        get_logger=lambda: logging.getLogger("tensorflow"),
        random=part("random", "use `keras.random`", set_seed=set_seed),
        test=part("test", processor, is_built_with_cuda=lambda: False, **no_gpu),
        version=part("version", "it has `VERSION`", VERSION=VERSION),
    )


tensorflow = build()
