"""Following a run: events and samples from the store into the view, and the view to where the reader is."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.event import Event
from gameday.probe import Sample
from gameday.view import RunView, merged

if TYPE_CHECKING:
    from rich.live import Live

    from activities.store import RunStore

SETTLE = timedelta(seconds=1)
"""How far back samples are asked for again: those of one moment may arrive in two batches."""


class Feed:
    """What is new in the store since the last look."""

    def __init__(self, store: RunStore, view: RunView) -> None:
        self._store, self._view = store, view
        self._next = 0
        self._last: datetime | None = None
        self._had: set[tuple[datetime, str]] = set()

    def pull(self) -> list[Event | Sample]:
        """New events and samples, in order of time; the view has taken them in."""
        events = self._store.events_after(self._view.plan.run_id, self._next)
        samples = [sample for sample in self._store.samples_after(self._view.plan.run_id, self._last) if (sample.at, sample.probe) not in self._had]
        self._next += len(events)
        if samples:
            self._last = max(sample.at for sample in samples) - SETTLE
            self._had = {each for each in self._had if each[0] > self._last} | {(sample.at, sample.probe) for sample in samples}
        return merged([event for _, event in events], samples)


class Screen(ABC):
    """Where a run is shown."""

    @abstractmethod
    def show(self, items: list[Event | Sample]) -> None:
        """Takes in what is new, and shows it."""

    def close(self) -> None:  # noqa: B027  # most have nothing to leave
        """Leaves the terminal as it was."""


class PlainScreen(Screen):
    """Plain lines, one an event: for pipes, logs and small terminals."""

    def __init__(self, view: RunView) -> None:
        self._view = view

    def show(self, items: list[Event | Sample]) -> None:
        for item in items:
            said = self._view.take(item)
            if said is not None:
                print(said.plain(self._view.plan), flush=True)


class JsonScreen(Screen):
    """One JSON object a line: events and samples as they are."""

    def __init__(self, view: RunView) -> None:
        self._view = view

    def show(self, items: list[Event | Sample]) -> None:
        for item in items:
            self._view.take(item)
            kind = "event" if isinstance(item, Event) else "sample"
            print(json.dumps({kind: item.model_dump(mode="json")}), flush=True)


class LiveScreen(Screen):
    """The live view in a terminal."""

    def __init__(self, view: RunView, home: Path | None, is_replay: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        self._view, self._home, self._is_replay = view, home, is_replay
        self.hint = ""
        self._console = Console()
        self._live: Live = Live(console=self._console, auto_refresh=False, screen=True)
        self._live.start()

    def show(self, items: list[Event | Sample]) -> None:
        from gameday.cli.console import picture

        for item in items:
            self._view.take(item)
        now = self._view.now if self._is_replay else datetime.now(UTC)
        self._live.update(picture(self._view, now, self._leases(), self.hint, self._console.size.height), refresh=True)

    def _leases(self) -> Mapping[str, float]:
        """Seconds left of each lease, where the faults' journal is on this machine."""
        from activities.journal import Journal
        from activities.steps.processes import boot_clock

        if self._home is None or not (self._home / "journal").is_dir():
            return {}
        journal = Journal.at(self._home)
        found = {fault_id: journal.find(fault_id) for fault_id, row in self._view.faults.items() if not row.outcome}
        return {fault_id: entry.deadline - boot_clock() for fault_id, entry in found.items() if entry is not None}

    def close(self) -> None:
        """What was on the screen last stays readable below."""
        self._live.stop()
        for each in list(self._view.lines)[-12:]:
            print(each.plain(self._view.plan))


def screen_for(view: RunView, as_json: bool, live: bool, home: Path | None, is_replay: bool = False) -> Screen:
    if as_json:
        return JsonScreen(view)
    return LiveScreen(view, home, is_replay) if live else PlainScreen(view)


def complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
