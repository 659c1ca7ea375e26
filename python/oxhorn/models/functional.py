"""Functional models: a graph of calls from inputs to outputs."""

from __future__ import annotations

import functools
from typing import Any

from oxhorn import tree
from oxhorn._graph import Node, nodes_between
from oxhorn._masks import mask_of, set_mask
from oxhorn._tensor import KerasTensor, Tensor, as_traced
from oxhorn.layers.layer import Layer


class Graph:
    """The calls by which outputs follow from inputs, which can be made again on other tensors.

    Args:
        inputs: a structure of symbolic tensors.
        outputs: a structure of symbolic tensors that follow from them.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        if not all(_is_input(x) for x in tree.flatten(inputs)):
            inputs, outputs = begun_at(inputs, outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.flat_inputs = [_checked(x, "inputs") for x in tree.flatten(inputs)]
        self.flat_outputs = [_checked(x, "outputs") for x in tree.flatten(outputs)]
        self.nodes = nodes_between(self.flat_inputs, self.flat_outputs)

    @functools.cached_property
    def operations(self) -> list[Any]:
        """What is called, each once, in Keras' order.

        What is farther from the outputs comes first; of several at one distance, the one that is
        met first on the way from the outputs back to the inputs.
        """
        distances, met = self._distances, self._met()
        unused = [op for op in self._input_operations() if id(op) not in met]
        for operation in unused:
            met[id(operation)] = -1
        found = {id(op): op for op in [*unused, *self._input_operations(), *self._called()]}
        order = sorted(found, key=lambda it: (-distances.get(it, 0), met[it]))
        return [found[it] for it in order]

    def nodes_by_depth(self) -> dict[int, list[Node]]:
        """The calls by their distance from the outputs, those of inputs among them."""
        depths: dict[int, list[Node]] = {}
        for node, depth in self._node_depths:
            depths.setdefault(depth, []).append(node)
        return depths

    def is_chain(self) -> bool:
        """Whether each call takes what the one before it gives, and nothing is called twice."""
        levels = list(self.nodes_by_depth().values())
        called = [id(node.operation) for level in levels for node in level]
        return len(set(called)) == len(called) and all(
            len(level) == 1 and len(level[0].input_tensors) <= 1 for level in levels
        )

    def _called(self) -> list[Any]:
        return [node.operation for node in self.nodes]

    def _input_operations(self) -> list[Any]:
        return [x._keras_history.operation for x in self.flat_inputs]

    @functools.cached_property
    def _node_depths(self) -> list[tuple[Node, int]]:
        """Each call with its distance: calls of one operation are at least as far as later ones."""
        inputs = [x._keras_history for x in self.flat_inputs]
        starts = [history.operation._inbound_nodes[history.node_index] for history in inputs]
        nodes = list({id(node): node for node in [*starts, *self.nodes]}.values())
        known = {id(node) for node in nodes}
        depths: dict[int, int] = {}
        operations: dict[int, int] = {}
        for node in reversed(nodes):
            operation = id(node.operation)
            depth = max(depths.get(id(node), 0), operations.get(operation, 0))
            depths[id(node)] = operations[operation] = depth
            for parent in node.parent_nodes:
                if id(parent) in known:
                    depths[id(parent)] = max(depth + 1, depths.get(id(parent), 0))
        return [(node, depths[id(node)]) for node in nodes]

    @property
    def _distances(self) -> dict[int, int]:
        """The greatest distance of each operation's calls."""
        distances: dict[int, int] = {}
        for node, depth in self._node_depths:
            distances[id(node.operation)] = max(depth, distances.get(id(node.operation), 0))
        return distances

    def _met(self) -> dict[int, int]:
        """The order in which operations are met on the way from the outputs to the inputs."""
        ends = {id(x) for x in self.flat_inputs}
        met: dict[int, int] = {}
        seen: set[int] = set()
        ahead = list(reversed(self.flat_outputs))
        while ahead:
            x = ahead.pop()
            operation, index, _ = x._keras_history
            node = operation._inbound_nodes[index]
            if id(node) in seen:
                continue
            seen.add(id(node))
            met.setdefault(id(operation), len(met))
            if id(x) not in ends:
                ahead.extend(reversed(node.input_tensors))
        return met

    def names(self) -> list[str]:
        """The names of the inputs."""
        return [operation.name for operation in self._input_operations()]

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Makes all calls again, on these inputs, with these masks or their own."""
        values: dict[int, Any] = {}
        masks = tree.flatten(mask) if mask is not None else [None] * len(self.flat_inputs)
        for symbol, value, given in zip(self.flat_inputs, self.flattened(inputs), masks):
            x = values[id(symbol)] = fitted(value, symbol)
            own = mask_of(value) if given is None else given
            if own is not None:
                set_mask(x, own)
        for node in self.nodes:
            outputs = self.call_node(node, values, training)
            for symbol, value in zip(node.output_tensors, tree.flatten(outputs)):
                values[id(symbol)] = value
        results = [values[id(x)] for x in self.flat_outputs]
        return tree.pack_sequence_as(self.outputs, results)

    def call_node(self, node: Node, values: dict[int, Any], training: bool | None) -> Any:
        """Makes one call again."""
        args, kwargs = tree.map_structure(
            lambda x: values[id(x)] if isinstance(x, KerasTensor) else x, (node.args, node.kwargs)
        )
        operation = node.operation
        if isinstance(operation, Layer) and training is not None:
            # What a call states itself wins over the model's mode.
            if kwargs.get("training") is None:
                kwargs = {**kwargs, "training": training}
        return operation(*args, **kwargs)

    def flattened(self, inputs: Any) -> list[Any]:
        """The inputs in the order of the model's own."""
        if isinstance(inputs, dict):
            names = self.names() if not isinstance(self.inputs, dict) else list(self.inputs)
            ordered = sorted(names) if isinstance(self.inputs, dict) else names
            missing = [name for name in ordered if name not in inputs]
            if missing:
                raise ValueError(
                    f"Missing data for inputs {missing}. You passed a data dictionary with keys "
                    f"{list(inputs)}. Expected the following keys: {ordered}"
                )
            return [inputs[name] for name in ordered]
        flat = tree.flatten(inputs)
        if len(flat) != len(self.flat_inputs):
            raise ValueError(
                f"Layer expects {len(self.flat_inputs)} input(s), but it received {len(flat)} "
                "input tensors."
            )
        return flat


