"""`draw`: the picture of a model, a box for every layer and an arrow for every connection."""

from __future__ import annotations

import math

from oxhorn.utils.layer_labels import Label, Shown
from oxhorn.utils.layered_layout import Box, Layout
from oxhorn.utils.model_graph import ModelGraph
from oxhorn.utils.pictures import Picture, Point, text_width

TITLE, BODY, PADDING = 16.0, 14.0, 10.0
CLUSTER_PADDING, CURVE_STEPS = 18.0, 16


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


def draw(graph: ModelGraph, shown: Shown, rankdir: str, style: str) -> Picture:
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
