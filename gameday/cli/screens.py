"""Where a run is shown: plain lines, JSON, or the live view in a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gameday.cli.asking import asked, asked_at
from gameday.event import Event, EventKind
from gameday.feed import Item
from gameday.printable import printable
from gameday.view import RunView

if TYPE_CHECKING:
    from rich.text import Text

    from gameday.cli.console import Frame

MOST_ASKED = 3
"""Rows that the questions of a gate take at the most."""


class Screen(ABC):
    """Where a run is shown."""

    @abstractmethod
    def show(self, view: RunView, new: Sequence[Item]) -> None:
        """Shows what is new; the view has taken it in."""

    def close(self) -> None:  # noqa: B027  # most have nothing to leave
        """Leaves the terminal as it was."""


class PlainScreen(Screen):
    """Plain lines, one an event: for pipes, logs and dumb terminals."""

    def show(self, view: RunView, new: Sequence[Item]) -> None:
        events = {item.id: item for item in new if isinstance(item, Event)}
        for each in view.lines if events else ():
            if each.event in events:
                print(" · ".join(filter(None, (each.plain(view.plan), self._asked(view, events[each.event])))), flush=True)

    @staticmethod
    def _asked(view: RunView, event: Event) -> str:
        """What people are asked to predict at a gate, on its own line of the timeline."""
        return asked_at(view.plan.playbook, event.text("gate"), event.scenario) if event.kind is EventKind.GATE_WAITING else ""


class JsonScreen(Screen):
    """One JSON object a line: events and samples as they are."""

    def show(self, view: RunView, new: Sequence[Item]) -> None:
        for item in new:
            kind = "event" if isinstance(item, Event) else "sample"
            print(json.dumps({kind: item.model_dump(mode="json")}), flush=True)


class LiveScreen(Screen):
    """The live view: the whole terminal, until it is closed.

    Args:
        frame: what to show besides the view, for a terminal of this width and height.
    """

    def __init__(self, frame: Callable[[RunView, int, int], object]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._frame = frame
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, screen=True, redirect_stdout=False, redirect_stderr=False)
        self._live.start()

    def show(self, view: RunView, new: Sequence[Item] = ()) -> None:
        from rich.text import Text

        from gameday.cli.console import Frame

        self._console.size = os.get_terminal_size(sys.stdout.fileno())  # its own size: COLUMNS, where exported, is that of another moment
        frame = self._frame(view, *self._console.size)
        assert isinstance(frame, Frame)
        page = Text("\n", no_wrap=True, overflow="crop").join(drawn(view, frame))
        self._live.update(page, refresh=True)

    def close(self) -> None:
        self._live.stop()

    def leave(self, view: RunView) -> None:
        """What was shown stays readable: the whole timeline, below."""
        from gameday.cli.console import told

        for row in told(view, self._console.width):
            self._console.print(row, soft_wrap=True)


def drawn(view: RunView, frame: Frame) -> list[Text]:
    """The picture, and while a gate waits what it asks people to predict, just above the keys that answer it."""
    from rich.text import Text

    from gameday.cli.console import picture

    asks = textwrap.wrap(asked(view), max(frame.width - 1, 1), max_lines=MOST_ASKED, placeholder=" …")
    return picture(view, replace(frame, bottom=[*(Text(line, style="cyan") for line in asks), *frame.bottom]))


def hush() -> None:
    """Whoever read our output has had enough: nothing more is written, and nothing is wrong."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def complain(text: str) -> None:
    """Says something that is not output."""
    print(printable(text, keep="\n"), file=sys.stderr, flush=True)


def hanging(first: str, text: str, indent: int) -> Iterator[str]:
    """A text with something before it, wrapped to the terminal; elsewhere it stays one line."""
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100_000
    lines = textwrap.wrap(text, max(width - indent, 20), break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{first:<{indent}}{lines[0]}".rstrip()
    yield from (" " * indent + each for each in lines[1:])
