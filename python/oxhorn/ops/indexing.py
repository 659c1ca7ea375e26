"""`x[...]` for tensors: integers, slices, `...`, `None`, and one array of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn._graph import Node, Operation, output_spec
from oxhorn._tensor import KerasTensor, Tensor
from oxhorn._variables import Variable
from oxhorn.ops.dispatch import call


def get_item(x: Any, key: Any) -> Any:
    """The part of `x` that NumPy's `x[key]` is."""
    if isinstance(x, Variable):
        x = x.value
        if not isinstance(x, Tensor):
            return x[key]
    if isinstance(x, KerasTensor):
        return GetItem()(x, key)
    return _part(x, key if isinstance(key, tuple) else (key,))


class GetItem(Operation):
    """`x[key]` in a functional model."""

    def __call__(self, x: Any, key: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return _part(x, key if isinstance(key, tuple) else (key,))
        outputs = output_spec(self, (x, key), {})
        Node(self, (x, key), {}, outputs)
        return outputs


def _part(x: Any, key: tuple) -> Any:
    """The part of a tensor, an array or a variable."""
    wanted = sum(1 for part in key if part is not None and part is not Ellipsis)
    if wanted > len(x.shape):
        raise IndexError(f"Too many indices for a tensor of shape {x.shape}. Received: {key}")
    if not any(part is Ellipsis for part in key):
        key = (*key, Ellipsis)
    axis = 0
    for position, part in enumerate(key):
        if part is Ellipsis:
            rest = key[position + 1 :]
            axis = len(x.shape) - sum(1 for later in rest if later is not None)
        elif part is None:
            x = call("expand_dims", "numpy", x, axis)
            axis += 1
        elif isinstance(part, slice):
            x = _slice(x, axis, part)
            axis += 1
        elif isinstance(part, (int, np.integer)) and not isinstance(part, bool):
            x = call("squeeze", "numpy", _single(x, axis, int(part)), axis=axis)
        elif isinstance(part, (Tensor, KerasTensor, Variable, np.ndarray, list)):
            x = call("take", "numpy", x, part, axis=axis)
            axis += len(getattr(part, "shape", np.shape(part)))
        else:
            raise TypeError(
                "A tensor is indexed by integers, slices, `...`, `None` and arrays of integers. "
                f"Received: {part} (of type {type(part)})"
            )
    return x


def _single(x: Any, axis: int, index: int) -> Any:
    """The element of this index along an axis, which stays."""
    extent = x.shape[axis]
    if extent is not None and not -extent <= index < extent:
        raise IndexError(f"Index {index} is out of bounds for axis {axis} with size {extent}")
    if extent is None and index < 0:
        return call("take", "numpy", x, [index], axis=axis)
    index = index + extent if extent is not None and index < 0 else index
    return _slice(x, axis, slice(index, index + 1))


def _slice(x: Any, axis: int, part: slice) -> Any:
    """The elements along an axis that a slice names."""
    if part == slice(None):
        return x
    extent = x.shape[axis]
    if extent is None:
        raise ValueError(
            f"Axis {axis} of a tensor of shape {x.shape} is open, so a part of it has no shape. "
            "Give the model's input a shape, or use a `Layer` of your own, in which it has one."
        )
    start, stop, step = part.indices(extent)
    indices = range(start, stop, step)
    if step == 1:
        return (
            call("take", "numpy", x, list(indices), axis=axis)
            if not indices
            else _run(x, axis, start, len(indices))
        )
    return call("take", "numpy", x, np.asarray(list(indices), dtype="int32"), axis=axis)


def _run(x: Any, axis: int, start: int, count: int) -> Any:
    """Consecutive elements along an axis."""
    extent = x.shape[axis]
    if start == 0 and count == extent:
        return x
    splits = [n for n in (start, start + count) if 0 < n < extent]
    parts = call("split", "numpy", x, splits, axis=axis)
    return parts[0] if start == 0 else parts[1]
