"""Everything that training changes in a model, as one dictionary of arrays, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

OPTIMIZER = "optimizer/"
RATE = f"{OPTIMIZER}learning_rate"
TECHNIQUES = "techniques/"
VARIABLE = "variable/"
STREAM = "numpy_random/"


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
