"""Initializers: how the first values of weights are made."""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn._generated import initializers as _generated
from oxhorn._generated.initializers import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.initializers.initializer import Initializer

__all__ = ["Initializer", "deserialize", "get", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category("keras.initializers", "initializer", _generated)


def get(identifier: Any) -> Any:
    """The initializer of this name, dictionary or class; functions stand for themselves.

    An array stands for the initializer that gives it, for a weight of its shape alone.
    """
    if isinstance(identifier, (np.ndarray, np.generic)):
        return Given(np.asarray(identifier))
    return _CATEGORY.get(identifier)


class Given:
    """The initializer that gives an array.

    Args:
        values: the array.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        if tuple(shape) != self.values.shape:
            raise ValueError(
                f"Expected `shape` to be {self.values.shape} for direct tensor as initializer. "
                f"Received shape={shape}"
            )
        return self.values.astype(dtype or "float32")


def serialize(initializer: Any) -> Any:
    """The dictionary of a initializer."""
    return _CATEGORY.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
