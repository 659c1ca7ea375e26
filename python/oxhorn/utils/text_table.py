"""Tables of box-drawing characters, with cells that wrap, as Keras' summaries have them.

A text is a list of runs `(text, style)`; styles matter only where colours are shown. Widths,
line breaks and ellipses follow what the library `rich` does, so that tables look as in Keras.
"""

from __future__ import annotations

import math
import re
import unicodedata

Text = list[tuple[str, str]]
# A character and its style.
Characters = list[tuple[str, str]]

PLAIN, BOLD = "", "1"
SHADE = "38;5;{}"
FOLD, ELLIPSIS = "fold", "ellipsis"
TOP, BOTTOM = "top", "bottom"


def coloured(text: object, number: int, bold: str = PLAIN) -> Text:
    """A text in one of the terminal's 256 colours."""
    shade = SHADE.format(number)
    return [(str(text), f"{bold};{shade}" if bold else shade)]


class Column:
    """A column: what stands above it, how its cells are aligned, and how wide they should be."""

    def __init__(self, header: str, alignment: str, width: int) -> None:
        self.header = header
        self.alignment = alignment
        self.width = width


class Table:
    """Rows of cells under a header, all within one width.

    Args:
        columns: the columns; their widths are brought to what fits.
        width: the width of the whole table.
    """

    def __init__(self, columns: list[Column], width: int) -> None:
        self.columns = columns
        self.rows: list[list[Text]] = []
        # Every column has a border to its left, and the table one at its right.
        self.widths = fitted([column.width + 2 for column in columns], width - len(columns) - 1)

    def lines(self) -> list[Characters]:
        """The table, line by line."""
        header: list[Text] = [[(column.header, BOLD)] for column in self.columns]
        lines = [self._rule("┏━┳┓"), *self._row(header, "┃", BOTTOM), self._rule("┡━╇┩")]
        for number, row in enumerate(self.rows):
            if number:
                lines.append(self._rule("├─┼┤"))
            lines.extend(self._row(row, "│", TOP))
        return [*lines, self._rule("└─┴┘")]

    def _rule(self, parts: str) -> Characters:
        left, line, crossing, right = parts
        return plain(left + crossing.join(line * width for width in self.widths) + right)

    def _row(self, texts: list[Text], border: str, side: str) -> list[Characters]:
        """The lines of a row, whose lower cells are filled up from the other side."""
        blocks = [
            aligned(text, max(width - 2, 0), column.alignment)
            for text, width, column in zip(texts, self.widths, self.columns)
        ]
        height = max(map(len, blocks))
        for block, width in zip(blocks, self.widths):
            blank = [plain(" " * max(width - 2, 0))] * (height - len(block))
            block[:] = [*block, *blank] if side == TOP else [*blank, *block]
        lines = []
        for parts in zip(*blocks):
            line = plain(border)
            for part in parts:
                line += plain(" ") + part + plain(f" {border}")
            lines.append(line)
        return lines


def fitted(widths: list[int], available: int) -> list[int]:
    """The widths of columns, all made smaller, or larger, so that together they are `available`."""
    widths = [min(width, available) for width in widths]
    excess = sum(widths) - available
    if excess > 0:
        fits = []
        for number, width in enumerate(widths):
            # What is left is shared by those that are left; a half goes to the even number.
            share = min(width, round(excess / (len(widths) - number)))
            fits.append(width - share)
            excess -= share
        return fits
    missing, total = -excess, sum(widths)
    fits = []
    for width in widths:
        share = math.ceil(width * missing / total) if total else missing
        fits.append(width + share)
        missing, total = missing - share, total - width
    return fits


def plain(text: str) -> Characters:
    return [(character, PLAIN) for character in text]


def characters(text: Text) -> Characters:
    """The characters of a text, each with its style."""
    return [(character, style) for run, style in text for character in run]


def cells(line: Characters) -> int:
    """How many columns of a terminal a line takes: East Asian characters take two."""
    return sum(_cells(character) for character, _ in line)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(text: Text, width: int, overflow: str = FOLD) -> list[Characters]:
    """The lines of a text of at most this width.

    Words that are longer than a line are folded, or stand alone to be cut off with an ellipsis.
    """
    line = characters(text)
    breaks = [0, *_breaks("".join(c for c, _ in line), width, overflow), len(line)]
    lines = [_stripped_to(line[a:b], width) for a, b in zip(breaks, breaks[1:])]
    return [cropped(part, width) for part in lines] if overflow == FOLD else lines


def _breaks(text: str, width: int, overflow: str) -> list[int]:
    """Before which characters a text is broken."""
    breaks: list[int] = []
    used = 0
    for word in re.finditer(r"\s*\S+\s*", text):
        start, size = word.start(), cells(plain(word.group().rstrip()))
        if width - used >= size:
            used += cells(plain(word.group()))
            continue
        if size > width and overflow == FOLD:
            parts = _chopped(word.group(), width)
            for part in parts[:-1]:
                breaks += [start] if start else []
                start += len(part)
            breaks += [start] if start else []
            used = cells(plain(parts[-1]))
        else:
            breaks += [start] if start else []
            used = cells(plain(word.group()))
    return breaks


def _chopped(word: str, width: int) -> list[str]:
    parts, used = [""], 0
    for character in word:
        if used + _cells(character) > width and parts[-1]:
            parts.append("")
            used = 0
        parts[-1] += character
        used += _cells(character)
    return parts


def _stripped_to(line: Characters, width: int) -> Characters:
    """The line without blanks at its end that are beyond the width."""
    while len(line) > width and line[-1][0].isspace():
        line = line[:-1]
    return line


def aligned(text: Text, width: int, alignment: str) -> list[Characters]:
    """The lines of a cell, each of exactly this width."""
    lines = []
    for line in wrapped(text, width, ELLIPSIS):
        if alignment != "left":
            while line and line[-1][0].isspace():
                line = line[:-1]
        if cells(line) > width:
            line = _cut(line, width - 1) + plain("…") if width else []
        blank = width - cells(line)
        before = {"left": 0, "center": blank // 2, "right": blank}[alignment]
        lines.append(plain(" " * before) + line + plain(" " * (blank - before)))
    return lines


def _cut(line: Characters, width: int) -> Characters:
    """The beginning of a line that takes this width, a blank in place of half a character."""
    kept: Characters = []
    used = 0
    for character, style in line:
        if used + _cells(character) > width:
            break
        kept.append((character, style))
        used += _cells(character)
    return kept + plain(" " * (width - used))


def cropped(line: Characters, width: int) -> Characters:
    """The line without what is beyond the width."""
    return line if cells(line) <= width else _cut(line, width)


def written(line: Characters, colours: str) -> str:
    """The line as it is written: `"colours"`, or `"plain"`."""
    if colours == "plain":
        return "".join(character for character, _ in line)
    text, current = "", PLAIN
    for character, style in line:
        if style != current:
            text += ("\x1b[0m" if current else "") + (f"\x1b[{style}m" if style else "")
            current = style
        text += character
    return text + ("\x1b[0m" if current else "")
