"""`LearningRateSchedule`: a learning rate that is a function of the number of steps taken."""

from __future__ import annotations

from typing import Any

from oxhorn import _native
from oxhorn._functions import run
from oxhorn._registry import RegistryObject, foreign


class LearningRateSchedule:
    """A learning rate as a function of the step, which a subclass has in `__call__(step)`."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def _envelope(self) -> str:
        return foreign(self, {})

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in "
            "order to be serializable."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


class RegistrySchedule(RegistryObject, LearningRateSchedule):
    """A schedule that Rust has."""

    _category = "schedules"

    def __call__(self, step: Any) -> Any:
        envelope = self._envelope()
        return run(envelope, lambda step: _native.apply_schedule(envelope, step), step)
