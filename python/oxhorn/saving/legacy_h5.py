"""Legacy `.h5` files, of whole models and of weights: those of Keras 2, and of Keras 3 when asked.

The config is text in attributes of the file; weights lie under the names of layers, each with a
list of the names of its weights, whose order is all that counts.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn.saving import archive, legacy_config, optimizer_state
from oxhorn.saving.file_scope import FileScope
from oxhorn.saving.overwriting import may_write
from oxhorn.saving.own_state import kept_in, put_into, take_random_state
from oxhorn.saving.store import Tree, joined

# What attributes may hold in one piece; longer lists are cut into several of numbered names.
PIECE_BYTES = 64512
WEIGHTS, OPTIMIZER, TOP = "model_weights", "optimizer_weights", "top_level_model_weights"
LAYER_NAMES, WEIGHT_NAMES = "layer_names", "weight_names"
OWN_BACKEND = "oxhorn"


def save(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Writes a whole model as HDF5, as Keras 3 does when it is asked to.

    Args:
        model: the model.
        filepath: the file, whose name ends in `.h5` or `.hdf5`.
        overwrite: whether a file that is there is replaced; otherwise a person is asked.
        include_optimizer: whether it is kept what the model is trained for.
    """
    warnings.warn(
        "You are saving your model as an HDF5 file via `model.save()` or "
        "`keras.saving.save_model(model)`. This file format is considered legacy. We recommend "
        "using instead the native Keras format, e.g. `model.save('my_model.keras')` or "
        "`keras.saving.save_model(model, 'my_model.keras')`. ",
        stacklevel=4,
    )
    path = os.fspath(filepath)
    if may_write(path, overwrite):
        tree = contents(model, include_optimizer)
        _native.write_h5(path, tree.groups, tree.arrays)


def contents(model: Any, include_optimizer: bool) -> Tree:
    """What is in the file of a model."""
    tree = Tree()
    versions = {"backend": OWN_BACKEND, "keras_version": archive.KERAS_VERSION}
    config = {"class_name": type(model).__name__, "config": legacy_config.written(model)}
    tree.groups[""] = {**versions, "model_config": json.dumps(config)}
    if include_optimizer and model.compiled:
        tree.groups[""]["training_config"] = json.dumps(legacy_config.training(model))
    names = _in_pieces(LAYER_NAMES, [layer.name for layer in model.layers])
    tree.groups[WEIGHTS] = {**versions, **names}
    for layer in model.layers:
        _put(tree, joined(WEIGHTS, layer.name), legacy_weights(layer))
    _put(tree, joined(WEIGHTS, TOP), model._own_variables())
    if include_optimizer and model.compiled:
        variables = optimizer_state.variables(model.optimizer)
        _put(tree, OPTIMIZER, variables, optimizer_state.names(model, variables))
    put_into(tree, model)
    return tree


def _put(tree: Tree, place: str, variables: list[Any], names: list[str] | None = None) -> None:
    """Adds variables under their paths, and a list of those."""
    paths: list[str] = []
    for path in [variable.path for variable in variables] if names is None else names:
        again = sum(other.partition(":")[0] == path for other in paths)
        paths.append(f"{path}:{again}" if again else path)
    tree.groups[place] = _in_pieces(WEIGHT_NAMES, paths)
    for path, variable in zip(paths, variables):
        tree.arrays[joined(place, path)] = np.asarray(variable.numpy())


