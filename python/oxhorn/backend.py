"""What old scripts ask of `keras.backend`."""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn._naming import get_uid
from oxhorn.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from oxhorn.utils import clear_session, is_keras_tensor, standardize_dtype

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "get_value",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_value",
    "standardize_dtype",
]


def get_value(variable: Any) -> Any:
    """The value of a variable as an array."""
    return np.asarray(variable)


def set_value(variable: Any, value: Any) -> None:
    """Gives a variable another value."""
    variable.assign(value)


def is_float_dtype(dtype: Any) -> bool:
    """Whether the type is one of real numbers."""
    name = standardize_dtype(dtype)
    return name.startswith("float") or name.startswith("bfloat")


def is_int_dtype(dtype: Any) -> bool:
    """Whether the type is one of whole numbers."""
    name = standardize_dtype(dtype)
    return name.startswith("int") or name.startswith("uint")


def result_type(*dtypes: Any) -> str:
    """The type that holds numbers of all these, as in JAX with 32 bits."""
    names = [standardize_dtype(dtype) for dtype in dtypes]
    if not names:
        return floatx()
    found = np.result_type(*names).name
    return {"float64": "float32", "int64": "int32", "uint64": "uint32"}.get(found, found)
