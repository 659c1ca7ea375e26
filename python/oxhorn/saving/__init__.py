"""Saving: objects as dictionaries, weights as files, and the registry of custom objects."""

from __future__ import annotations

from typing import Any

from oxhorn.saving.objects import deserialize_keras_object, serialize_keras_object
from oxhorn.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

ADVICE = (
    "Save weights with `model.save_weights('model.weights.npz')` and settings with "
    "`model.to_json()`; `models.model_from_json(text)` and `model.load_weights(...)` bring them "
    "back."
)


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any
) -> None:
    """Not available: whole models cannot be written to one file."""
    raise NotImplementedError(
        f"Whole models cannot be saved. {ADVICE} Received: filepath={filepath}"
    )


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Not available: whole models cannot be read from one file."""
    raise NotImplementedError(
        f"Whole models cannot be loaded. {ADVICE} Received: filepath={filepath}"
    )


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Writes the weights of a model to a `.npz` file; there are no shards."""
    from oxhorn.saving import weights_file

    if max_shard_size is not None:
        kwargs["max_shard_size"] = max_shard_size
    weights_file.save(model, filepath, overwrite, **kwargs)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Gives a model the weights of a `.npz` file."""
    from oxhorn.saving import weights_file

    weights_file.load(model, filepath, skip_mismatch, **kwargs)


class KerasFileEditor:
    """Not available: there are no `.keras` files to edit."""

    def __init__(self, filepath: Any) -> None:
        raise NotImplementedError(
            f"`KerasFileEditor` is not available: Oxhorn has no `.keras` files. {ADVICE} "
            f"Received: filepath={filepath}"
        )
