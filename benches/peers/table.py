"""The table: what was measured, beside the bar, as text and as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from child import Turns

HEADINGS = ["work", "of", "median", "best", "ratio of medians", "of bests", "bar"]


class Row(NamedTuple):
    """A line of the table."""

    work: str
    of: str
    median: str
    best: str
    ratio: str = ""
    ratio_of_bests: str = ""
    bar: str = ""


def duration(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    for unit, size in [("s", 1), ("ms", 1e-3)]:
        if seconds >= size:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds * 1e6)} µs"


def mebibytes(size: float) -> str:
    """Memory, as whole processes need it."""
    return f"{size:,.0f} MiB"


def digits(number: float) -> str:
    """Three digits, or more before the point."""
    for places, size in [(0, 100), (1, 10)]:
        if number >= size:
            return f"{number:,.{places}f}"
    return f"{number:.2f}"


def times(
    work: str,
    of: str,
    turns: Turns,
    against: Turns | None = None,
    bar: str = "",
    show: Callable[[float], str] = duration,
) -> Row:
    """How long something takes, and how many times as long as what it is measured against."""
    row = Row(work, of, show(turns.median), show(turns.best), bar=bar)
    if against is None:
        return row
    ratios = turns.median / against.median, turns.best / against.best
    return row._replace(ratio=f"{digits(ratios[0])} ×", ratio_of_bests=f"{digits(ratios[1])} ×")


def share(work: str, of: str, limit: Turns, turns: Turns, bar: str) -> Row:
    """How much of what something takes is what it must take."""
    parts = limit.median / turns.median, limit.best / turns.best
    row = Row(work, of, duration(limit.median), duration(limit.best), bar=bar)
    return row._replace(ratio=f"{parts[0]:.0%}", ratio_of_bests=f"{parts[1]:.0%}")


def text(rows: list[Row]) -> str:
    """Columns for a terminal."""
    lines = [HEADINGS, *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]

    def cell(i: int, content: str) -> str:
        numbers = 2 <= i <= 5
        return content.rjust(widths[i]) if numbers else content.ljust(widths[i])

    return "\n".join("  ".join(map(cell, range(len(line)), line)).rstrip() for line in lines)


def markdown(rows: list[Row]) -> str:
    """The same for a page."""
    rule = ["---", "---", "--:", "--:", "--:", "--:", "---"]
    lines = [HEADINGS, rule, *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
