"""Constraints: where weights are brought back to after each step."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import constraints as _generated
from oxhorn._generated.constraints import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.constraints.constraint import Constraint

__all__ = ["Constraint", "deserialize", "get", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category("keras.constraints", "constraint", _generated)


def get(identifier: Any) -> Any:
    """The constraint of this name, dictionary or class; others stand for themselves."""
    return _CATEGORY.get(identifier)


def serialize(constraint: Any) -> Any:
    """The dictionary of a constraint."""
    return _CATEGORY.serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
