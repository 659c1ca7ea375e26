"""Techniques: what is done to each step of training from outside of the network.

A model is compiled with them: `model.compile("adam", "mse", techniques=[techniques.SAM()])`. Keras
has no such module.
"""

from __future__ import annotations

from typing import Any

from oxhorn._generated import techniques as _generated
from oxhorn._generated.techniques import *  # noqa: F403
from oxhorn._identifiers import Category
from oxhorn.techniques.technique import RegistryTechnique

__all__ = ["deserialize", "get", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category(
    "oxhorn.techniques",
    "technique",
    _generated,
    is_member=lambda it: isinstance(it, RegistryTechnique),
)


def get(identifier: Any) -> Any:
    """The technique of this name, dictionary or class; others stand for themselves."""
    return _CATEGORY.get(identifier)


def serialize(technique: Any) -> Any:
    """The dictionary of a technique."""
    return _CATEGORY.serialize(technique)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The technique of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)
