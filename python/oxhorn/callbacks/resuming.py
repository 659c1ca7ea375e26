"""What callbacks remember, so that a run that was interrupted goes on with them as they were.

Of a callback it is kept what has changed of its attributes since the run began, as far as they are
plain: numbers, texts, truth values, arrays, and lists, tuples and dictionaries of such. A callback
may name attributes that are not kept in `_passing`, have a `_further` of what else it keeps, and a
`_go_on` in place of `on_train_begin` that takes it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

# What is given anew to every callback of every run.
GIVEN = ("params", "_model")
FACTS = "facts"

State = dict[str, np.ndarray]


class Written:
    """Plain values as JSON, with arrays beside it."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def value(self, value: Any) -> Any:
        """What JSON has for a value.

        Raises:
            TypeError: if it is not plain.
        """
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return [self.value(item) for item in value]
        if kind is tuple:
            return {"tuple": [self.value(item) for item in value]}
        if kind is dict:
            return {"dict": [[self.value(k), self.value(v)] for k, v in value.items()]}
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
            self.arrays.append(np.asarray(value))
            return {"array": len(self.arrays) - 1, "number": isinstance(value, np.generic)}
        raise TypeError(f"{kind} is not plain")


def read(written: Any, arrays: list[np.ndarray]) -> Any:
    """The value that `Written` has written."""
    if isinstance(written, list):
        return [read(item, arrays) for item in written]
    if not isinstance(written, dict):
        return written
    if "tuple" in written:
        return tuple(read(item, arrays) for item in written["tuple"])
    if "dict" in written:
        return {read(k, arrays): read(v, arrays) for k, v in written["dict"]}
    array = arrays[written["array"]]
    return array[()] if written["number"] else array


def plain_attributes(callback: Any) -> dict[str, tuple[str, list[np.ndarray]]]:
    """The attributes of a callback that are plain, each as JSON and arrays."""
    passing = (*GIVEN, *getattr(type(callback), "_passing", ()))
    found = {}
    for name, value in vars(callback).items():
        if name in passing:
            continue
        written = Written()
        try:
            text = json.dumps(written.value(value))
        except TypeError:
            continue
        found[name] = (text, [array.copy() for array in written.arrays])
    return found


def state_of(callback: Any, before: dict[str, tuple[str, list[np.ndarray]]]) -> State:
    """What has changed of a callback since it had these attributes."""
    facts, arrays = {}, []
    for name, (text, own) in plain_attributes(callback).items():
        if name in before and _same((text, own), before[name]):
            continue
        facts[name] = [json.loads(text), len(arrays)]
        arrays += own
    further = callback._further() if hasattr(callback, "_further") else None
    text = json.dumps({"attributes": facts, "further": further})
    state = {FACTS: np.frombuffer(text.encode(), dtype="uint8")}
    return {**state, **{str(number): array for number, array in enumerate(arrays)}}


def _same(one: tuple[str, list[np.ndarray]], other: tuple[str, list[np.ndarray]]) -> bool:
    pairs = zip(one[1], other[1])
    return one[0] == other[0] and all(a.tobytes() == b.tobytes() for a, b in pairs)


def go_on(callback: Any, state: State) -> None:
    """Lets a callback begin, and be as it was."""
    facts = json.loads(state[FACTS].tobytes())
    if hasattr(callback, "_go_on"):
        callback._go_on(facts["further"])
    else:
        callback.on_train_begin({})
    for name, (written, first) in facts["attributes"].items():
        arrays = [state[str(n)] for n in range(first, len(state) - 1)]
        setattr(callback, name, read(written, arrays))
