"""How a function of `ops` is run: at once on arrays, or written down where something is traced."""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn._graph import Node, Operation, output_spec
from oxhorn._naming import auto_name, snake_case
from oxhorn._tensor import KerasTensor, Tensor, as_array
from oxhorn._variables import Variable
from oxhorn.ops.keras_names import class_name


def call(name: str, family: str, *args: Any, **kwargs: Any) -> Any:
    """The function of this name on these arguments."""
    if family == "random":
        # The module of generators has functions that come here.
        from oxhorn.random.seed_generator import draw_seed

        kwargs["seed"] = draw_seed(kwargs.get("seed"))
    kind = _kind(args) | _kind(tuple(kwargs.values()))
    if kind & SYMBOLIC:
        return FunctionOperation(name, family).symbolic(args, kwargs)
    if kind & TRACED or _native.tracing():
        return write(name, family, args, kwargs)
    return _at_once(name, family, args, kwargs)


# What a structure of arguments holds.
SYMBOLIC, TRACED = 1, 2


def _kind(values: Any) -> int:
    kind = 0
    for value in values:
        if isinstance(value, KerasTensor):
            kind |= SYMBOLIC
        elif isinstance(value, Tensor):
            kind |= TRACED
        elif isinstance(value, (list, tuple)):
            kind |= _kind(value)
    return kind


def write(name: str, family: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """Writes the function into what is being traced."""
    args = [_lowered(value) for value in args]
    kwargs = {key: _lowered(value) for key, value in kwargs.items()}
    return _native.apply_function(name, family, *args, **kwargs)


def _lowered(value: Any) -> Any:
    """An argument as the border takes it."""
    if value is None or isinstance(value, (Tensor, bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Variable):
        return value.traced()
    if isinstance(value, (list, tuple)):
        return [_lowered(item) for item in value]
    if isinstance(value, np.dtype) or isinstance(value, type):
        return np.dtype(value).name
    if value is Ellipsis:
        return value
    return as_array(value)


class FunctionOperation(Operation):
    """A function of `ops` in a functional model.

    Args:
        function: its name.
        family: the part of `ops` that it is from.
        name: the name of the operation; as in Keras, one is made of the class if none is given.
    """

    def __init__(self, function: str, family: str, name: str | None = None) -> None:
        super().__init__(name or auto_name(snake_case(class_name(function))))
        self.function = function
        self.family = family

    @property
    def class_name(self) -> str:
        """What Keras calls the class of the operation."""
        return class_name(self.function)

    def symbolic(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Notes the call; the symbolic tensors that it gives."""
        outputs = output_spec(self, args, kwargs)
        if any(isinstance(x, KerasTensor) for x in _leaves(outputs)):
            Node(self, args, kwargs, outputs)
        return outputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (_kind(args) | _kind(tuple(kwargs.values()))) & SYMBOLIC:
            return self.symbolic(args, kwargs)
        return write(self.function, self.family, args, kwargs)


def _leaves(outputs: Any) -> Any:
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


# Compiled functions by name and whatever of their arguments is no array.
_compiled: dict[Any, Any] = {}
COMPILED_MAX = 512


def _at_once(name: str, family: str, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Runs the function on arrays, compiled for their types."""
    arrays: list[np.ndarray] = []
    places = [_taken(value, arrays) for value in args]
    named = {key: _taken(value, arrays) for key, value in kwargs.items()}
    types = tuple((array.shape, array.dtype.name) for array in arrays)
    key = (name, family, repr(places), repr(sorted(named.items())), types)
    compiled = _compiled.get(key)
    if compiled is None:
        if len(_compiled) >= COMPILED_MAX:
            _compiled.clear()
        compiled = _compiled[key] = Compiled(name, family, places, named)
    return compiled(arrays)


class Place:
    """Stands for the array of this number among the arguments."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<{self.number}>"


def _taken(value: Any, arrays: list[np.ndarray]) -> Any:
    """The argument with places for its arrays, which are added to the list."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, Variable)):
        arrays.append(as_array(value))
        return Place(len(arrays) - 1)
    if isinstance(value, (list, tuple)):
        return [_taken(item, arrays) for item in value]
    if value is None or value is Ellipsis or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (type, np.dtype)):
        return np.dtype(value).name
    arrays.append(as_array(value))
    return Place(len(arrays) - 1)


class Compiled:
    """A function compiled for arrays of certain types."""

    def __init__(self, name: str, family: str, places: list[Any], named: dict[str, Any]) -> None:
        self.call = (name, family, places, named)
        # A list where the function gives several, and what it gives without running.
        self.several = False
        self.static: Any = None
        self.engine = _native.Engine(self.traced, 1)

    def traced(self, tensors: list[Tensor], training: bool) -> list[Tensor]:
        name, family, places, named = self.call
        filled = [_filled(place, tensors) for place in places]
        given = {key: _filled(place, tensors) for key, place in named.items()}
        outcome = _native.apply_function(name, family, *filled, **given)
        if isinstance(outcome, Tensor):
            return [outcome]
        self.several = isinstance(outcome, list)
        if self.several:
            return outcome
        self.static = outcome
        return []

    def __call__(self, arrays: list[np.ndarray]) -> Any:
        outputs = self.engine.call(arrays, False)
        if self.several:
            return outputs
        return outputs[0] if outputs else self.static


def _filled(place: Any, tensors: list[Tensor]) -> Any:
    if isinstance(place, Place):
        return tensors[place.number]
    if isinstance(place, list):
        return [_filled(item, tensors) for item in place]
    return place
