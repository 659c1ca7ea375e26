"""`Initializer`: how the first value of a weight is made."""

from __future__ import annotations

from typing import Any

from oxhorn import _native
from oxhorn._registry import RegistryObject, foreign
from oxhorn.utils.dtypes import standardize_dtype


class Initializer:
    """How first values are made. A subclass makes them in `__call__(shape, dtype=None)`."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def _envelope(self) -> str:
        return foreign(self, {})

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def clone(self) -> Any:
        return type(self).from_config(self.get_config())


class RegistryInitializer(RegistryObject, Initializer):
    """First values that Rust makes."""

    _category = "initializers"

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        generator = getattr(self, "seed", None)
        envelope = self._envelope()
        if hasattr(generator, "next"):
            envelope = self._enveloped_with(int(generator.next()[0]))
        values = _native.first_value(envelope, [int(extent) for extent in shape])
        return values.astype(standardize_dtype(dtype), copy=False)

    def _enveloped_with(self, seed: int) -> str:
        self._drawn_seed = seed
        return self._envelope()
