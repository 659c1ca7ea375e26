"""Random numbers, equal to those of Keras on JAX for the same seeds."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import random as _generated
from oxhorn._generated.random import *  # noqa: F403
from oxhorn.random.seed_generator import SeedGenerator

__all__ = ["SeedGenerator"]
__all__ += _generated.__all__


def __getattr__(name: str) -> Any:
    if name in _generated.MISSING:
        # A function that refuses when it is called, with Keras' signature.
        from oxhorn._generated import missing_random

        return getattr(missing_random, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
