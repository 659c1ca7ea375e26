"""Functional models: a graph of calls from inputs to outputs."""

from __future__ import annotations

from typing import Any

from oxhorn import tree
from oxhorn._graph import Node, nodes_between
from oxhorn._tensor import KerasTensor, Tensor, as_traced
from oxhorn.layers.layer import Layer


class Graph:
    """The calls by which outputs follow from inputs, which can be made again on other tensors.

    Args:
        inputs: a structure of symbolic tensors.
        outputs: a structure of symbolic tensors that follow from them.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.flat_inputs = [_checked(x, "inputs") for x in tree.flatten(inputs)]
        self.flat_outputs = [_checked(x, "outputs") for x in tree.flatten(outputs)]
        self.nodes = nodes_between(self.flat_inputs, self.flat_outputs)

    @property
    def operations(self) -> list[Any]:
        """What is called, inputs first, each once, in the order of the calls."""
        inputs = [x._keras_history.operation for x in self.flat_inputs if x._keras_history]
        found = inputs + [node.operation for node in self.nodes]
        return list({id(operation): operation for operation in found}.values())

    def names(self) -> list[str]:
        """The names of the inputs."""
        return [x._keras_history.operation.name if x._keras_history else x.name for x in self.flat_inputs]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Makes all calls again, on these inputs."""
        values: dict[int, Any] = {}
        for symbol, value in zip(self.flat_inputs, self.flattened(inputs)):
            values[id(symbol)] = fitted(value, symbol)
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
