"""`Label`: what is said of a layer in a picture of its model."""

from __future__ import annotations

from typing import Any

from oxhorn import tree
from oxhorn.utils.model_graph import Node


class Shown:
    """What is shown of every layer, by Keras' names of the settings."""

    def __init__(self, **settings: bool) -> None:
        self.shapes = settings["show_shapes"]
        self.dtype = settings["show_dtype"]
        self.names = settings["show_layer_names"]
        self.activations = settings["show_layer_activations"]
        self.trainable = settings["show_trainable"]


class Label:
    """The words in a box: a title, a line below it, and cells of caption, value and colour."""

    def __init__(self, node: Node, shown: Shown) -> None:
        layer = node.layer
        self.title = f"{node.name} ({node.class_name})" if shown.names else node.class_name
        activation = getattr(layer, "activation", None)
        self.activation = None
        if shown.activations and activation is not None:
            name = getattr(activation, "name", None) or getattr(activation, "__name__", None)
            self.activation = str(name or activation)
        self.cells: list[tuple[str, str, str]] = []
        if shown.shapes:
            inputs = _tensors(layer, "input", "shape")
            outputs = _tensors(layer, "output", "shape")
            # An output without input, or the other way round, says that calls differ.
            inputs, outputs = (None, None) if None in (inputs, outputs) else (inputs, outputs)
            if node.class_name != "InputLayer":
                self.cells.append(("Input shape: ", _shape_text(inputs), "white"))
            self.cells.append(("Output shape: ", _shape_text(outputs), "white"))
        if shown.dtype:
            self.cells.append(
                ("Output dtype: ", str(_tensors(layer, "output", "dtype") or "?"), "white")
            )
        if shown.trainable and hasattr(layer, "trainable") and layer.weights:
            if layer.trainable:
                self.cells.append(("", "Trainable", "forestgreen"))
            else:
                self.cells.append(("", "Non-trainable", "firebrick"))


def _tensors(layer: Any, which: str, attribute: str) -> Any:
    """An attribute of the tensors at one end of a layer, `None` where they are not known."""
    try:
        return tree.map_structure(lambda x: getattr(x, attribute), getattr(layer, which))
    except (AttributeError, ValueError):
        return None


def _shape_text(shape: Any) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, dict):
        return ", ".join(f"{name}: {extents}" for name, extents in shape.items())
    return str(shape)
