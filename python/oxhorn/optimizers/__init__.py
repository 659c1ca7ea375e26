"""Optimizers: rules by which gradients change weights."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import optimizers as _generated
from oxhorn._generated.optimizers import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.optimizers import legacy, schedules
from oxhorn.optimizers.holders import LossScaleOptimizer, MultiOptimizer, OptimizerMap
from oxhorn.optimizers.optimizer import Optimizer

__all__ = [
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Optimizer",
    "OptimizerMap",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]
__all__ += _generated.__all__

# Names are known in any case: `Adam`, `adam`.
_CATEGORY = Category(
    "keras.optimizers",
    "optimizer",
    _generated,
    fold=str.lower,
    is_member=lambda found: isinstance(found, Optimizer),
    own={"LossScaleOptimizer": LossScaleOptimizer, "MultiOptimizer": MultiOptimizer},
)


def get(identifier: Any) -> Any:
    """The optimizer of this name or dictionary; optimizers stand for themselves."""
    return _CATEGORY.get(identifier)


def serialize(optimizer: Any) -> Any:
    """The dictionary of an optimizer."""
    return _CATEGORY.serialize(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
