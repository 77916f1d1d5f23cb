"""How much counters grew over a window, scrape by scrape."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

Labels = frozenset[tuple[str, str]]
"""The labels of a series, which are its identity within a metric."""


@dataclass(frozen=True)
class _Step:
    """What was added between two scrapes, by bucket."""

    began: float
    ended: float
    added: Mapping[float, float]


class Growth:
    """The growth of one metric's series, summed by their `le` label (all in one sum where there is none).

    A counter that fell began again at 0, so all that it shows now is growth; so is all of one that was not there a scrape ago. Only sums
    are kept for a scrape, and the series of the last one.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._steps: deque[_Step] = deque()
        self._last: Mapping[Labels, float] = {}
        self._last_at = -math.inf

    def add(self, at: float, series: Mapping[Labels, float]) -> None:
        """Takes a scrape. Times are seconds of a clock that only rises."""
        if at - self._last_at <= self._window_s:
            self._steps.append(_Step(self._last_at, at, self._added(series)))
        self._last, self._last_at = dict(series), at
        while self._steps and self._steps[0].began < at - self._window_s:
            self._steps.popleft()

    @property
    def seconds(self) -> float:
        """How much of the window is covered; 0 before there are two scrapes in it."""
        return self._steps[-1].ended - self._steps[0].began if self._steps else 0.0

    def by_bucket(self) -> dict[float, float]:
        """The growth within the window by upper bound."""
        grown: dict[float, float] = {}
        for step in self._steps:
            for bound, added in step.added.items():
                grown[bound] = grown.get(bound, 0.0) + added
        return grown

    def total(self) -> float:
        """The growth within the window of all series together."""
        return math.fsum(self.by_bucket().values())

    def _added(self, series: Mapping[Labels, float]) -> dict[float, float]:
        added: dict[float, float] = {}
        for labels, value in series.items():
            before = self._last.get(labels, 0.0)
            bound = _bound(labels)
            added[bound] = added.get(bound, 0.0) + (value - before if value >= before else value)
        return added


def _bound(labels: Labels) -> float:
    return next((float(value) for name, value in labels if name == "le"), math.inf)
