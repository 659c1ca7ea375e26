"""Functions of tensors: at once on arrays, written down where a model is traced."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import ops as _generated
from oxhorn._generated.ops import *  # noqa: F403
from oxhorn.ops import image, linalg, nn, numpy
from oxhorn.ops.control import (
    cond,
    convert_to_numpy,
    convert_to_tensor,
    dtype,
    fori_loop,
    is_tensor,
    map,
    ndim,
    scan,
    shape,
    switch,
    vectorized_map,
    while_loop,
)
from oxhorn.ops.indexing import get_item

__all__ = [
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "fori_loop",
    "get_item",
    "image",
    "is_tensor",
    "linalg",
    "map",
    "ndim",
    "nn",
    "numpy",
    "scan",
    "shape",
    "switch",
    "vectorized_map",
    "while_loop",
]
__all__ += _generated.__all__


def __getattr__(name: str) -> Any:
    if name in _generated.MISSING:
        # A function that refuses when it is called, with Keras' signature.
        from oxhorn._generated import missing_ops

        return getattr(missing_ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
