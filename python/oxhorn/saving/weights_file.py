"""Weights of models in files: HDF5 as Keras writes it, NPZ and safetensors, both ways."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn.layers.layer import Layer
from oxhorn.layers.own_variables import mismatch
from oxhorn.optimizers.optimizer import RegistryOptimizer
from oxhorn.saving import optimizer_state
from oxhorn.saving.overwriting import may_write
from oxhorn.saving.own_state import kept_in, put_into, take_random_state
from oxhorn.saving.store import Tree, joined, stored_objects

KERAS, H5, NPZ, SAFETENSORS = ".keras", (".h5", ".hdf5"), ".npz", ".safetensors"
WEIGHTS_H5 = ".weights.h5"
LAYER_NAMES = "layer_names"


def save(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Writes the weights of a model to a file, and the state of its optimizer.

    The file is replaced in one step, so an interruption leaves the one before.

    Args:
        model: the model, which must be built.
        filepath: the file, whose name ends in `.weights.h5`, `.npz` or `.safetensors`.
        overwrite: whether a file that is there is replaced; otherwise a person is asked.
        **kwargs: `objects_to_skip`, layers and optimizers that are left out; nothing else is
            supported.
    """
    path = os.fspath(filepath)
    skipped = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise NotImplementedError(
            f"Arguments of `save_weights` that are not supported by Oxhorn: {sorted(kwargs)}"
        )
    if not path.endswith((WEIGHTS_H5, NPZ, SAFETENSORS)):
        raise ValueError(
            f"The filename must end in `{WEIGHTS_H5}`. Received: filepath={path}\nOxhorn also "
            f"writes weights as `{NPZ}` and `{SAFETENSORS}`."
        )
    if not model.built:
        raise ValueError(
            "You are saving a model that has not yet been built. Try building the model first by "
            "calling it on some data or by using `build()`."
        )
    if not may_write(path, overwrite):
        return
    tree = weights_of(model, skipped)
    put_into(tree, model)
    if path.endswith(NPZ):
        _native.write_npz(path, tree.arrays)
    elif path.endswith(SAFETENSORS):
        _native.write_safetensors(path, tree.arrays)
    else:
        _native.write_h5(path, tree.groups, tree.arrays)


def load(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Gives a model the weights of a file, and its optimizer the state.

    Either all weights are taken, or none and an error says why; with `skip_mismatch`, layers that
    do not fit keep what they have, and a warning names them.

    Args:
        model: the model, which must be built.
        filepath: the file, whose name ends in `.weights.h5`, `.keras`, `.npz`, `.safetensors`, or
            `.h5` of older files.
        skip_mismatch: whether layers that do not fit are left out.
        **kwargs: `objects_to_skip`, layers and optimizers that are left out; of older `.h5` files
            `by_name`, whether layers are found by their names.
    """
    path = os.fspath(filepath)
    skipped = kwargs.pop("objects_to_skip", None)
    by_name = kwargs.pop("by_name", None)
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    older = path.endswith(H5) and not path.endswith(WEIGHTS_H5)
    if by_name is not None and not older:
        raise ValueError(
            f"`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {path}"
        )
    if skipped is not None and (older or path.endswith(KERAS)):
        raise ValueError(
            f"`objects_to_skip` only supports loading '.weights.h5' files.Received: {path}"
        )
    tree = _read(path)
    if not model.built:
        raise ValueError(
            "You are loading weights into a model that has not yet been built. Try building the "
            "model first by calling it on some data or by using `build()`."
        )
    if older or LAYER_NAMES in tree.groups.get("", {}):
        from oxhorn.saving import legacy_h5

        legacy_h5.load_weights(model, tree, skip_mismatch, by_name=bool(by_name))
        return
    take_weights(model, tree, skipped or (), skip_mismatch)
    take_random_state(model, kept_in(tree))


def _read(path: str) -> Tree:
    """The tree in a file, by the ending of its name."""
    readers: dict[Any, Callable[[], Tree]] = {
        KERAS: lambda: _of_archive(_native.read_keras(path)),
        NPZ: lambda: Tree({}, _native.read_npz(path)),
        SAFETENSORS: lambda: Tree({}, _native.read_safetensors(path)),
        H5: lambda: Tree(*_native.read_h5(path)),
    }
    reader = next((it for ending, it in readers.items() if path.endswith(ending)), None)
    if reader is None:
        raise ValueError(
            f"File format not supported: filepath={path}. Oxhorn reads weights of `.keras` and "
            f"`.weights.h5` files, of legacy H5 files (`.h5` extension), of `{NPZ}` and "
            f"`{SAFETENSORS}` files."
        )
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file of this name. Received: filepath={path}")
    return reader()


def _of_archive(archive: dict[str, Any]) -> Tree:
    return Tree(archive["groups"], archive["tensors"])


# Between models and trees ------------------------------------------------------------------------


def weights_of(model: Any, skipped: Iterable[Any] = ()) -> Tree:
    """What a file keeps of a model: the variables of layers and optimizers."""
    tree = Tree()
    for path, stored in stored_objects(model, skipped):
        own: dict[str, Any] = {}
        if isinstance(stored, Layer):
            _refuse_assets(stored)
            stored.save_own_variables(own)
        else:
            variables = optimizer_state.variables(stored)
            own = {str(number): variable for number, variable in enumerate(variables)}
        tree.put(joined(path, "vars"), stored.name, own)
    return tree


def take_weights(model: Any, tree: Tree, skipped: Iterable[Any], skip_mismatch: bool) -> None:
    """Gives layers and optimizers of a model what a tree has for them."""
    layers: list[tuple[Layer, dict[str, np.ndarray]]] = []
    optimizers: list[tuple[RegistryOptimizer, dict[str, np.ndarray]]] = []
    failures: list[tuple[Any, Any]] = []
    for path, stored in stored_objects(model, skipped):
        arrays = tree.at(joined(path, "vars"))
        if not isinstance(stored, Layer):
            optimizers.append((stored, arrays))
            continue
        _refuse_assets(stored)
        # Only a layer itself knows what it makes of arrays in a way of its own.
        own = type(stored).load_own_variables is not Layer.load_own_variables
        failure = None if own else mismatch(stored, arrays)
        if failure is None:
            layers.append((stored, arrays))
        else:
            failures.append((stored, failure))
    if failures and not skip_mismatch:
        raise ValueError(_told(failures))
    for layer, arrays in layers:
        try:
            layer.load_own_variables(arrays)
        except Exception as error:  # Whatever a method of somebody's own raises.
            failures.append((layer, error))
    if failures:
        if not skip_mismatch:
            raise ValueError(_told(failures)) from failures[0][1]
        warnings.warn(_told(failures), stacklevel=4)
    for optimizer, arrays in optimizers:
        if arrays or optimizer.built:
            own = optimizer_state.variables(optimizer)
            optimizer_state.load(optimizer, own, arrays)


def _told(failures: list[tuple[Any, Any]]) -> str:
    """What could not be loaded, in Keras' words."""
    return (
        f"A total of {len(failures)} objects could not be loaded. Example error message for "
        f"object {failures[0][0]}:\n\n{failures[0][1]}\n\n"
        f"List of objects that could not be loaded:\n{[layer for layer, _ in failures]}"
    )


def _refuse_assets(layer: Layer) -> None:
    if hasattr(layer, "save_assets") or hasattr(layer, "load_assets"):
        raise NotImplementedError(
            f"`{type(layer).__name__}` has `save_assets` or `load_assets`, for which Oxhorn's "
            "files have no place. Keep what the layer needs in its `get_config` or in weights."
        )
