"""Rows of text that fit: the first variant that is narrow enough, and columns side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text

GAP = 3
"""Blanks between two columns."""


def row(*parts: str | Text | tuple[str, str]) -> Text:
    """One line of text from its parts, plain or with a style."""
    text = Text.assemble(*parts)
    text.no_wrap = True
    return text


def cut(text: Text, width: int) -> Text:
    """A line that is not wider than this; what is left out shows as an ellipsis."""
    short = text.copy()
    short.no_wrap = True
    short.truncate(max(width, 1), overflow="ellipsis")
    return short


def fitting(variants: Iterable[Text], width: int) -> Text:
    """The first variant that fits; the last one, cut, when none does."""
    text = Text()
    for text in variants:
        if text.cell_len <= width:
            return text
    return cut(text, width)


def spread(left: Text, right: Text, width: int) -> Text:
    """One line with something at both ends; the left end gives way."""
    right = cut(right, width)
    left = cut(left, width - right.cell_len - 2) if width > right.cell_len + 2 else Text()
    return row(left, " " * max(width - left.cell_len - right.cell_len, 0), right)


@dataclass(frozen=True)
class Column:
    """One column: its title and cells. `least` is the width below which it is of no use; without one it is never cut.

    `drawn` makes the cells anew for the width that there is, for what is not text to be cut.
    """

    title: str | Text
    cells: Sequence[Text]
    least: int = 0
    drawn: Callable[[int], Sequence[Text]] | None = None

    @property
    def natural(self) -> int:
        return max([Text.assemble(self.title).cell_len, *(cell.cell_len for cell in self.cells)])

    @property
    def minimum(self) -> int:
        return min(self.least or self.natural, self.natural)


def _widths(columns: Sequence[Column], width: int) -> list[int] | None:
    """The width of each column; None when they do not fit side by side."""
    room = width - GAP * (len(columns) - 1)
    widths = [column.natural for column in columns]
    for place in reversed(range(len(columns))):
        over = sum(widths) - room
        if over <= 0:
            break
        widths[place] -= min(over, widths[place] - columns[place].minimum)
    return widths if sum(widths) <= room else None


def table(variants: Iterable[Callable[[], Sequence[Column]]], width: int) -> list[Text]:
    """The first variant whose columns fit side by side, as lines, the titles first."""
    columns: Sequence[Column] = ()
    widths = None
    for variant in variants:
        columns = variant()
        widths = _widths(columns, width)
        if widths is not None:
            break
    if widths is None:
        widths = [max(width // max(len(columns), 1) - GAP, 1)] * len(columns)
    heads = [Text.assemble((column.title, "dim") if isinstance(column.title, str) else column.title) for column in columns]
    cells = [column.drawn(width) if column.drawn else column.cells for column, width in zip(columns, widths, strict=True)]
    lines = [heads, *(list(each) for each in zip(*cells, strict=True))]
    return [cut(_joined(each, widths), width) for each in lines]


def _joined(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        shown = cut(cell, width)
        last = place == len(widths) - 1
        line.append_text(shown).append("" if last else " " * (width - shown.cell_len + GAP))
    return row(line)
