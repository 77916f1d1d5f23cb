"""Text written by people, made safe to stand in Markdown: it reads as itself, and can be nothing but text.

One function, `escape`, is right in every place where the templates put text: paragraph, table cell, list item, heading, quote, emphasis
and the alternative text of a picture. Templates do not call it; `finalize` is applied to every value that they output.

Source: CommonMark 0.31 and GitHub Flavored Markdown 0.29 (tables, strikethrough, autolinks).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from markupsafe import Markup

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Controls, halves of characters and changes of writing direction: they can hide text or rewrite a terminal."""

_ANYWHERE = re.compile(
    r"""
      [`*\[\]|~$]                                 # code, emphasis, links and pictures, cells, strikethrough, formulas
    | \\(?=[!-/:-@\[-`{-~]|$)                     # a backslash that would escape what follows
    | <(?=[A-Za-z/!?]|$)                          # HTML and <autolinks>; 'errors < 1 %' stays as it is
    | &(?=\#?\w*(?:;|$))                          # entities; 'R&D' stays as it is
    | (?<![^\W_])_ | _(?!_*[^\W_])                  # emphasis; 'latency_p99' stays as it is
    | (?<=\w):(?=//) | (?<=www)\.                 # bare addresses become links on GitHub
    | (?<=\w)@(?=\w)
    | \#(?=\#*$)                                  # the closing signs of a heading
    """,
    re.VERBOSE | re.IGNORECASE,
)

_AT_THE_START = re.compile(
    r"""
      ^(?: (?=[#>]) | (?=[-+](?:[\s-]|$)) | (?==+$) | (?=:-) | (?P<number>\d{1,9})(?=[.)](?:\s|$)) )
    """,
    re.VERBOSE | re.ASCII,
)
"""Headings, quotes, bullets, underlines, columns and numbered items; each begins a line."""


def plain(text: str) -> str:
    """Text on one line: white space collapsed, and what cannot be seen replaced by a sign that can."""
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


def escape(text: str) -> str:
    """Escapes text for Markdown, and no more of it than has to be.

    Args:
        text: anything at all; line breaks and runs of white space become one space.

    Returns:
        One line of Markdown that shows exactly `plain(text)`, wherever the templates put it.
    """
    escaped = _ANYWHERE.sub(lambda found: "\\" + found[0], plain(text))
    return _AT_THE_START.sub(lambda found: (found["number"] or "") + "\\", escaped, count=1)


def finalize(value: object) -> Markup:
    """What Jinja does with every value that a template outputs: Markdown made by us stays, all else is text."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))  # noqa: S704  # escaped right here


def fenced(text: str, language: str = "") -> Markup:
    """A block of code, whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = (_INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", line.replace("\t", "    ")).rstrip() for line in text.removesuffix("\n").split("\n"))
    return Markup("\n".join((fence + language, *lines, fence)))  # noqa: S704  # inside its fence, nothing is markup


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table that also reads well raw: columns are padded, unless a cell is so long that this would not help."""
    head, *body = [[finalize(cell) for cell in row] for row in (header, *rows)]
    *columns, last = zip(head, *body, strict=True)
    widths = [*(_width(column) for column in columns), _width(last[:1])]
    rule = ["-" * width for width in widths]
    lines = [_row(head, widths), _row(rule, widths), *(_row(row, widths) for row in body)]
    return Markup("\n".join(lines))  # noqa: S704  # every cell is escaped


_WIDEST = 44


def _width(column: Iterable[str]) -> int:
    return max(3, *(min(_columns(cell), _WIDEST) for cell in column))


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, combining ones none."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - _columns(cell)) for cell, width in zip(cells[:-1], widths, strict=False)]
    return "| " + " | ".join([*padded, cells[-1]]) + " |"
