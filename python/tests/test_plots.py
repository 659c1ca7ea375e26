"""Pictures of models: what is in them, and that nothing lies on anything else."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as xml
from types import SimpleNamespace

import pytest

from oxhorn import utils
from oxhorn.utils.layered_layout import GAP, Box, Layout
from oxhorn.utils.model_graph import model_graph
from oxhorn.utils.plots import DIRECTIONS


def tensor(shape):
    return SimpleNamespace(shape=shape, dtype="float32")


class Layer:
    """A layer as far as pictures are concerned."""

    def __init__(self, name, inputs=(None, 4), outputs=(None, 4), weights=(), trainable=True):
        self.name = name
        self.weights = weights
        self.trainable = trainable
        self.input = tensor(inputs)
        self.output = tensor(outputs)


class InputLayer(Layer):
    pass


class Dense(Layer):
    def __init__(self, name, activation=None, **settings):
        super().__init__(name, weights=("kernel",), **settings)
        self.activation = activation


class Concatenate(Layer):
    @property
    def output(self):
        raise AttributeError("called several times")

    @output.setter
    def output(self, value):
        pass


class Sequential(Layer):
    built = True

    def __init__(self, name, layers):
        super().__init__(name)
        self.layers = layers


class Functional(Layer):
    """A model from its layers and what each of them is called with."""

    built = True

    def __init__(self, name, calls, inputs, outputs):
        super().__init__(name)
        self.layers = [layer for layer, _ in calls if layer.name != "add_op"]
        entries = [
            {
                "class_name": type(layer).__name__,
                "config": {"name": layer.name},
                "inbound_nodes": [self.call(*sources)] if sources else [],
            }
            for layer, sources in calls
        ]
        self.config = {"layers": entries, "input_layers": inputs, "output_layers": outputs}

    def get_config(self):
        return self.config

    @staticmethod
    def call(*sources):
        tensors = [
            {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, index]}}
            for name, index in sources
        ]
        if len(tensors) == 1:
            return {"args": tensors, "kwargs": {}}
        return {"args": [tensors[:-1]], "kwargs": {"mask": {"last": tensors[-1]}}}


def branched() -> Functional:
    """Two inputs, a tower and a model with two outputs, brought together and skipped."""
    tower = Sequential("tower", [Dense("t1"), Dense("t2"), Dense("t3")])
    deep = Functional(
        "deep",
        [(InputLayer("d0"), []), (Dense("d1"), [("d0", 0)]), (Dense("d2"), [("d0", 0)])],
        [["d0", 0, 0]],
        [["d1", 0, 0], ["d2", 0, 0]],
    )
    calls = [
        (InputLayer("a"), []),
        (InputLayer("b"), []),
        (tower, [("a", 0)]),
        (deep, [("b", 0)]),
        (Concatenate("c"), [("tower", 0), ("deep", 0), ("deep", 1), ("a", 0)]),
        (Dense("add_op"), [("c", 0)]),
    ]
    return Functional("m", calls, {"a": ["a", 0, 0], "b": ["b", 0, 0]}, ["add_op", 0, 0])


def test_edges_join_layers() -> None:
    graph = model_graph(branched(), expand_nested=False)
    assert [member.name for member in graph.members] == ["a", "b", "tower", "deep", "c", "add_op"]
    assert graph.edges == [
        ("/a", "/tower"),
        ("/b", "/deep"),
        ("/tower", "/c"),
        ("/deep", "/c"),
        ("/a", "/c"),
        ("/c", "/add_op"),
    ]


def test_edges_join_the_layers_within_models_that_are_expanded() -> None:
    graph = model_graph(branched(), expand_nested=True)
    assert graph.edges == [
        ("/a", "/tower/t1"),
        ("/b", "/deep/d0"),
        ("/tower/t3", "/c"),
        ("/deep/d1", "/c"),
        ("/deep/d2", "/c"),
        ("/a", "/c"),
        ("/c", "/add_op"),
    ]
    assert graph.members[2].edges == [("/tower/t1", "/tower/t2"), ("/tower/t2", "/tower/t3")]


def test_a_model_that_is_neither_kind_is_one_node() -> None:
    model = SimpleNamespace(name="mine", built=True)
    assert "SimpleNamespace" in utils.model_to_dot(model).to_string()
    assert utils.model_to_dot(model).source.count("->") == 0


def svg(model, path, **settings) -> xml.Element:
    utils.plot_model(model, path, **settings)
    return xml.parse(path).getroot()


def find(root, tag):
    return root.findall(f"{{http://www.w3.org/2000/svg}}{tag}")


def texts(root) -> list[str]:
    return [element.text for element in find(root, "text")]


def rectangles(root, fill):
    found = [r for r in find(root, "rect") if r.get("fill") == fill and r.get("x")]
    return [tuple(float(r.get(n)) for n in ("x", "y", "width", "height")) for r in found]


def test_pictures_hold_classes_and_arrows(tmp_path) -> None:
    root = svg(branched(), tmp_path / "m.svg")
    assert texts(root) == ["InputLayer"] * 2 + ["Sequential", "Functional", "Concatenate", "Dense"]
    assert len([p for p in find(root, "path") if p.get("marker-end")]) == 6


def test_pictures_show_what_is_asked_for(tmp_path) -> None:
    names = ["show_shapes", "show_dtype", "show_layer_names", "show_layer_activations"]
    settings = dict.fromkeys([*names, "show_trainable"], True)
    act = SimpleNamespace(name="a<b>&c")
    layers = [Dense("first", activation=act), Dense("second", activation=max, trainable=False)]
    layers += [Layer("third", outputs={"x": (None, 2), "y": (3,)}), Concatenate("fourth")]
    root = svg(Sequential("s", layers), tmp_path / "m.svg", **settings)
    shapes = ["Input shape: (None, 4)", "Output shape: (None, 4)", "Output dtype: float32"]
    assert texts(root)[:6] == ["first (Dense)", "Activation: a<b>&c", *shapes, "Trainable"]
    assert texts(root)[6:12] == ["second (Dense)", "Activation: max", *shapes, "Non-trainable"]
    assert texts(root)[12] == "third (Layer)"
    unknown = ["Input shape: ?", "Output shape: ?", "Output dtype: ?"]
    assert texts(root)[-4:] == ["fourth (Concatenate)", *unknown]


def test_layers_of_inputs_have_no_input_shape(tmp_path) -> None:
    root = svg(Sequential("s", [InputLayer("i")]), tmp_path / "m.svg", show_shapes=True)
    assert texts(root) == ["InputLayer", "Output shape: (None, 4)"]


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("splines", ["ortho", "curved", "line"])
def test_boxes_lie_within_the_picture_and_beside_each_other(
    tmp_path, rankdir, expand, splines
) -> None:
    settings = {"rankdir": rankdir, "expand_nested": expand, "splines": splines}
    root = svg(branched(), tmp_path / "m.svg", show_layer_names=True, **settings)
    boxes = rectangles(root, "black")
    assert len(boxes) == (10 if expand else 6)
    width, height = (float(root.get(n).removesuffix("pt")) for n in ("width", "height"))
    for index, (x, y, w, h) in enumerate(boxes):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for x1, y1, w1, h1 in boxes[:index]:
            assert x1 + w1 <= x or x + w <= x1 or y1 + h1 <= y or y + h <= y1
    clusters = rectangles(root, "none")
    assert len(clusters) == (2 if expand else 0)
    # The boxes of the tower and of the other model lie in the dashed ones.
    inside = [
        sum(
            x <= bx and y <= by and bx + bw <= x + w and by + bh <= y + h
            for bx, by, bw, bh in boxes
        )
        for x, y, w, h in clusters
    ]
    assert sorted(inside) == ([3, 3] if expand else [])


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_arrows_point_in_the_direction_and_touch_no_other_box(tmp_path, rankdir) -> None:
    root = svg(branched(), tmp_path / "m.svg", rankdir=rankdir)
    boxes = rectangles(root, "black")
    axis, sign = {"TB": (1, 1), "BT": (1, -1), "LR": (0, 1), "RL": (0, -1)}[rankdir]
    for path in [p for p in find(root, "path") if p.get("marker-end")]:
        points = [tuple(map(float, p.split())) for p in re.split("[ML]", path.get("d"))[1:]]
        assert (points[-1][axis] - points[0][axis]) * sign > 0
        assert (points[-1][axis] - points[-2][axis]) * sign > 0
        for (x, y), (x1, y1) in zip(points, points[1:], strict=False):
            middle = (x + x1) / 2, (y + y1) / 2
            for bx, by, bw, bh in boxes:
                assert not (bx < middle[0] < bx + bw and by < middle[1] < by + bh)


def test_layouts_of_nothing_and_of_one_box() -> None:
    assert (Layout([], []).across, Layout([], []).along) == (0.0, 0.0)
    layout = Layout([Box("a", 10, 4)], [("a", "a")])
    assert (layout.across, layout.along) == (10 + GAP, 4)
    assert (layout.boxes["a"].x, layout.boxes["a"].y) == (5, 2)


def test_layers_that_are_called_again_have_arrows_that_go_back(tmp_path) -> None:
    calls = [(InputLayer("i"), []), (Dense("a"), [("i", 0)]), (Dense("b"), [("a", 0)])]
    model = Functional("m", calls, [["i", 0, 0]], [["a", 2, 0]])
    entry = model.config["layers"][1]
    entry["inbound_nodes"] += [model.call(("b", 0)), model.call(("a", 1))]
    root = svg(model, tmp_path / "m.svg")
    paths = [p.get("d") for p in find(root, "path") if p.get("marker-end")]
    assert len(paths) == 4
    boxes = rectangles(root, "black")
    right = max(x + w for x, _, w, _ in boxes)
    beside = [
        p for p in paths if max(float(xy.split()[0]) for xy in re.split("[ML]", p)[1:]) > right
    ]
    assert len(beside) == 2
    assert max(x + w for x, _, w, _ in boxes) < float(root.get("width").removesuffix("pt"))


def test_layouts_of_long_chains_end_soon() -> None:
    boxes = [Box(str(n), 10, 10) for n in range(500)]
    layout = Layout(boxes, [(str(n), str(n + 1)) for n in reversed(range(499))] + [("0", "499")])
    ys = [box.y for box in boxes]
    assert ys == sorted(ys)
    assert len(layout.bends["0", "499"]) == 2 * 498


def test_layouts_untangle_crossed_lines() -> None:
    keys = "abcdef"
    boxes = [Box(key, 10, 10) for key in keys]
    layout = Layout(boxes, [("a", "f"), ("b", "e"), ("c", "d")])
    above = [layout.boxes[k].x for k in "abc"]
    below = [layout.boxes[k].x for k in "fed"]
    assert [sorted(above).index(x) for x in above] == [sorted(below).index(x) for x in below]
    assert abs(above[0] - above[1]) >= 10 + GAP


def test_the_text_for_graphviz_holds_nodes_clusters_and_edges(tmp_path) -> None:
    dot = utils.model_to_dot(branched(), expand_nested=True, rankdir="LR", dpi=70, splines="line")
    text = str(dot)
    assert text.startswith("digraph G {\nrankdir=LR;\nconcentrate=True;\ndpi=70;\nsplines=line;")
    assert text.count("subgraph") == 2
    assert text.count("->") == 7 + 2 + 2
    assert text.count("{") == text.count("}")
    assert "<b>a (InputLayer)</b>" in text
    utils.plot_model(branched(), tmp_path / "m.dot", expand_nested=True)
    assert (tmp_path / "m.dot").read_text().count("->") == 11
    assert utils.model_to_dot(branched(), subgraph=True).source.startswith("subgraph")


def test_what_cannot_be_drawn_is_refused(tmp_path) -> None:
    model = branched()
    with pytest.raises(ValueError, match="Unrecognized keyword arguments: {'show_layers': True}"):
        utils.plot_model(model, tmp_path / "m.svg", show_layers=True)
    with pytest.raises(ValueError, match="`layer_range` is no longer supported"):
        utils.model_to_dot(model, layer_range=["a", "b"])
    with pytest.raises(ValueError, match="rankdir=UP"):
        utils.plot_model(model, tmp_path / "m.svg", rankdir="UP")
    with pytest.raises(ValueError, match="splines=zigzag"):
        utils.plot_model(model, tmp_path / "m.svg", splines="zigzag")
    model.built = False
    with pytest.raises(ValueError, match="This model has not yet been built"):
        utils.plot_model(model, tmp_path / "m.svg")


def test_pictures_of_dots_need_matplotlib(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs Matplotlib to draw `.png` .* `.svg`"):
        utils.plot_model(branched(), tmp_path / "m.png")


@pytest.mark.parametrize("name", ["m.png", "m.pdf", "m"])
def test_pictures_of_dots_are_drawn_by_matplotlib(tmp_path, name) -> None:
    pytest.importorskip("matplotlib")
    utils.plot_model(branched(), tmp_path / name, show_shapes=True, dpi=50)
    head = (tmp_path / name).read_bytes()[:8]
    assert head.startswith(b"%PDF" if name == "m.pdf" else b"\x89PNG")
