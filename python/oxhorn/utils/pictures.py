"""`Picture`: rectangles, texts and arrows, drawn as SVG or by Matplotlib."""

from __future__ import annotations

from typing import Any

Point = tuple[float, float]

FONT = "Helvetica, Arial, sans-serif"
MARGIN = 12.0


class Picture:
    """Shapes in points of 1/72 inch, `y` pointing down, drawn in the order of their adding."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width + 2 * MARGIN
        self.height = height + 2 * MARGIN
        self._shapes: list[tuple[str, Any]] = []

    def rectangle(
        self, x: float, y: float, width: float, height: float, fill: str, style: str = "solid"
    ) -> None:
        """A rectangle by its left upper corner; the style of its line is solid or dashed."""
        place = (x + MARGIN, y + MARGIN, width, height)
        self._shapes.append(("rectangle", (place, fill, style)))

    def text(self, x: float, y: float, text: str, size: float, colour: str, weight: str) -> None:
        """A text by the middle of its line."""
        self._shapes.append(("text", (x + MARGIN, y + MARGIN, text, size, colour, weight)))

    def arrow(self, points: list[Point]) -> None:
        """An arrow of straight lines through points."""
        # The head points along the last line, which must have a length.
        kept = points[:1]
        for x, y in points[1:]:
            if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) > 0.1:
                kept.append((x, y))
        self._shapes.append(("arrow", ([(x + MARGIN, y + MARGIN) for x, y in kept],)))

    def to_svg(self) -> str:
        """The picture as the text of an SVG file."""
        width, height = _short(self.width), _short(self.height)
        size = f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">',
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" '
            'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
            '<path d="M0 0L10 5L0 10z"/></marker></defs>',
            '<rect width="100%" height="100%" fill="white"/>',
        ]
        writers = {"rectangle": _svg_rectangle, "text": _svg_text, "arrow": _svg_arrow}
        lines.extend(writers[kind](*shape) for kind, shape in self._shapes)
        return "\n".join([*lines, "</svg>\n"])

    def save_with_matplotlib(self, path: str, kind: str, dpi: float) -> None:
        """Writes the picture in a format of Matplotlib's, such as `"png"`."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(self.width / 72, self.height / 72))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        axes.axis("off")
        drawers = {"rectangle": _draw_rectangle, "text": _draw_text, "arrow": _draw_arrow}
        for kind_of_shape, shape in self._shapes:
            drawers[kind_of_shape](axes, *shape)
        figure.savefig(path, format=kind, dpi=dpi)


def text_width(text: str, size: float) -> float:
    """About how wide a text is, as its letters are about six tenths as wide as high."""
    return 0.62 * size * len(text)


def _svg_rectangle(place: tuple[float, ...], fill: str, style: str) -> str:
    x, y, width, height = map(_short, place)
    dashes = ' stroke-dasharray="6 4"' if style == "dashed" else ""
    size = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return f'<rect {size} fill="{fill}" stroke="black"{dashes}/>'


def _svg_text(x: float, y: float, text: str, size: float, colour: str, weight: str) -> str:
    # A third of the size lowers the base line such that letters stand in the middle.
    place = f'x="{_short(x)}" y="{_short(y + size / 3)}" text-anchor="middle"'
    look = f'font-size="{_short(size)}" fill="{colour}" font-weight="{weight}"'
    return f"<text {place} {look}>{_escaped(text)}</text>"


def _svg_arrow(points: list[Point]) -> str:
    path = "L".join(f"{_short(x)} {_short(y)}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="black" marker-end="url(#head)"/>'


def _draw_rectangle(axes: Any, place: tuple[float, ...], fill: str, style: str) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = place
    face = "none" if fill == "none" else fill
    axes.add_patch(Rectangle((x, y), width, height, facecolor=face, edgecolor="black", ls=style))


def _draw_text(
    axes: Any, x: float, y: float, text: str, size: float, colour: str, weight: str
) -> None:
    # A dollar sign would begin a formula.
    text = text.replace("$", r"\$")
    axes.text(x, y, text, size=size, color=colour, weight=weight, ha="center", va="center")


def _draw_arrow(axes: Any, points: list[Point]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    path = Path(points)
    head = {"arrowstyle": "-|>", "mutation_scale": 11, "color": "black"}
    axes.add_patch(FancyArrowPatch(path=path, shrinkA=0, shrinkB=0, **head))


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