def _in_pieces(name: str, texts: list[str]) -> dict[str, list[str]]:
    """A list of texts as attributes, of which none may be too long."""
    longest = max((len(text.encode()) for text in texts), default=1)
    count = max(PIECE_BYTES // max(longest, 1), 1)
    if len(texts) <= count:
        return {name: texts}
    pieces = [texts[at : at + count] for at in range(0, len(texts), count)]
    return {f"{name}{number}": piece for number, piece in enumerate(pieces)}


def _whole(attributes: dict[str, Any], name: str) -> list[str]:
    """The list of texts that attributes hold, be it in pieces."""
    if name in attributes:
        return _texts(attributes[name])
    found: list[str] = []
    for number in range(len(attributes)):
        piece = attributes.get(f"{name}{number}")
        if piece is None:
            break
        found += _texts(piece)
    return found


def _texts(value: Any) -> list[str]:
    # An empty list is one of numbers, for nothing says that it would be of texts.
    return [value] if isinstance(value, str) else [str(text) for text in value]


def load(filepath: Any, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    """The model of a file.

    Args:
        filepath: the path of the file.
        custom_objects: classes and functions of one's own by name.
        compile: whether the model is compiled as the saved one was.
        safe_mode: whether code is refused as such; no setting lets it run.
    """
    tree = Tree(*_native.read_h5(os.fspath(filepath)))
    attributes = tree.groups[""]
    text = attributes.get("model_config")
    if not isinstance(text, str):
        raise ValueError(f"No model config found in the file at {filepath}.")
    own = attributes.get("backend") == OWN_BACKEND
    with FileScope(attributes.get("keras_version"), own, tree.numbers()):
        model = legacy_config.model(json.loads(text), custom_objects, safe_mode)
    load_weights(model, tree, skip_mismatch=False, by_name=False)
    if compile:
        _compile(model, tree, custom_objects, safe_mode)
    take_random_state(model, kept_in(tree))
    return model


def _compile(model: Any, tree: Tree, custom_objects: Any, safe_mode: bool) -> None:
    """Compiles a model as its file says, and gives its optimizer the state it had."""
    text = tree.groups[""].get("training_config")
    if not isinstance(text, str):
        warnings.warn(
            "No training configuration found in the save file, so the model was *not* compiled. "
            "Compile it manually.",
            stacklevel=4,
        )
        return
    model.compile(**legacy_config.compile_arguments(json.loads(text), custom_objects, safe_mode))
    names = _whole(tree.groups.get(OPTIMIZER, {}), WEIGHT_NAMES)
    if not names:
        return
    optimizer_state.build(model)
    values = {str(i): _array(tree, joined(OPTIMIZER, name)) for i, name in enumerate(names)}
    own = optimizer_state.variables(model.optimizer)
    # Files of Keras 2 have no learning rate among the variables: it is in the config.
    if len(values) == len(own) - 1 and isinstance(model.optimizer._rate, float):
        del own[1]
    optimizer_state.load(model.optimizer, own, values)


def _array(tree: Tree, path: str) -> np.ndarray:
    if path not in tree.arrays:
        raise ValueError(f"The file says that it has a weight at '{path}', and has none.")
    return tree.arrays[path]


# Weights -----------------------------------------------------------------------------------------


def legacy_weights(layer: Any) -> list[Any]:
    """The weights of a layer in the order of these files: what is trained first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def load_weights(model: Any, tree: Tree, skip_mismatch: bool, by_name: bool) -> None:
    """Gives a model the weights of a file: layer by layer in their order, or by their names."""
    root = "" if _whole(tree.groups[""], LAYER_NAMES) else WEIGHTS
    if root not in tree.groups:
        raise ValueError("The file has no weights: no `layer_names`, and no `model_weights`.")
    names = _whole(tree.groups[root], LAYER_NAMES)
    saved = {name: _saved(tree, joined(root, name)) for name in names}
    pairs = _by_name(model, saved) if by_name else _in_order(model, saved)
    ready: list[tuple[Any, np.ndarray]] = []
    for number, name, layer, weights, values in pairs:
        said = f"layer #{number} (named {layer.name}"
        said += ")" if by_name else f" in the current model, {name} in the save file)"
        if _count_fits(said, weights, values, skip=skip_mismatch and by_name):
            short = f"layer #{number} (named {layer.name})"
            ready += _fitting(short, weights, values, skip_mismatch)
    top = joined(root, TOP)
    if top in tree.groups:
        weights, values = model._own_variables(), _saved(tree, top)
        if len(weights) != len(values):
            raise ValueError(
                "Weight count mismatch for top-level weights when loading weights from file. "
                f"Model expects {len(weights)} top-level weight(s). Received {len(values)} saved "
                "top-level weight(s)"
            )
        ready += _fitting("top-level model", weights, values, skip_mismatch)
    for variable, value in ready:
        variable.assign(value)


Pair = tuple[int, str, Any, list[Any], list[np.ndarray]]


def _in_order(model: Any, saved: dict[str, list[np.ndarray]]) -> list[Pair]:
    """The layers that have weights, with those of the file, in the order of both."""
    layers = [layer for layer in model.layers if legacy_weights(layer)]
    stored = [(name, values) for name, values in saved.items() if values]
    if len(layers) != len(stored):
        raise ValueError(
            "Layer count mismatch when loading weights from file. "
            f"Model expected {len(layers)} layers, found {len(stored)} saved layers."
        )
    return [
        (number, name, layer, legacy_weights(layer), values)
        for number, (layer, (name, values)) in enumerate(zip(layers, stored))
    ]


def _by_name(model: Any, saved: dict[str, list[np.ndarray]]) -> list[Pair]:
    """The layers whose names the file has."""
    return [
        (number, name, layer, legacy_weights(layer), values)
        for number, (name, values) in enumerate(saved.items())
        for layer in model.layers
        if layer.name == name
    ]


def _saved(tree: Tree, place: str) -> list[np.ndarray]:
    names = _whole(tree.groups.get(place, {}), WEIGHT_NAMES)
    return [_array(tree, joined(place, name)) for name in names]


def _count_fits(said: str, weights: list[Any], values: list[np.ndarray], skip: bool) -> bool:
    if len(weights) == len(values):
        return True
    counts = f"Layer expects {len(weights)} weight(s). Received {len(values)} saved weight(s)"
    if not skip:
        raise ValueError(f"Weight count mismatch for {said}. {counts}")
    warnings.warn(
        f"Skipping loading of weights for {said} due to mismatch in number of weights. {counts}",
        stacklevel=5,
    )
    return False


def _fitting(
    said: str, weights: list[Any], values: list[np.ndarray], skip: bool
) -> list[tuple[Any, np.ndarray]]:
    """Those weights that have the shape of their values."""
    ready = []
    for variable, value in zip(weights, values):
        if variable.shape == value.shape:
            ready.append((variable, value))
            continue
        shapes = (
            f"for weight {variable.path}. Weight expects shape {variable.shape}. Received saved "
            f"weight with shape {value.shape}"
        )
        if not skip:
            raise ValueError(f"Shape mismatch in {said}{shapes}")
        warnings.warn(
            f"Skipping loading weights for {said}due to mismatch in shape {shapes}", stacklevel=5
        )
    return ready
