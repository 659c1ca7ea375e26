"""`Dot`: a model as text in the DOT language of Graphviz."""

from __future__ import annotations

import os

from oxhorn.utils.layer_labels import Label, Shown
from oxhorn.utils.model_graph import ModelGraph

TITLE, BODY = 16, 14


class Dot:
    """The text; `print` it, or write it for Graphviz to draw."""

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


def members_text(graph: ModelGraph, shown: Shown) -> list[str]:
    lines = []
    for member in graph.members:
        if isinstance(member, ModelGraph):
            lines += cluster_text(member, shown)
        else:
            label = _label_text(Label(member, shown))
            look = "fontname=Helvetica, border=0, margin=0"
            lines.append(f"{_quoted(member.key)} [label={label}, {look}];")
    edges = [f"{_quoted(s)} -> {_quoted(t)} [penwidth=2];" for s, t in graph.edges]
    return lines + edges


def cluster_text(graph: ModelGraph, shown: Shown) -> list[str]:
    name = _quoted(f"cluster_{graph.key or graph.name}")
    look = f"style=dashed; label={_quoted(graph.name)}; labeljust=l;"
    return [f"subgraph {name} {{", look, *members_text(graph, shown), "}"]


def _label_text(label: Label) -> str:
    columns = max(1, len(label.cells))
    rows = _cell_text(f"<b>{_html(label.title)}</b>", "black", columns, TITLE)
    if label.activation is not None:
        activation = f"Activation: <b>{_html(label.activation)}</b>"
        rows += _cell_text(activation, "white", columns, BODY)
    if label.cells:
        cells = [f"{caption}<b>{_html(value)}</b>" for caption, value, _ in label.cells]
        fills = [fill for _, _, fill in label.cells]
        row = "".join(_cell_text(c, fill, 1, BODY) for c, fill in zip(cells, fills))
        rows += row.replace("</tr><tr>", "")
    return f'<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">{rows}</table>>'


def _cell_text(content: str, fill: str, columns: int, size: int) -> str:
    colour = "black" if fill == "white" else "white"
    font = f'<font point-size="{size}" color="{colour}">{content}</font>'
    return f'<tr><td colspan="{columns}" bgcolor="{fill}">{font}</td></tr>'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
