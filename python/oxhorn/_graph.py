"""Operations of functional models: what was called on which symbolic tensors.

Calling a layer or an op on `KerasTensor`s computes nothing. It makes a `Node` that remembers the
call, whose outputs know the node by their `_keras_history`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from oxhorn import _native, tree
from oxhorn._naming import auto_name, snake_case
from oxhorn._tensor import KerasTensor, Tensor


class KerasHistory(NamedTuple):
    """Where a symbolic tensor comes from."""

    operation: Any
    node_index: int
    tensor_index: int


class Node:
    """One call of an operation on symbolic tensors.

    Args:
        operation: what was called.
        call_args: its positional arguments, with symbolic tensors in them.
        call_kwargs: its keyword arguments likewise.
        outputs: what it gave, a structure of symbolic tensors.
    """

    def __init__(
        self, operation: Any, call_args: tuple, call_kwargs: dict[str, Any], outputs: Any
    ) -> None:
        self.operation = operation
        self.args = call_args
        self.kwargs = call_kwargs
        self.outputs = outputs
        self.output_tensors = tree.flatten(outputs)
        everything = tree.flatten((call_args, call_kwargs))
        self.input_tensors = [x for x in everything if isinstance(x, KerasTensor)]
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, x in enumerate(self.output_tensors):
            x._keras_history = KerasHistory(operation, index, i)
        for x in self.input_tensors:
            if x._keras_history is not None:
                parent = x._keras_history.operation
                parent._outbound_nodes.append(self)

    @property
    def is_input(self) -> bool:
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes that give what this one takes."""
        histories = [x._keras_history for x in self.input_tensors]
        return [history.operation._inbound_nodes[history.node_index] for history in histories]


class Operation:
    """What can be called on symbolic tensors.

    Args:
        name: its name; one is made of the class where none is given.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = auto_name(snake_case(type(self).__name__))
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name} (of type {type(name)})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    @property
    def input(self) -> Any:
        """The symbolic input of its first call."""
        return self._at_node("input")

    @property
    def output(self) -> Any:
        """The symbolic output of its first call."""
        return self._at_node("output")

    def _at_node(self, what: str) -> Any:
        """What its first call took or gave."""
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined {what}."
            )
        node = self._inbound_nodes[0]
        tensors = node.output_tensors if what == "output" else node.input_tensors
        return tensors[0] if len(tensors) == 1 else tensors


def output_spec(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What a function of tensors gives for symbolic ones: a structure of symbolic tensors.

    It is traced with two extents in place of every open one; what differs is open in the outputs.
    """
    flat = tree.flatten((args, kwargs))
    symbolic = [x for x in flat if isinstance(x, KerasTensor)]
    structure: list[Any] = []

    def traced(tensors: list[Tensor], training: bool) -> list[Tensor]:
        remaining = iter(tensors)
        filled = [next(remaining) if isinstance(x, KerasTensor) else x for x in flat]
        own_args, own_kwargs = tree.pack_sequence_as((args, kwargs), filled)
        outputs = function(*own_args, **own_kwargs)
        structure[:] = [outputs]
        return [x for x in tree.flatten(outputs) if isinstance(x, Tensor)]

    engine = _native.Engine(traced, 1)
    is_open = any(None in x.shape for x in symbolic)
    first = engine.output_types([close(x, 2) for x in symbolic])
    second = engine.output_types([close(x, 3) for x in symbolic]) if is_open else first
    outputs = iter(
        KerasTensor([a if a == b else None for a, b in zip(one, two)], dtype=dtype)
        for (one, dtype), (two, _) in zip(first, second)
    )
    return tree.map_structure(lambda x: next(outputs) if isinstance(x, Tensor) else x, structure[0])


def close(x: KerasTensor, extent: int) -> tuple[list[int], str]:
    """The type of a symbolic tensor with this extent in place of open ones."""
    return [extent if n is None else n for n in x.shape], x.dtype


def nodes_between(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """The nodes by which outputs follow from inputs, each after those it needs."""
    known = {id(x) for x in inputs}
    ordered: list[Node] = []
    done: set[int] = set()

    def visit(x: KerasTensor, path: list[str]) -> None:
        if id(x) in known:
            return
        history = x._keras_history
        if history is None:
            raise ValueError(
                "All `outputs` values must be reachable from the `inputs` of the model; the tensor "
                f"{x} is an input that is not among them."
            )
        node = history.operation._inbound_nodes[history.node_index]
        if id(node) in done:
            return
        if node.is_input:
            raise ValueError(
                f"`inputs` not connected to `outputs`: the tensor {x} comes from "
                f"'{history.operation.name}', which is not among the inputs of the model."
            )
        done.add(id(node))
        for parent in node.input_tensors:
            visit(parent, path)
        ordered.append(node)

    for x in outputs:
        visit(x, [])
    return ordered
