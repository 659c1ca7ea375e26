"""Learning rate schedules: learning rates as functions of the number of steps taken."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import schedules as _generated
from oxhorn._generated.schedules import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.optimizers.schedules.schedule import LearningRateSchedule

__all__ = ["LearningRateSchedule", "deserialize", "serialize"]
__all__ += _generated.__all__

_CATEGORY = Category("keras.optimizers.schedules", "learning rate schedule", _generated)


def serialize(learning_rate_schedule: Any) -> Any:
    """The dictionary of a schedule."""
    return _CATEGORY.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
