"""`Constraint`: where weights are brought back to after each step."""

from __future__ import annotations

from typing import Any

from oxhorn import _native
from oxhorn._functions import run
from oxhorn._registry import RegistryObject, foreign


class Constraint:
    """Where weights are brought back to. A subclass says so in `__call__(w)`, with `ops`."""

    def __call__(self, w: Any) -> Any:
        return w

    def _envelope(self) -> str:
        return foreign(self, {})

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


class RegistryConstraint(RegistryObject, Constraint):
    """A constraint that Rust has."""

    _category = "constraints"

    def __call__(self, w: Any) -> Any:
        envelope = self._envelope()
        return run(envelope, lambda w: _native.apply_constraint(envelope, w), w)
