"""What kind of thing something is: names of number types, and symbolic tensors."""

from __future__ import annotations

from typing import Any

DTYPES = frozenset(
    "float16 float32 float64 uint8 uint16 uint32 uint64 int8 int16 int32 int64 bfloat16 bool "
    "string float8_e4m3fn float8_e5m2 complex64 complex128".split()
)
OF_PYTHON = {bool: "bool", int: "int32", float: "float32", str: "string", complex: "complex64"}


def standardize_dtype(dtype: Any) -> str:
    """The name of a type that is given by name, by NumPy's or by Python's; `None` is the default.

    Raises a `ValueError` where there is no such type.
    """
    if dtype is None:
        return "float32"
    dtype = OF_PYTHON.get(dtype, dtype)
    if hasattr(dtype, "name"):
        dtype = dtype.name
    elif hasattr(dtype, "__name__"):
        # The older NumPy has `bool_`.
        dtype = dtype.__name__.rstrip("_")
    elif "torch" in str(dtype) or "jax.numpy" in str(dtype):
        dtype = str(dtype).split(".")[-1]
    if dtype not in DTYPES:
        raise ValueError(f"Invalid dtype: {dtype}")
    return dtype


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is symbolic: the output of `Input`, or of layers called with such."""
    from oxhorn import KerasTensor

    return isinstance(x, KerasTensor)
