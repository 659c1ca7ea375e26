"""Models: `Sequential`, functional, and classes of one's own."""

from __future__ import annotations

from typing import Any

from oxhorn.models.model import Model
from oxhorn.models.sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]

_LATER = {
    "clone_model": "oxhorn.models.cloning",
    "model_from_json": "oxhorn.models.serialization",
    "load_model": "oxhorn.saving",
    "save_model": "oxhorn.saving",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        import importlib

        globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
