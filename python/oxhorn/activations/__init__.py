"""Activations: functions that layers apply to their results."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from oxhorn._generated import activations as _generated
from oxhorn._generated.activations import *  # noqa: F403
from oxhorn._generated.activations import linear
from oxhorn._identifiers import Category, not_available

__all__ = ["deserialize", "get", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category("keras.activations", "activation function", _generated, default=linear)


def get(identifier: Any) -> Any:
    """The function of this name or dictionary; `None` is `linear`, functions are themselves."""
    return identifier if isinstance(identifier, type) else _CATEGORY.get(identifier)


def serialize(activation: Any) -> Any:
    """The name of one of Keras' functions; the dictionary of another, or of an object."""
    if isinstance(activation, FunctionType) and hasattr(activation, "_registry_name"):
        return activation._registry_name
    return _CATEGORY.serialize(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The function of a name or a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
