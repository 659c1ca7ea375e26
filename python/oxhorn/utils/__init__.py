"""Utilities: data, files, progress, plots, and the registry of custom objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxhorn.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from oxhorn.utils.arrays import (
    normalize,
    pack_x_y_sample_weight,
    pad_sequences,
    to_categorical,
    unpack_x_y_sample_weight,
)
from oxhorn.utils.dtypes import is_keras_tensor, standardize_dtype
from oxhorn.utils.messages import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from oxhorn.utils.progbar import Progbar
from oxhorn.utils.py_dataset import PyDataset, Sequence
from oxhorn.utils.session import clear_session, set_random_seed

if TYPE_CHECKING:
    from oxhorn.utils.files import get_file as get_file
    from oxhorn.utils.plots import model_to_dot as model_to_dot
    from oxhorn.utils.plots import plot_model as plot_model
    from oxhorn.utils.samples import split_dataset as split_dataset
    from oxhorn.utils.timeseries import (
        timeseries_dataset_from_array as timeseries_dataset_from_array,
    )

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

# What few programs use is imported when it is asked for.
_LATER = {
    "get_file": "files",
    "model_to_dot": "plots",
    "plot_model": "plots",
    "split_dataset": "samples",
    "timeseries_dataset_from_array": "timeseries",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        import importlib

        module = importlib.import_module(f"oxhorn.utils.{_LATER[name]}")
        globals()[name] = getattr(module, name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
