"""`plot_model` and `model_to_dot`: pictures of a model's layers."""

from __future__ import annotations

import math
import os
import sys
from typing import Any

from oxhorn import tree
from oxhorn.utils.layered_layout import Box, Layout
from oxhorn.utils.model_graph import ModelGraph, Node, model_graph
from oxhorn.utils.pictures import Picture, Point, text_width

DIRECTIONS = ("TB", "BT", "LR", "RL")
SPLINES = {
    **{"ortho": "ortho", "line": "line", "polyline": "line", "false": "line"},
    **{"curved": "curve", "spline": "curve", "true": "curve"},
}
TITLE, BODY, PADDING = 16.0, 14.0, 10.0
CLUSTER_PADDING, CURVE_STEPS = 18.0, 16


class Dot:
    """A graph as text in the DOT language of Graphviz."""

    def __init__(self, source: str) -> None:
        self.source = source

    def to_string(self) -> str:
        return self.source

    def __str__(self) -> str:
        return self.source

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the text into a file, which Graphviz can draw."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.source)


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
            self.cells.append(("Output dtype: ", str(_tensors(layer, "output", "dtype") or "?"), "white"))
        if shown.trainable and hasattr(layer, "trainable") and layer.weights:
            if layer.trainable:
                self.cells.append(("", "Trainable", "forestgreen"))
            else:
                self.cells.append(("", "Non-trainable", "firebrick"))


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Dot:
    """The model as a graph in the DOT language; `print` it, or write it for Graphviz to draw.

    Args:
        model: the model, which must be built.
        show_shapes: whether the shapes of inputs and outputs are shown.
        show_dtype: whether the types of outputs are shown.
        show_layer_names: whether layers are shown by their names, or by their classes alone.
        rankdir: direction of arrows: `"TB"`, `"BT"`, `"LR"` or `"RL"`.
        expand_nested: whether models among the layers are shown as clusters of their layers.
        dpi: dots per inch, where pictures have dots.
        subgraph: whether the result is a cluster, to be put into another graph.
        show_layer_activations: whether the names of activations are shown.
        show_trainable: whether it is shown which layers are trained.
        splines: form of arrows, as Graphviz calls them.
    """
    _check(model, rankdir, kwargs)
    shown = Shown(
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
    )
    graph = model_graph(model, expand_nested)
    if subgraph:
        return Dot("\n".join(_dot_cluster(graph, shown)) + "\n")
    lines = ["digraph G {", f"rankdir={rankdir};", "concentrate=True;", f"dpi={dpi};"]
    lines += [f"splines={splines};", "node [shape=record];"]
    lines += [*_dot_members(graph, shown), "}"]
    return Dot("\n".join(lines) + "\n")


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draws the model's layers into a file, and shows it where a notebook runs.

    Files that end in `.svg` are drawn by Oxhorn itself, those in `.dot` hold the graph in the
    language of Graphviz, and pictures of dots such as `.png` need Matplotlib.

    Args:
        model: the model, which must be built.
        to_file: where to draw.
        show_shapes: whether the shapes of inputs and outputs are shown.
        show_dtype: whether the types of outputs are shown.
        show_layer_names: whether layers are shown by their names, or by their classes alone.
        rankdir: direction of arrows: `"TB"`, `"BT"`, `"LR"` or `"RL"`.
        expand_nested: whether models among the layers are shown as clusters of their layers.
        dpi: dots per inch, where pictures have dots.
        show_layer_activations: whether the names of activations are shown.
        show_trainable: whether it is shown which layers are trained.
        splines: form of arrows: `"ortho"`, `"polyline"` or `"curved"`.
    """
    _check(model, rankdir, kwargs)
    if str(splines).lower() not in SPLINES:
        raise ValueError(f"`splines` must be one of {tuple(SPLINES)}. Received: splines={splines}")
    shown = {
        "show_shapes": show_shapes,
        "show_dtype": show_dtype,
        "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations,
        "show_trainable": show_trainable,
    }
    path = os.fspath(to_file)
    kind = os.path.splitext(path)[1].removeprefix(".").lower() or "png"
    if kind in ("dot", "gv"):
        settings = {"rankdir": rankdir, "expand_nested": expand_nested, "dpi": dpi}
        model_to_dot(model, **shown, **settings, splines=splines).write(path)
        return None
    graph = model_graph(model, expand_nested)
    picture = _draw(graph, Shown(**shown), rankdir, SPLINES[str(splines).lower()])
    _save(picture, path, kind, dpi)
    return _display(path, kind)


def _check(model: Any, rankdir: str, kwargs: dict[str, Any]) -> None:
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by "
            "calling the model on a batch of data."
        )
    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("Argument `layer_range` is no longer supported.")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"`rankdir` must be one of {DIRECTIONS}. Received: rankdir={rankdir}")


def _save(picture: Picture, path: str, kind: str, dpi: int) -> None:
    if kind == "svg":
        with open(path, "w", encoding="utf-8") as file:
            file.write(picture.to_svg())
        return
    try:
        picture.save_with_matplotlib(path, kind, dpi)
    except ImportError as error:
        raise ImportError(
            f"`plot_model` needs Matplotlib to draw `.{kind}` files. Received: to_file={path}. "
            "Pass a name that ends in `.svg`, which needs nothing, or install `matplotlib`."
        ) from error


def _display(path: str, kind: str) -> Any:
    if "IPython" not in sys.modules or kind not in ("svg", "png", "jpg", "jpeg"):
        return None
    from IPython import display

    return display.SVG(filename=path) if kind == "svg" else display.Image(filename=path)


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


# The text.


def _dot_members(graph: ModelGraph, shown: Shown) -> list[str]:
    lines = []
    for member in graph.members:
        if isinstance(member, ModelGraph):
            lines += _dot_cluster(member, shown)
        else:
            label = _dot_label(Label(member, shown))
            look = "fontname=Helvetica, border=0, margin=0"
            lines.append(f"{_quoted(member.key)} [label={label}, {look}];")
    edges = [f"{_quoted(s)} -> {_quoted(t)} [penwidth=2];" for s, t in graph.edges]
    return lines + edges


def _dot_cluster(graph: ModelGraph, shown: Shown) -> list[str]:
    name = _quoted(f"cluster_{graph.key or graph.name}")
    look = f"style=dashed; label={_quoted(graph.name)}; labeljust=l;"
    return [f"subgraph {name} {{", look, *_dot_members(graph, shown), "}"]


def _dot_label(label: Label) -> str:
    columns = max(1, len(label.cells))
    rows = _dot_cell(f"<b>{_html(label.title)}</b>", "black", columns, TITLE)
    if label.activation is not None:
        activation = f"Activation: <b>{_html(label.activation)}</b>"
        rows += _dot_cell(activation, "white", columns, BODY)
    if label.cells:
        cells = [f"{caption}<b>{_html(value)}</b>" for caption, value, _ in label.cells]
        fills = [fill for _, _, fill in label.cells]
        row = "".join(_dot_cell(c, fill, 1, BODY) for c, fill in zip(cells, fills))
        rows += row.replace("</tr><tr>", "")
    return f'<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">{rows}</table>>'


def _dot_cell(content: str, fill: str, columns: int, size: float) -> str:
    colour = "black" if fill == "white" else "white"
    font = f'<font point-size="{size:.0f}" color="{colour}">{content}</font>'
    return f'<tr><td colspan="{columns}" bgcolor="{fill}">{font}</td></tr>'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# The picture.


class Panel:
    """A box with the words of a layer."""

    def __init__(self, label: Label) -> None:
        self.label = label
        self.height = TITLE + 2 * PADDING
        if label.activation is not None:
            self.height += BODY + 2 * PADDING
        if label.cells:
            self.height += BODY + 2 * PADDING
        texts = [caption + value for caption, value, _ in label.cells]
        self.cell_widths = [text_width(t, BODY) + 2 * PADDING for t in texts]
        below = text_width(f"Activation: {label.activation}", BODY) if label.activation else 0.0
        widest = max(text_width(label.title, TITLE), below) + 2 * PADDING
        self.width = max(widest, sum(self.cell_widths))
        # Cells share what is left of a wider title.
        rest = self.width - sum(self.cell_widths)
        self.cell_widths = [width + rest / len(texts) for width in self.cell_widths]

    def draw(self, picture: Picture, left: float, top: float) -> None:
        middle, height = left + self.width / 2, TITLE + 2 * PADDING
        picture.rectangle(left, top, self.width, height, "black")
        picture.text(middle, top + height / 2, self.label.title, TITLE, "white", "bold")
        top, height = top + height, BODY + 2 * PADDING
        if self.label.activation is not None:
            picture.rectangle(left, top, self.width, height, "white")
            text = f"Activation: {self.label.activation}"
            picture.text(middle, top + height / 2, text, BODY, "black", "normal")
            top += height
        for (caption, value, fill), width in zip(self.label.cells, self.cell_widths):
            picture.rectangle(left, top, width, height, fill)
            colour = "black" if fill == "white" else "white"
            x, y = left + width / 2, top + height / 2
            picture.text(x, y, caption + value, BODY, colour, "normal")
            left += width


class Plan:
    """Where the members of a graph lie, seen as if all arrows pointed down."""

    def __init__(self, graph: ModelGraph, shown: Shown, sideways: bool) -> None:
        self.graph = graph
        self.panels: dict[str, Panel] = {}
        self.plans: dict[str, Plan] = {}
        boxes = []
        for member in graph.members:
            if isinstance(member, ModelGraph):
                plan = self.plans[member.key] = Plan(member, shown, sideways)
                across, along = plan.across, plan.along
            else:
                panel = self.panels[member.key] = Panel(Label(member, shown))
                across, along = panel.width, panel.height
                if sideways:
                    across, along = along, across
            boxes.append(Box(member.key, across, along))
        edges = [(self._member(s), self._member(t)) for s, t in graph.edges]
        self.layout = Layout(boxes, edges)
        self.padding = CLUSTER_PADDING if graph.key else 0.0
        self.across = self.layout.across + 2 * self.padding
        self.along = self.layout.along + 2 * self.padding

    def _member(self, key: str) -> str:
        """The member of this graph in which the node of that key lies."""
        if key in self.panels:
            return key
        return next(inner for inner in self.plans if key.startswith(f"{inner}/"))

    def nodes(self, across: float = 0.0, along: float = 0.0) -> dict[str, tuple[Point, Panel]]:
        """The centres of all nodes, also of those in clusters, and what is drawn there."""
        across, along = across + self.padding, along + self.padding
        found = {}
        for key, panel in self.panels.items():
            box = self.layout.boxes[key]
            found[key] = ((across + box.x, along + box.y), panel)
        for key, plan in self.plans.items():
            box = self.layout.boxes[key]
            left, top = across + box.x - plan.across / 2, along + box.y - plan.along / 2
            found.update(plan.nodes(left, top))
        return found

    def clusters(self, across: float = 0.0, along: float = 0.0) -> list[tuple[float, float, Plan]]:
        """The corners of all graphs within this one."""
        across, along = across + self.padding, along + self.padding
        found = []
        for key, plan in self.plans.items():
            box = self.layout.boxes[key]
            left, top = across + box.x - plan.across / 2, along + box.y - plan.along / 2
            found += [(left, top, plan), *plan.clusters(left, top)]
        return found

    def arrows(
        self, across: float = 0.0, along: float = 0.0
    ) -> list[tuple[tuple[str, str], list[Point]]]:
        """The keys at both ends of all arrows, and the points between."""
        nodes = self.nodes(across, along)
        own_across, own_along = across + self.padding, along + self.padding
        found = []
        for source, target in self.graph.edges:
            edge = self._member(source), self._member(target)
            points = [(own_across + x, own_along + y) for x, y in self.layout.bends[edge]]
            leave = nodes[source][0][0], own_along + self.layout.leaves[edge]
            arrive = nodes[target][0][0], own_along + self.layout.arrives[edge]
            found.append(((source, target), [leave, *points, arrive]))
        for left, top, plan in self.clusters(across, along):
            if plan in self.plans.values():
                found += plan.arrows(left, top)
        return found


def _draw(graph: ModelGraph, shown: Shown, rankdir: str, style: str) -> Picture:
    sideways = rankdir in ("LR", "RL")
    plan = Plan(graph, shown, sideways)

    def turned(x: float, y: float) -> Point:
        y = plan.along - y if rankdir in ("BT", "RL") else y
        return (y, x) if sideways else (x, y)

    picture = Picture(*((plan.along, plan.across) if sideways else (plan.across, plan.along)))
    for left, top, inner in plan.clusters():
        (x, y), (x1, y1) = turned(left, top), turned(left + inner.across, top + inner.along)
        x, y, x1, y1 = min(x, x1), min(y, y1), max(x, x1), max(y, y1)
        picture.rectangle(x, y, x1 - x, y1 - y, "none", "dashed")
        name = inner.graph.name
        picture.text(x + text_width(name, 12) / 2 + 6, y + 10, name, 12, "black", "normal")
    nodes = plan.nodes()
    for (source, target), bends in plan.arrows():
        (x, y), panel = nodes[source]
        (x1, y1), panel1 = nodes[target]
        half = (panel.width if sideways else panel.height) / 2
        half1 = (panel1.width if sideways else panel1.height) / 2
        points = _route([(x, y + half), *bends, (x1, y1 - half1)], style)
        picture.arrow([turned(*point) for point in points])
    for (x, y), panel in nodes.values():
        x, y = turned(x, y)
        panel.draw(picture, x - panel.width / 2, y - panel.height / 2)
    return picture


def _route(points: list[Point], style: str) -> list[Point]:
    """The points between which an arrow in the given style is made of straight lines."""
    if style == "line":
        return points
    routed = [points[0]]
    for (x, y), (x1, y1) in zip(points[:-1], points[1:]):
        if style == "curve":
            # A cosine leaves one rank and reaches the next at right angles.
            steps = [step / CURVE_STEPS for step in range(1, CURVE_STEPS)]
            bent = [(1 - math.cos(math.pi * t)) / 2 for t in steps]
            routed += [(x + (x1 - x) * b, y + (y1 - y) * t) for b, t in zip(bent, steps)]
        elif abs(x - x1) > 0.5:
            routed += [(x, (y + y1) / 2), (x1, (y + y1) / 2)]
        routed.append((x1, y1))
    return routed
