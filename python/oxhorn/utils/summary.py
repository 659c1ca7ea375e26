"""`print_summary`: the table of a model's layers that `model.summary()` prints."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from oxhorn import tree
from oxhorn.utils import text_table
from oxhorn.utils.text_table import BOLD, Characters, Column, Table, Text, coloured

# Keras' colours: numbers, open extents, names of classes, and what is not trained.
NUMBER, OPEN, CLASS, FROZEN = 34, 45, 33, 9
CHAIN_WIDTH, GRAPH_WIDTH, TRAINABLE_WIDTH = 88, 108, 12
UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
NOTEBOOK_COLUMNS = 115


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Prints the layers of a model, the shapes of their outputs, and their parameters.

    Args:
        model: the model.
        line_length: the width of the table, that of the terminal if not given.
        positions: where each column ends, as a share of the width.
        print_fn: takes the whole text in place of the standard output.
        expand_nested: whether layers of models within the model have rows of their own.
        show_trainable: whether a column says which layers are trained.
        layer_range: names, or regular expressions, of the first and the last layer to show.
    """
    summary = Summary(model, expand_nested, show_trainable)
    table = summary.table(line_length, positions)
    layers = summary.layers
    first, last = range_of(layers, layer_range)
    for layer in layers[first:last]:
        table.rows.extend(summary.rows(layer))
    screen = _columns_of_terminal()
    head = text_table.wrapped([(f'Model: "{model.name}"', BOLD)], screen)
    foot = [line for text in totals(model) for line in text_table.wrapped(text, screen)]
    body = [text_table.cropped(line, screen) for line in table.lines()]
    _print([*head, *body, *foot], print_fn)


def _print(lines: list[Characters], print_fn: Callable[[str], Any] | None) -> None:
    from oxhorn.utils.messages import is_interactive_logging_enabled, print_message

    to_screen = print_fn is None and is_interactive_logging_enabled()
    colours = "colours" if to_screen and _shows_colours() else "plain"
    text = "".join(text_table.written(line, colours) + "\n" for line in lines)
    if print_fn is not None:
        print_fn(text)
    else:
        print_message(text, line_break=False)


def _columns_of_terminal() -> int:
    notebook = "ipykernel" in sys.modules and "COLUMNS" not in os.environ
    return NOTEBOOK_COLUMNS if notebook else shutil.get_terminal_size().columns


def _shows_colours() -> bool:
    """Whether the standard output is a terminal of 256 colours, and nobody objects to them."""
    isatty = getattr(sys.stdout, "isatty", None)
    many = "256" in os.environ.get("TERM", "") or "COLORTERM" in os.environ
    return bool(isatty and isatty()) and many and not os.environ.get("NO_COLOR")


class Summary:
    """What the rows of a summary say.

    A functional model that is no mere chain of layers has a column that says what each layer
    takes.
    """

    def __init__(self, model: Any, expand_nested: bool, show_trainable: bool) -> None:
        from oxhorn.models.sequential import Sequential

        self.expand_nested = expand_nested
        self.show_trainable = show_trainable
        graph = None if isinstance(model, Sequential) else getattr(model, "_graph", None)
        self.layers = list(model.layers if graph is None else graph.operations)
        self.nodes: list[Any] | None = None
        if graph is not None and not graph.is_chain():
            self.nodes = [node for nodes in graph.nodes_by_depth().values() for node in nodes]

    def table(self, line_length: int | None, positions: list[float] | None) -> Table:
        """A table without rows, with columns that end at these shares of its width."""
        named = [("Layer (type)", "left"), ("Output Shape", "left"), ("Param #", "right")]
        if self.nodes is None:
            width, positions = CHAIN_WIDTH, positions or [0.45, 0.80, 1.0]
        else:
            named.append(("Connected to", "left"))
            width, positions = GRAPH_WIDTH, positions or [0.3, 0.56, 0.74, 1.0]
        if self.show_trainable:
            named.append(("Trainable", "center"))
            width += TRAINABLE_WIDTH
            positions = [share * 0.90 for share in positions] + [1.0]
        width = line_length or min(width, shutil.get_terminal_size().columns - 4)
        columns, begin = [], 0
        for (header, alignment), share in zip(named, positions):
            size = int(share * width) - begin
            if size < 4:
                raise ValueError("Insufficient console width to print summary.")
            columns.append(Column(header, alignment, size))
            begin += size
        return Table(columns, width)

    def rows(self, layer: Any, level: int = 0) -> list[list[Text]]:
        """The row of a layer, and those of the layers within it."""
        rows = [self.row(layer, "   " * level + "└ " if level else "")]
        if self.expand_nested:
            for inner in getattr(layer, "layers", None) or []:
                rows += self.rows(inner, level + 1)
        return rows

    def row(self, layer: Any, prefix: str) -> list[Text]:
        class_name = getattr(layer, "class_name", type(layer).__name__)
        name = [(f"{prefix}{layer.name} (", ""), *coloured(class_name, CLASS), (")", "")]
        row = [name, output_shape(layer), _parameters(layer)]
        if self.nodes is not None:
            row.append(self._connections(layer))
        if self.show_trainable:
            row.append(_trainable(layer))
        return row

    def _connections(self, layer: Any) -> Text:
        """The outputs that a layer takes, in all its calls in this model."""
        text: Text = []
        for node in layer._inbound_nodes:
            if not any(node is known for known in self.nodes or []):
                continue
            for x in node.input_tensors:
                operation, node_index, tensor_index = x._keras_history
                text += [(", ", "")] if text else []
                text += [(f"{operation.name}[", ""), *coloured(node_index, NUMBER), ("][", "")]
                text += [*coloured(tensor_index, NUMBER), ("]", "")]
        return text or [("-", "")]


