"""`plot_model` and `model_to_dot`: pictures of a model's layers."""

from __future__ import annotations

import os
import sys
from typing import Any

from oxhorn.utils.dot_text import Dot, cluster_text, members_text
from oxhorn.utils.layer_labels import Shown
from oxhorn.utils.model_graph import model_graph
from oxhorn.utils.model_picture import draw
from oxhorn.utils.pictures import Picture

DIRECTIONS = ("TB", "BT", "LR", "RL")
SPLINES = {
    **{"ortho": "ortho", "line": "line", "polyline": "line", "false": "line"},
    **{"curved": "curve", "spline": "curve", "true": "curve"},
}


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
        return Dot("\n".join(cluster_text(graph, shown)) + "\n")
    lines = ["digraph G {", f"rankdir={rankdir};", "concentrate=True;", f"dpi={dpi};"]
    lines += [f"splines={splines};", "node [shape=record];"]
    lines += [*members_text(graph, shown), "}"]
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
    picture = draw(graph, Shown(**shown), rankdir, SPLINES[str(splines).lower()])
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
