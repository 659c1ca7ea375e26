"""Models: `Sequential`, functional, and classes of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxhorn.models.model import Model
from oxhorn.models.sequential import Sequential

if TYPE_CHECKING:
    from oxhorn.models.cloning import clone_model as clone_model
    from oxhorn.models.mc_prediction import McPrediction as McPrediction
    from oxhorn.models.serialization import model_from_json as model_from_json
    from oxhorn.saving import load_model as load_model
    from oxhorn.saving import save_model as save_model

__all__ = [
    "McPrediction",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

_LATER = {
    "McPrediction": "oxhorn.models.mc_prediction",
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
