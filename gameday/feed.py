"""Reading a run while it is written: what is new in the store, folded in the order of time even where it came in another."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from gameday.event import Event
from gameday.probe import Sample
from gameday.record import RunRecord
from gameday.view import RunView
from gameday.viewer import veil

if TYPE_CHECKING:
    from gameday.plan import Plan

SETTLE = timedelta(seconds=5)
"""How far back samples are asked for again: those of one moment may arrive in several batches."""
WINDOW = timedelta(seconds=15)
"""How late an item may come and still be put in its place at once; a later one has the whole record read again."""

Item = Event | Sample
Key = tuple[datetime, int, int, str]
Name = str | tuple[datetime, str]


def key(item: Item, seq: int = 0) -> Key:
    """Where an item stands in time. Of one moment, events come first, in the order of the store."""
    return (item.at, 0, seq, "") if isinstance(item, Event) else (item.at, 1, 0, item.probe)


def merged(events: Iterable[Event], samples: Iterable[Sample]) -> list[Item]:
    """Events and samples of a whole record, in one order of time."""
    items: list[tuple[Key, Item]] = [(key(event, seq), event) for seq, event in enumerate(events)]
    items += [(key(sample), sample) for sample in samples]
    return [item for _, item in sorted(items, key=lambda each: each[0])]


def name(item: Item) -> Name:
    """What makes an item one and not another."""
    return item.id if isinstance(item, Event) else (item.at, item.probe)


class TooLate(Exception):
    """An item belongs before what is settled."""


@dataclass
class Fold:
    """A view that is as if every item had come in the order of time. `settled` lags behind; `recent` is folded again when need be."""

    view: RunView
    settled: RunView = field(init=False)
    recent: list[tuple[Key, Item]] = field(default_factory=list)
    floor: Key | None = None

    def __post_init__(self) -> None:
        self.settled = self.view.copy()

    def take(self, new: Iterable[tuple[Key, Item]]) -> None:
        """Takes items in.

        Raises:
            TooLate: one is older than the window; fold the whole record anew.
        """
        for each in sorted(new, key=lambda pair: pair[0]):
            if self.floor is not None and each[0] < self.floor:
                raise TooLate
            late = bool(self.recent) and each[0] < self.recent[-1][0]
            insort(self.recent, each, key=lambda pair: pair[0])
            if late:
                self._fold_again()
            else:
                self.view.take(each[1])
        self._settle()

    def _fold_again(self) -> None:
        self.view = self.settled.copy()
        for _, item in self.recent:
            self.view.take(item)

    def _settle(self) -> None:
        while self.recent and self.recent[0][0][0] < self.view.now - WINDOW:
            self.floor, item = self.recent.pop(0)
            self.settled.take(item)


class Read(Protocol):
    """What a feed asks of the run store."""

    def events_after(self, run_id: str, seq: int) -> list[tuple[int, Event]]:
        """Events from this sequence number on."""

    def samples_after(self, run_id: str, at: datetime | None) -> list[Sample]:
        """Samples later than this moment."""


class Feed:
    """What is new in the store since the last look, and the view of all there is. `view` may be another object after each pull.

    With `open_seals` False it tells what somebody may know who must not look into sealed scenarios yet; a reveal is told when it comes.
    With `samples` False only events are told, and the view has the samples: a day has very many.
    """

    def __init__(self, store: Read, plan: Plan, open_seals: bool = True, samples: bool = True) -> None:
        self._store, self._plan, self._open_seals, self._samples = store, plan, open_seals, samples
        self._told: set[Name] = set()
        self._events: list[tuple[int, Event]] = []
        self._begin(self._visible([], [])[0])

    @property
    def view(self) -> RunView:
        return self._fold.view

    def pull(self) -> list[Item]:
        """New events and samples, in order of time; the view has taken them in."""
        plan, items = self._visible(*self._read())
        try:
            if plan != self.view.plan:
                raise TooLate
            self._fold.take(items)
        except TooLate:
            self._begin(plan)
            _, items = self._visible(*self._read())
            self._fold.take(items)
        told = [item for _, item in sorted(items, key=lambda pair: pair[0]) if self._samples or isinstance(item, Event)]
        new = [item for item in told if name(item) not in self._told]
        self._told.update(map(name, new))
        return new

    def _begin(self, plan: Plan) -> None:
        self._fold = Fold(RunView(plan, plan.started_at))
        self._events = []
        self._had: set[tuple[datetime, str]] = set()
        self._last: datetime | None = None

    def _read(self) -> tuple[list[tuple[int, Event]], list[Sample]]:
        """What the store has that was not read before."""
        run, after = self._plan.run_id, self._last - SETTLE if self._last else None
        events = self._store.events_after(run, len(self._events))
        samples = [sample for sample in self._store.samples_after(run, after) if name(sample) not in self._had]
        self._events += events
        self._last = max([sample.at for sample in samples] + ([self._last] if self._last else []), default=None)
        self._had = {(at, probe) for at, probe in self._had if self._last is None or at > self._last - SETTLE}  # what is not asked for again
        self._had.update((sample.at, sample.probe) for sample in samples)
        return events, samples

    def _visible(self, events: list[tuple[int, Event]], samples: list[Sample]) -> tuple[Plan, list[tuple[Key, Item]]]:
        """What of these the viewer may see, and the plan that the viewer may see by now."""
        if self._open_seals:
            return self._plan, [*((key(event, seq), event) for seq, event in events), *((key(sample), sample) for sample in samples)]
        known = tuple(event for _, event in self._events)
        shown = veil(RunRecord(self._plan, known, tuple(samples)))
        seqs = {event.id: seq for seq, event in events}
        told = [(key(event, seqs[event.id]), event) for event in shown.events if event.id in seqs]
        return shown.plan, [*told, *((key(sample), sample) for sample in shown.samples)]
