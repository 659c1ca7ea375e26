"""Where everything that has variables lies in a file: Keras' paths, by attributes and classes.

Layers are told apart by the attributes that hold them, or by their classes and a count of each in
place of their names, which differ from one program to the next: `layers/dense_1` is the second
`Dense` among a model's layers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from oxhorn._naming import snake_case
from oxhorn.layers.layer import Layer
from oxhorn.optimizers.optimizer import Optimizer

CONTAINERS = (list, tuple, dict)
STORED = (Layer, Optimizer)

# What every layer or model has, and no program has given it.
_OWN = frozenset(
    """_layers _trainable_variables _non_trainable_variables _seed_generators _metrics _losses
    _inbound_nodes _outbound_nodes _given _graph _operations _input _compiled _compile_metrics _kept
    _build_shapes _input_dtypes _numbers _techniques _runs loss history""".split()
)


class Tree:
    """What a file of weights holds: attributes of groups, and arrays, both by path."""

    def __init__(
        self,
        groups: dict[str, dict[str, Any]] | None = None,
        arrays: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.groups = {} if groups is None else groups
        self.arrays = {} if arrays is None else arrays

    def put(self, place: str, name: str, variables: dict[str, Any]) -> None:
        """Adds a group of variables with the name of whose they are."""
        self.groups[place] = {"name": name}
        for key, value in variables.items():
            value = value.numpy() if hasattr(value, "numpy") else value
            self.arrays[f"{place}/{key}"] = np.asarray(value)

    def at(self, place: str) -> dict[str, np.ndarray]:
        """The arrays of one group, by their names in it."""
        return self._by_group.get(place, {})

    def numbers(self) -> int:
        """How many numbers all arrays have."""
        return sum(array.size for array in self.arrays.values())

    @functools.cached_property
    def _by_group(self) -> dict[str, dict[str, np.ndarray]]:
        found: dict[str, dict[str, np.ndarray]] = {}
        for path, array in self.arrays.items():
            place, _, name = path.rpartition("/")
            found.setdefault(place, {})[name] = array
        return found


def joined(path: str, name: str) -> str:
    """The path of what lies under a name at a path."""
    return f"{path}/{name}" if path else name


def stored_objects(model: Any, skipped: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """The layers and optimizers of a model, itself first, each once with its path in a file.

    Args:
        model: the model.
        skipped: objects that are left out, with all that is within them.
    """
    return _walked(model, "", {id(it) for it in skipped})


def _walked(stored: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(stored) in seen:
        return
    seen.add(id(stored))
    yield path, stored
    for name, value in _children(stored):
        if isinstance(value, STORED):
            yield from _walked(value, joined(path, name), seen)
        elif isinstance(value, CONTAINERS):
            yield from _walked_container(value, joined(path, name), seen, set())


def _walked_container(
    container: Any, path: str, seen: set[int], within: set[int]
) -> Iterator[tuple[str, Any]]:
    """What is in a list or dictionary, told apart by the classes and a count of each."""
    if id(container) in within:
        return
    within.add(id(container))
    counts: dict[str, int] = {}
    for value in container.values() if isinstance(container, dict) else container:
        if not isinstance(value, (*STORED, *CONTAINERS)):
            continue
        kind = snake_case(type(value).__name__) if isinstance(value, STORED) else "container"
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        place = joined(path, f"{kind}_{number}" if number else kind)
        if isinstance(value, STORED):
            yield from _walked(value, place, seen)
        else:
            yield from _walked_container(value, place, seen, within)


def _children(stored: Any) -> list[tuple[str, Any]]:
    """The attributes in which others may be, those of a beginning underscore last."""
    from oxhorn.models.model import Model

    attributes = {key: value for key, value in vars(stored).items() if key not in _OWN}
    attributes.update(_properties(stored))
    if not isinstance(stored, Model):
        return _sorted(attributes)
    if stored._graph is not None or type(stored).__name__ == "Sequential":
        return [("layers", stored.layers), *_sorted(attributes)]
    return _sorted({**attributes, "layers": stored.layers})


def _properties(stored: Any) -> Iterator[tuple[str, Any]]:
    """What the properties give that a program's own classes have."""
    for cls in type(stored).__mro__:
        if cls.__module__.partition(".")[0] in ("oxhorn", "builtins"):
            continue
        for name, value in vars(cls).items():
            if name.startswith("__") or not isinstance(
                value, (property, functools.cached_property)
            ):
                continue
            try:
                yield name, getattr(stored, name)
            except Exception:  # What a property raises is not for who saves a model to know.
                continue


def _sorted(attributes: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(attributes.items(), key=lambda item: (item[0].startswith("_"), item[0]))
