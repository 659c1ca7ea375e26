"""Regularizers: penalties for weights or outputs, added to the loss."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import regularizers as _generated
from oxhorn._generated.regularizers import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.regularizers.regularizer import Regularizer

__all__ = ["Regularizer", "deserialize", "get", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category("keras.regularizers", "regularizer", _generated)


def get(identifier: Any) -> Any:
    """The regularizer of this name, dictionary or class; others stand for themselves."""
    return _CATEGORY.get(identifier)


def serialize(regularizer: Any) -> Any:
    """The dictionary of a regularizer."""
    return _CATEGORY.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
