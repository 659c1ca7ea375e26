"""The merging layers as functions: `add([x, y])` is `Add()([x, y])`."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import layers


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of the inputs, element by element; see `Add`."""
    return layers.Add(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of the inputs, element by element; see `Average`."""
    return layers.Average(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The inputs one after the other along an axis; see `Concatenate`."""
    return layers.Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """The products of two inputs along an axis of each; see `Dot`."""
    return layers.Dot(axes=axes, **kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The greatest of the inputs, element by element; see `Maximum`."""
    return layers.Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The least of the inputs, element by element; see `Minimum`."""
    return layers.Minimum(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of the inputs, element by element; see `Multiply`."""
    return layers.Multiply(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first of two inputs less the second, element by element; see `Subtract`."""
    return layers.Subtract(**kwargs)(inputs)
