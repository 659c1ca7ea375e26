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

H5 = (".h5", ".hdf5")


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any
) -> None:
    """Writes a model to a file: config, weights, the optimizer's state, and random streams.

    The file is replaced in one step: whatever happens meanwhile, there is the one before or the new
    one, whole.

    Args:
        model: the model.
        filepath: the file: `.keras`, or `.h5` for the legacy format; or a binary file to write to.
        overwrite: whether a file that is there is replaced; otherwise a person is asked.
        zipped: `False`, for a folder in place of a file, is not supported.
        **kwargs: `include_optimizer`, of the legacy format alone; `save_format`, which Keras 3
            ignores where the name of the file says the same.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", False)
    name = str(filepath)
    if save_format and not name.endswith((".keras", *H5)):
        raise ValueError(
            "The `save_format` argument is deprecated in Keras 3. Please remove this argument and "
            "pass a file path with either `.keras` or `.h5` extension."
            f"Received: save_format={save_format}"
        )
    if kwargs:
        raise ValueError(f"The following argument(s) are not supported: {list(kwargs)}")
    if zipped is False or name.startswith("hf://"):
        raise NotImplementedError(
            "Oxhorn saves models as one file, neither as a folder nor to a server. Received: "
            f"filepath={filepath}, zipped={zipped}"
        )
    if name.endswith(".keras") or hasattr(filepath, "write"):
        from oxhorn.saving import archive

        archive.save(model, filepath, overwrite)
    elif name.endswith(H5):
        from oxhorn.saving import legacy_h5

        legacy_h5.save(model, filepath, overwrite, include_optimizer)
    else:
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the "
            "native Keras format (recommended) or a `.h5` extension. Use `model.export(filepath)` "
            "if you want to export a SavedModel for use with TFLite/TFServing/etc. "
            f"Received: filepath={filepath}."
        )


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that a file describes, as it was saved by Keras or Oxhorn.

    Nothing in a file is ever run, and no other file is opened for one.

    Args:
        filepath: the file: `.keras`, or legacy `.h5`; or a binary file to read from.
        custom_objects: classes and functions of one's own by name.
        compile: whether the model is compiled as the saved one was.
        safe_mode: whether code is refused as such. Here `False` lets no code run either: a file
            that has some is refused in any case.
    """
    import os

    from oxhorn.saving import archive, legacy_h5

    if hasattr(filepath, "read"):
        return archive.load(filepath.read(), custom_objects, compile, safe_mode)
    name = str(filepath)
    if name.endswith(".keras"):
        if not os.path.isfile(name):
            raise ValueError(
                f"File not found: filepath={filepath}. Please ensure the file is an accessible "
                "`.keras` zip file."
            )
        return archive.load(name, custom_objects, compile, safe_mode)
    if name.endswith(H5):
        if not os.path.exists(name):
            raise FileNotFoundError(f"There is no file of this name. Received: filepath={name}")
        return legacy_h5.load(name, custom_objects, compile, safe_mode)
    raise ValueError(
        f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` files, "
        "legacy H5 format files (`.h5` extension). Folders and SavedModels are not supported by "
        "Oxhorn."
    )


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Writes the weights of a model to a file: `.weights.h5`, `.npz` or `.safetensors`. There are
    no shards.
    """
    from oxhorn.saving import weights_file

    if max_shard_size is not None:
        kwargs["max_shard_size"] = max_shard_size
    weights_file.save(model, filepath, overwrite, **kwargs)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Gives a model the weights of a file: `.weights.h5`, `.keras`, `.npz`, `.safetensors`, or
    legacy `.h5`.
    """
    from oxhorn.saving import weights_file

    weights_file.load(model, filepath, skip_mismatch, **kwargs)


class KerasFileEditor:
    """Not available: files are changed by loading them."""

    def __init__(self, filepath: Any) -> None:
        raise NotImplementedError(
            "`KerasFileEditor` is not available in Oxhorn. Load the model with `load_model`, "
            f"change it, and save it again. Received: filepath={filepath}"
        )
