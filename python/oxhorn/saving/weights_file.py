"""Weights of models as `.npz` files, and all that training changes as one dictionary.

Entries are named as in Keras' weight files, by attributes and classes in place of the names of
layers, which differ from one program to the next: `layers/dense_1/vars/0` is the first weight of
the second `Dense` among a model's layers.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from oxhorn._naming import snake_case
from oxhorn.layers.layer import Layer

ENDING = ".npz"
OPTIMIZER = "optimizer/"
RATE = f"{OPTIMIZER}learning_rate"
TECHNIQUES = "techniques/"
VARIABLE = "variable/"
STREAM = "numpy_random/"
CONTAINERS = (list, tuple, dict)


def save(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Writes the weights of a model to a file.

    The file is replaced in one step, so an interruption leaves the one before.

    Args:
        model: the model, which must be built.
        filepath: the file, whose name ends in `.npz`.
        overwrite: whether a file that is there is replaced; otherwise a person is asked.
        **kwargs: nothing else is supported.
    """
    path = _checked_path(filepath, "save_weights")
    if kwargs:
        raise NotImplementedError(
            f"Arguments of `save_weights` that are not supported by Oxhorn: {sorted(kwargs)}"
        )
    if os.path.exists(path) and not overwrite and not _may_overwrite(path):
        return
    arrays = {
        f"{place}/{number}": variable.numpy()
        for place, layer in stored_layers(model)
        for number, variable in enumerate(own_variables(layer))
    }
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        with open(unfinished, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def load(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Gives a model the weights of a file.

    Either all are taken, or none and an error says why; with `skip_mismatch`, layers that do not
    fit keep what they have, and a warning names them.

    Args:
        model: the model, which must be built.
        filepath: the file, whose name ends in `.npz`.
        skip_mismatch: whether layers that do not fit are left out.
        **kwargs: nothing else is supported.
    """
    path = _checked_path(filepath, "load_weights")
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    if not model.built:
        raise ValueError(
            "You are loading weights into a model that has not yet been built. Try building the "
            "model first by calling it on some data or by using `build()`."
        )
    with np.load(path, allow_pickle=False) as file:
        stored: dict[str, dict[str, np.ndarray]] = {}
        for entry in file.files:
            place, _, number = entry.rpartition("/")
            stored.setdefault(place, {})[number] = file[entry]
    fitting: list[tuple[Any, np.ndarray]] = []
    failures: list[tuple[Any, str]] = []
    for place, layer in stored_layers(model):
        arrays = stored.get(place, {})
        failure = _mismatch(layer, arrays)
        if failure is not None:
            failures.append((layer, failure))
        else:
            fitting += [(v, arrays[str(i)]) for i, v in enumerate(own_variables(layer))]
    if failures:
        message = (
            f"A total of {len(failures)} objects could not be loaded. Example error message for "
            f"object {failures[0][0]}:\n\n{failures[0][1]}\n\n"
            f"List of objects that could not be loaded:\n{[layer for layer, _ in failures]}"
        )
        if not skip_mismatch:
            raise ValueError(message)
        warnings.warn(message, stacklevel=3)
    for variable, array in fitting:
        variable.assign(array)


def _checked_path(filepath: Any, method: str) -> str:
    path = os.fspath(filepath)
    if path.endswith((".h5", ".hdf5", ".keras")):
        raise NotImplementedError(
            f"`{method}` reads and writes `.npz` files: HDF5 and `.keras` files are not supported "
            f"by Oxhorn. Use a name such as 'model.weights.npz'. Received: filepath={path}"
        )
    if not path.endswith(ENDING):
        raise ValueError(f"The filename must end in `{ENDING}`. Received: filepath={path}")
    return path


def _may_overwrite(path: str) -> bool:
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"


def _mismatch(layer: Layer, arrays: dict[str, np.ndarray]) -> str | None:
    """Why a layer cannot take these arrays, or `None` if it can."""
    variables = own_variables(layer)
    if len(arrays) != len(variables):
        if not variables and not layer.built:
            return (
                f"Layer '{layer.name}' was never built and thus it doesn't have any variables. "
                f"However the weights file lists {len(arrays)} variables for this layer."
            )
        return (
            f"Layer '{layer.name}' expected {len(variables)} variables, but received "
            f"{len(arrays)} variables during loading. Expected: {[v.name for v in variables]}"
        )
    for number, variable in enumerate(variables):
        array = arrays.get(str(number))
        if array is None:
            return f"The file has no variable {number} for layer '{layer.name}'."
        if array.shape != variable.shape:
            return (
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. variable.shape={variable.shape}, Received: "
                f"value.shape={array.shape}. Target variable: {variable}"
            )
    return None


# Where the variables of a model are in a file ----------------------------------------------------


def own_variables(layer: Layer) -> list[Any]:
    """The variables of a layer that are not those of layers within it: trainable ones first."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def stored_layers(model: Any) -> Iterator[tuple[str, Layer]]:
    """The layers of a model, itself among them, each once with its place in a file."""
    yield from _walked(model, "", set())


def _walked(layer: Layer, path: str, seen: set[int]) -> Iterator[tuple[str, Layer]]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield f"{path}vars", layer
    for name, value in _children(layer):
        if isinstance(value, Layer):
            yield from _walked(value, f"{path}{name}/", seen)
        elif isinstance(value, CONTAINERS):
            yield from _walked_container(value, f"{path}{name}/", seen)


def _walked_container(container: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Layer]]:
    """The layers in a list or dictionary, told apart by their classes and a count of each."""
    counts: dict[str, int] = {}
    for value in container.values() if isinstance(container, dict) else container:
        if not isinstance(value, (Layer, *CONTAINERS)):
            continue
        kind = snake_case(type(value).__name__) if isinstance(value, Layer) else "container"
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        place = f"{path}{kind}_{number}/" if number else f"{path}{kind}/"
        if isinstance(value, Layer):
            yield from _walked(value, place, seen)
        else:
            yield from _walked_container(value, place, seen)


# What every layer or model has, and no program has given it.
_OWN = frozenset(
    """_layers _trainable_variables _non_trainable_variables _seed_generators _metrics _losses
    _inbound_nodes _outbound_nodes _given _graph _operations _input _compiled _compile_metrics _kept
    _build_shapes _input_dtypes _numbers optimizer loss history""".split()
)


def _children(layer: Layer) -> list[tuple[str, Any]]:
    """The attributes in which layers may be, those of a beginning underscore last."""
    from oxhorn.models.model import Model

    attributes = {key: value for key, value in vars(layer).items() if key not in _OWN}
    if not isinstance(layer, Model):
        return _sorted(attributes)
    if layer._graph is not None or type(layer).__name__ == "Sequential":
        return [("layers", layer.layers), *_sorted(attributes)]
    return _sorted({**attributes, "layers": layer.layers})


def _sorted(attributes: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(attributes.items(), key=lambda item: (item[0].startswith("_"), item[0]))


# Everything that training changes ----------------------------------------------------------------


def training_state(model: Any) -> dict[str, np.ndarray]:
    """Everything that training changes, by name.

    That is the variables, among them the states of random streams, those of the optimizer and its
    learning rate, those of techniques, and NumPy's random state, from which the order of samples is
    drawn.
    """
    state = {f"{VARIABLE}{n}": variable.numpy() for n, variable in enumerate(model.variables)}
    for scope in (OPTIMIZER, TECHNIQUES):
        for number, path in enumerate(_paths(model, scope)):
            state[f"{scope}{number}"] = np.asarray(model._engine.value(path))
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and isinstance(optimizer._rate, float):
        state[RATE] = np.asarray(optimizer._rate, dtype="float64")
    stream = np.random.get_state()
    if isinstance(stream, tuple):  # Other generators than the default one have a dictionary.
        _, keys, *position = stream
        state[f"{STREAM}keys"] = np.asarray(keys)
        state[f"{STREAM}position"] = np.asarray(position, dtype="float64")
    return state


def load_training_state(model: Any, state: dict[str, np.ndarray]) -> None:
    """Takes everything that training changes from what `training_state` gave."""
    variables = model.variables
    paths = {scope: _paths(model, scope) for scope in (OPTIMIZER, TECHNIQUES)}
    for kind, prefix, own in (
        ("variables", VARIABLE, variables),
        ("variables of the optimizer", OPTIMIZER, paths[OPTIMIZER]),
        ("variables of techniques", TECHNIQUES, paths[TECHNIQUES]),
    ):
        stored = [name for name in state if name.startswith(prefix) and name != RATE]
        if len(stored) != len(own):
            raise ValueError(
                f"The model has {len(own)} {kind}, but its backup has {len(stored)}. Delete the "
                "backup of another model to start anew."
            )
    for number, variable in enumerate(variables):
        variable.assign(state[f"{VARIABLE}{number}"])
    for scope, own in paths.items():
        for number, path in enumerate(own):
            model._engine.set_value(path, state[f"{scope}{number}"])
    if RATE in state:
        model.optimizer.learning_rate = float(state[RATE])
    if f"{STREAM}keys" in state:
        position, has_gauss, gauss = state[f"{STREAM}position"]
        keys = state[f"{STREAM}keys"]
        np.random.set_state(("MT19937", keys, int(position), int(has_gauss), float(gauss)))


def _paths(model: Any, scope: str) -> list[str]:
    """The variables of the optimizer or of techniques, once there are any."""
    if model._runs is None:
        return []
    return [path for path, *_ in model._engine.variables() if path.startswith(scope)]
