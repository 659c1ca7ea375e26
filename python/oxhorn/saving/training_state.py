"""What a run of `fit` is in, besides what its engine keeps: random streams, and names that last."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from oxhorn import _native

# The order of a `PyDataset`'s batches, among the random streams and in a backup.
ORDER = "order"


class Streams:
    """The random streams of the process, from which orders of samples are drawn.

    Args:
        source: where batches come from: a `PyDataset` is taken in an order that was drawn.
    """

    def __init__(self, source: Any) -> None:
        self.source = source

    def state(self) -> dict[str, np.ndarray]:
        """Where they are."""
        stream = np.random.get_state()
        if not isinstance(stream, tuple):
            raise ValueError(
                "NumPy's global generator is not the one it comes with, and cannot be backed up: "
                f"{stream['bit_generator']}"
            )
        _, keys, position, has_spare, spare = stream
        version, words, next_normal = random.getstate()
        state = {
            "numpy": np.asarray(keys, dtype="uint32"),
            "numpy_position": np.array([position, has_spare], dtype="int64"),
            "numpy_spare": np.array(spare, dtype="float64"),
            "python": np.array(words, dtype="uint32"),
            "python_version": np.array(version, dtype="int64"),
        }
        if next_normal is not None:
            state["python_spare"] = np.array(next_normal, dtype="float64")
        order = getattr(self.source, "order", None)
        if order is not None:
            state[ORDER] = np.array(order, dtype="int64")
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from there."""
        position, has_spare = (int(number) for number in state["numpy_position"])
        spare = float(state["numpy_spare"])
        np.random.set_state(("MT19937", state["numpy"], position, has_spare, spare))
        words = tuple(int(word) for word in state["python"])
        next_normal = float(state["python_spare"]) if "python_spare" in state else None
        random.setstate((int(state["python_version"]), words, next_normal))


def order_in(callbacks: Any) -> list[int] | None:
    """The order in which a run that was interrupted takes a `PyDataset`'s batches, if it does."""
    if callbacks is None:
        return None
    from oxhorn.callbacks.callback_list import CallbackList, backup_of

    own = callbacks.callbacks if isinstance(callbacks, CallbackList) else callbacks
    path = backup_of(own)
    kept = {} if path is None else _native.read_safetensors(path)
    order = kept.get(f"random/{ORDER}")
    return None if order is None else order.tolist()


def names(model: Any, paths: list[str]) -> list[str]:
    """Names of variables and numbers that another process has too: paths hold counts of objects.

    Layers, and variables of a program's own, are numbered in the order in which the model has them.
    """
    own: dict[str, str] = {}
    for number, layer in enumerate(model._flatten_layers()):
        own.setdefault(layer._key, f"layer{number}")
    for number, variable in enumerate(model.variables):
        own.setdefault(_token(variable.key), f"variable{number}")
    metrics = [it for kept in getattr(model, "_kept", ()) for it in kept]
    variables = [v for metric in metrics for v in getattr(metric, "variables", ())]
    for number, variable in enumerate(variables):
        own.setdefault(_token(variable.key), f"metric{number}")
    return ["/".join(_named(segment, own) for segment in path.split("/")) for path in paths]


def _token(key: str) -> str:
    return key.partition("/")[0]


def _named(segment: str, own: dict[str, str]) -> str:
    """A part of a path, which may be a layer, or begin with one as slots of optimizers do."""
    if segment in own:
        return own[segment]
    key = next((key for key in own if segment.startswith(f"{key}_")), None)
    return segment if key is None else own[key] + segment.removeprefix(key)
