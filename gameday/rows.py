"""The rows of the view: one probe, one fault. What a screen shows of them is decided there; what is known is kept here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gameday.by_hand import Asked
from gameday.playbook import Fault
from gameday.probe import Sample

TREND = timedelta(minutes=2)
"""How far back a trend is kept."""


@dataclass
class ProbeRow:
    """One probe: its newest sample, and its trend."""

    name: str
    sample: Sample | None = None
    trend: deque[Sample] = field(default_factory=deque)

    def see(self, sample: Sample) -> None:
        self.sample = sample
        self.trend.append(sample)
        while self.trend[0].at < sample.at - TREND:
            self.trend.popleft()

    @property
    def unknown_lately(self) -> tuple[int, int]:
        """How many of the last five samples are unknown, and of how many."""
        last = list(self.trend)[-5:]
        return sum(sample.value is None for sample in last), len(last)

    def slots(self, now: datetime, span: timedelta, count: int) -> Iterator[list[Sample]]:
        """The trend of the last `span` in `count` slots of equal time, the newest last; a slot without a sample is empty."""
        grouped: list[list[Sample]] = [[] for _ in range(count)]
        for sample in self.trend:
            place = count - 1 - int((now - sample.at) / span * count)
            if 0 <= place < count:
                grouped[place].append(sample)
        return iter(grouped)

    def copy(self) -> ProbeRow:
        return ProbeRow(self.name, self.sample, deque(self.trend))


@dataclass
class FaultRow:
    """One fault, as its events tell it; `spec` is what the playbook says of it."""

    name: str
    label: str
    kind: str = ""
    spec: Fault | None = None
    state: str = "armed"
    outcome: str = ""
    active_at: datetime | None = None
    ended_at: datetime | None = None
    extra: timedelta = timedelta(0)
    took: timedelta | None = None
    by: str = ""
    """Who does it, where it is done by hand."""
    asked: Asked | None = None
    """What they are asked to do now."""

    @property
    def ends_at(self) -> datetime | None:
        """When it ends at the latest; None before it is on, and where the playbook does not say."""
        if self.active_at is None or self.spec is None:
            return None
        return self.active_at + self.spec.duration + self.extra

    @property
    def until(self) -> str:
        """What takes it off earlier; empty when nothing does."""
        return str(self.spec.until) if self.spec and self.spec.until else ""

    @property
    def is_on(self) -> bool:
        return self.state == "active"

    def copy(self) -> FaultRow:
        return copy(self)
