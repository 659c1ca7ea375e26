"""Losses: how far predictions are from what is true."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import losses as _generated
from oxhorn._generated.losses import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.losses.loss import Loss
from oxhorn.losses.loss import LossFunctionWrapper as LossFunctionWrapper

__all__ = ["Loss", "deserialize", "get", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category("keras.losses", "loss", _generated)


def get(identifier: Any) -> Any:
    """The loss of this name, dictionary or class; others stand for themselves.

    Names in snake case stand for functions, as in Keras: `mean_squared_error`.
    """
    return _CATEGORY.get(identifier)


def serialize(loss: Any) -> Any:
    """The dictionary of a loss."""
    return _CATEGORY.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a dictionary."""
    return _CATEGORY.deserialize(name, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
