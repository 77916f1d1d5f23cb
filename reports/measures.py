"""What the probes read before, during and after the faults, and over the day."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gameday import worse
from gameday.probe import Sample
from gameday.units import UNITS, format_value
from reports.probes import increase
from reports.story import Story


@dataclass(frozen=True)
class Measure:
    """What one probe read in one stretch of time. `increase` is set for counters only, whose values say nothing by themselves."""

    probe: str
    samples: int
    unknown: int
    median: float | None
    worst: float | None
    increase: float | None = None


PERIODS = ("before", "during", "after")


def measures(story: Story, probe: str) -> dict[str, Measure]:
    """One probe before inject, while the fault was on, and from the verified revert to the end of recover."""
    bad = _bad(story, probe)
    mine = [sample for sample in story.samples if sample.probe == probe]
    found = {period: _measure(probe, _within(mine, *span), bad) for period, span in _periods(story).items()}
    if probe in story.counters:
        return {period: replace(each, increase=_grown(mine, *_periods(story)[period])) for period, each in found.items()}
    return found


def _periods(story: Story) -> Mapping[str, tuple[datetime, datetime | None]]:
    last = story.watched_until
    if story.injected is None:
        return {"before": (story.began, last)}
    during = {"before": (story.began, story.injected), "during": (story.injected, story.gone or last)}
    return during | ({"after": (story.gone, last)} if story.gone else {})


def _within(samples: Iterable[Sample], start: datetime, end: datetime | None) -> list[Sample]:
    return [sample for sample in samples if sample.at >= start and (end is None or sample.at < end)]


def _measure(probe: str, samples: list[Sample], bad: Callable[[float], float]) -> Measure:
    known = [sample.value for sample in samples if sample.value is not None]
    return Measure(
        probe=probe,
        samples=len(samples),
        unknown=len(samples) - len(known),
        median=statistics.median(known) if known else None,
        worst=max(known, key=bad, default=None),
    )


def _grown(samples: list[Sample], start: datetime, end: datetime | None) -> float | None:
    """How much a counter grew in a stretch of time, from the last value known before it."""
    known = [(sample.at, sample.value) for sample in samples if sample.value is not None and (end is None or sample.at < end)]
    before = [value for at, value in known if at < start][-1:]
    inside = [value for at, value in known if at >= start]
    return increase([*before, *inside]) if inside else None


def shown(story: Story, probe: str, value: float | None) -> str:
    """A value in the probe's best unit."""
    return format_value(value, UNITS[story.record.plan.units[probe]])


def worst_during(story: Story, probe: str) -> Sample | None:
    """The worst known sample while the fault was on."""
    return worse.worst_during(story.record, story.index, probe)


def _bad(story: Story, probe: str) -> Callable[[float], float]:
    return worse.badness(story.record.plan.playbook, probe, story.yardstick.baseline(probe))