def _checked(x: Any, what: str) -> KerasTensor:
    if not isinstance(x, KerasTensor):
        raise ValueError(
            f"All `{what}` values must be KerasTensors. Received: {what} with a value of type "
            f"{type(x)}"
        )
    return x


def _is_input(x: Any) -> bool:
    """Whether an input of a model is that of an `Input`, and not what something gives."""
    if not isinstance(x, KerasTensor):
        return True  # It is refused later, by its type.
    history = x._keras_history
    return history is not None and history.operation._inbound_nodes[history.node_index].is_input


def begun_at(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Inputs and outputs of a model that begins at symbolic tensors in the midst of others.

    It has inputs of its own in their place, on which the same layers are called once more.
    """
    from oxhorn.layers.input_layer import Input

    flat = tree.flatten(inputs)
    for x in tree.flatten((inputs, outputs)):
        _checked(x, "inputs")
    nodes = nodes_between(flat, tree.flatten(outputs))
    copies = {
        id(x): x
        if _is_input(x)
        else Input(batch_shape=x.shape, dtype=x.dtype, name=f"{x.name}CLONE")
        for x in flat
    }

    def copied(x: Any) -> Any:
        return copies.get(id(x), x)

    for node in nodes:
        for x in node.output_tensors:
            copies[id(x)] = KerasTensor(x.shape, dtype=x.dtype, name=f"{x.name}CLONE")
        args, kwargs = tree.map_structure(copied, (node.args, node.kwargs))
        Node(node.operation, args, kwargs, tree.map_structure(copied, node.outputs))
    return tree.map_structure(copied, inputs), tree.map_structure(copied, outputs)


def fitted(value: Any, symbol: KerasTensor) -> Any:
    """The value with the element type and the number of axes of an input."""
    if isinstance(value, KerasTensor):
        return value
    value = as_traced(value)
    if value.dtype != symbol.dtype:
        value = as_traced(value, symbol.dtype)
    shape, wanted = value.shape, symbol.shape
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        value = _reshaped(value, (*shape, 1))
    elif len(shape) == len(wanted) + 1 and shape[-1] == 1:
        value = _reshaped(value, shape[:-1])
    fits = len(value.shape) == len(wanted) and all(
        b is None or a == b for a, b in zip(value.shape[1:], wanted[1:])
    )
    if not fits:
        raise ValueError(
            f"Input {symbol.name!r} is incompatible with the model: expected shape={wanted}, found "
            f"shape={shape}"
        )
    return value


def _reshaped(x: Tensor, shape: tuple[int, ...]) -> Any:
    from oxhorn.ops.dispatch import call

    return call("reshape", "numpy", x, shape)