def _parameters(layer: Any) -> Text:
    if not hasattr(layer, "built"):
        return coloured(0, NUMBER)
    if not layer.built:
        return [*coloured(0, NUMBER), (" (unbuilt)", "")]
    return coloured(f"{layer.count_params():,}", NUMBER)


def _trainable(layer: Any) -> Text:
    if not getattr(layer, "weights", None):
        return [("-", BOLD)]
    if layer.trainable:
        return coloured("Y", NUMBER, bold=BOLD)
    return coloured("N", FROZEN, bold=BOLD)


def output_shape(layer: Any) -> Text:
    """The shape of a layer's output, or a question mark where nobody has said what it takes."""
    nodes = layer._inbound_nodes
    if nodes:
        shapes: Any = [x.shape for x in nodes[-1].output_tensors]
    else:
        known = getattr(layer, "_build_shapes", None)
        if not known:
            return [("?", "")]
        try:
            shapes = layer.compute_output_shape(*known.values())
        except NotImplementedError:
            return [("?", "")]
    texts = tree.map_shape_structure(lambda shape: _Leaf(_shape(shape)), shapes)
    leaves = tree.flatten(texts)
    return leaves[0].text if len(leaves) == 1 else _nested(texts)


class _Leaf:
    def __init__(self, text: Text) -> None:
        self.text = text


def _shape(shape: Any) -> Text:
    text: Text = [("(", "")]
    for axis, extent in enumerate(shape):
        text += [(", ", "")] if axis else []
        text += coloured(extent, OPEN if extent is None else NUMBER)
    return [*text, (")", "")]


def _nested(texts: Any) -> Text:
    """A structure of shapes as Python writes it, without quotation marks."""
    if isinstance(texts, _Leaf):
        return texts.text
    if isinstance(texts, dict):
        parts = [[(f"{key}: ", ""), *_nested(value)] for key, value in texts.items()]
        opening, closing = "{}"
    else:
        parts = [_nested(value) for value in texts]
        opening, closing = "()" if isinstance(texts, tuple) else "[]"
    text: Text = [(opening, "")]
    for number, part in enumerate(parts):
        text += [(", ", ""), *part] if number else part
    return [*text, (closing, "")]


def range_of(layers: list[Any], layer_range: Any) -> tuple[int, int]:
    """From which layer to which, as indices, the range goes; both names are in it."""
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of length 2. Received: "
            f"layer_range = {layer_range} of length {len(layer_range)}"
        )
    if not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range should contain string type only. Received: {layer_range}")
    ends = [
        [index for index, layer in enumerate(layers) if re.match(name, layer.name)]
        for name in layer_range
    ]
    if not all(ends):
        raise ValueError(
            f"Passed layer_names do not match the layer names in the model. Received: {layer_range}"
        )
    lower, upper = ends
    if min(lower) > max(upper):
        lower, upper = upper, lower
    return min(lower), max(upper) + 1


def totals(model: Any) -> list[Text]:
    """How many parameters there are of each kind, and the memory they take."""
    optimizer = getattr(model, "optimizer", None)
    kinds = [
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ]
    if getattr(model, "compiled", False) and optimizer and optimizer.built:
        kinds.append(("Optimizer", optimizer.variables))
    counted = [(name, _count(variables), _bytes(variables)) for name, variables in kinds]
    everything = ("Total", sum(row[1] for row in counted), sum(row[2] for row in counted))
    return [
        [
            (f" {name} params: ", BOLD),
            *coloured(f"{count:,}", NUMBER),
            (f" ({readable(size)})", ""),
        ]
        for name, count, size in [everything, *counted]
    ]


def _count(variables: list[Any]) -> int:
    return sum(math.prod(variable.shape) for variable in variables)


def _bytes(variables: list[Any]) -> int:
    unique = {id(variable): variable for variable in variables}.values()
    return sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in unique)


def readable(size: float) -> str:
    """A number of bytes in the unit that suits it."""
    for unit in UNITS:
        if size < 1024:
            break
        size /= 1024
    return f"{size:.2f} {unit}"
