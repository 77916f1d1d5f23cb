"""What a picture of one probe shows, as numbers: everything that can be decided without drawing.

Times are seconds from inject (from the beginning where nothing was injected), values are in the unit of the picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gameday.event import EventKind
from gameday.language import Op, Tolerance
from gameday.observation import Total
from gameday.probe import Sample
from gameday.units import UNITS, Dimension, Unit
from reports.measures import measures, shown, worst_during
from reports.story import Story
from reports.words import readable, signed

Point = tuple[float, float]

GAP = 3
"""A line is broken where samples are further apart than this many sampling intervals."""

POINTS = 1500
"""More points than this are thinned to the lowest and the highest of each step: a picture has no more pixels."""


@dataclass(frozen=True)
class Band:
    """A stretch of time with a name: a phase, or a fault that was on. `open` when the record does not have its end."""

    name: str
    start: float
    end: float
    open: bool = False


@dataclass(frozen=True)
class Level:
    """A horizontal line: a baseline, a tolerance or a guardrail."""

    kind: str
    label: str
    value: float


@dataclass(frozen=True)
class Mark:
    """A moment: inject, or where a clock stopped."""

    label: str
    at: float


@dataclass(frozen=True)
class Picture:
    """One probe in one scenario. `lines` are unbroken runs of known samples, `gaps` stretches without any."""

    title: str
    unit: str
    start: float
    end: float
    lines: tuple[tuple[Point, ...], ...]
    unknown: tuple[float, ...]
    gaps: tuple[tuple[float, float], ...]
    phases: tuple[Band, ...]
    faults: tuple[Band, ...]
    levels: tuple[Level, ...]
    marks: tuple[Mark, ...]
    worst: tuple[Point, str] | None

    @property
    def points(self) -> list[Point]:
        return [point for line in self.lines for point in line]


def picture(story: Story, probe: str) -> Picture | None:
    """The picture of a probe; None when the record has no sample of it in this scenario."""
    mine = [sample for sample in story.samples if sample.probe == probe]
    if not mine:
        return None
    totalled = _as_total(story, probe)
    values = _totals(story, probe) if totalled else {sample.at: sample.value for sample in mine if sample.value is not None}
    unit, scale = _unit(UNITS[story.record.plan.units[probe]], list(values.values()))
    every = story.record.plan.playbook.sampling.every
    worst = None if totalled else worst_during(story, probe)
    return Picture(
        title=readable(probe) + (" in total today" if totalled else f" ({unit})" if unit else ""),
        unit=unit,
        start=_seconds(story, min([mine[0].at, *(span.start for span in story.phases[:1])])),
        end=_seconds(story, _last(story, mine)),
        lines=tuple(_thin(line) for line in _lines(story, mine, values, scale, every)),
        unknown=tuple(_seconds(story, sample.at) for sample in mine if sample.value is None),
        gaps=tuple(_gaps(story, mine, every)),
        phases=tuple(_phases(story, mine)),
        faults=tuple(_faults(story, mine)),
        levels=tuple(_levels(story, probe, scale, totalled)),
        marks=tuple(_marks(story)),
        worst=((_seconds(story, worst.at), worst.value / scale), shown(story, probe, worst.value)) if worst and worst.value is not None else None,
    )


def describe(story: Story, probe: str) -> str:
    """What the picture shows, in one sentence, for those who cannot see it."""
    during, worst = measures(story, probe).get("during"), worst_during(story, probe)
    parts = []
    baseline = story.yardstick.baseline(probe)
    if probe in story.counters and during:
        parts.append("not known while the fault was on" if during.increase is None else f"{during.increase:,.0f} more while the fault was on")
    elif baseline is not None:
        parts.append(f"baseline {shown(story, probe, baseline)}")
    if worst and probe not in story.counters:
        parts.append(f"worst {shown(story, probe, worst.value)} at {signed(worst.at - story.zero)}")
    mine = [sample for sample in story.samples if sample.probe == probe]
    unknown = sum(sample.value is None for sample in mine)
    parts.append(f"{unknown} of {len(mine)} samples unknown")
    parts += [mark.label for mark in _marks(story)[1:]]
    return f"{readable(probe)} over scenario {story.index + 1}: {', '.join(parts)}"


def _seconds(story: Story, at: datetime) -> float:
    return (at - story.zero).total_seconds()


def _last(story: Story, mine: list[Sample]) -> datetime:
    """The right edge: the last sample or the end of recover, whichever is later. A debrief without samples is not drawn."""
    return max([mine[-1].at, *([story.watched_until] if story.watched_until else []), story.zero + timedelta(seconds=1)])


def _as_total(story: Story, probe: str) -> bool:
    """Counters are drawn as their increase since the day opened, unless a tolerance judges their plain value."""
    judged = {each.probe for each in story.record.plan.playbook.steady_state} | {
        each.tolerance.probe for each in story.scenario.expect if each.tolerance
    }
    return probe in story.counters and probe not in judged


def _totals(story: Story, probe: str) -> dict[datetime, float]:
    total, found = Total(), {}
    for sample in story.record.samples:
        if sample.probe == probe and sample.value is not None:
            total = total.after(sample.value)
            found[sample.at] = total.increase
    return found


def _unit(unit: Unit, values: list[float]) -> tuple[str, float]:
    """The unit that reads best for these values, and what one of it is in the base unit."""
    top = max((abs(value) for value in values), default=0.0)
    match unit.dimension:
        case Dimension.RATIO:
            return "%", 0.01
        case Dimension.TIME:
            return ("ms", 0.001) if top < 1 else ("s", 1.0) if top < 300 else ("min", 60.0)
        case Dimension.SIZE:
            best = next((UNITS[name] for name in ("GiB", "MiB", "KiB") if top >= UNITS[name].scale), UNITS["B"])
            return best.name, best.scale
        case Dimension.RATE:
            return "/s", 1.0
        case _:
            return "", 1.0


def _lines(story: Story, mine: list[Sample], values: dict[datetime, float], scale: float, every: timedelta) -> Iterator[list[Point]]:
    """Runs of known samples: nothing is drawn across an unknown one, nor across a gap."""
    line: list[Point] = []
    last: datetime | None = None
    for sample in mine:
        if line and (sample.value is None or (last is not None and sample.at - last > GAP * every)):
            yield line
            line = []
        if sample.value is not None:
            line.append((_seconds(story, sample.at), values[sample.at] / scale))
        last = sample.at
    if line:
        yield line


def _thin(line: list[Point]) -> tuple[Point, ...]:
    if len(line) <= POINTS:
        return tuple(line)
    step = -(-len(line) * 2 // POINTS)
    kept = []
    for begin in range(0, len(line), step):
        few = line[begin : begin + step]
        kept += sorted({min(few, key=lambda point: point[1]), max(few, key=lambda point: point[1])})
    return tuple(kept)


def _gaps(story: Story, mine: list[Sample], every: timedelta) -> Iterator[tuple[float, float]]:
    for one, other in itertools.pairwise(mine):
        if other.at - one.at > GAP * every:
            yield _seconds(story, one.at), _seconds(story, other.at)


def _phases(story: Story, mine: list[Sample]) -> Iterator[Band]:
    last = _last(story, mine)
    for span in story.phases:
        if span.start < last:
            yield Band(span.name, _seconds(story, span.start), _seconds(story, min(span.end or last, last)), span.end is None)


def _faults(story: Story, mine: list[Sample]) -> Iterator[Band]:
    last = _last(story, mine)
    for fault in story.faults:
        if fault.active_at:
            yield Band(fault.name, _seconds(story, fault.active_at), _seconds(story, fault.ended_at or last), fault.ended_at is None)


def _levels(story: Story, probe: str, scale: float, totalled: bool) -> Iterator[Level]:
    unit, baseline = UNITS[story.record.plan.units[probe]], story.yardstick.baseline(probe)
    if baseline is not None and not totalled:
        yield Level("baseline", f"baseline {shown(story, probe, baseline)}", baseline / scale)
    tolerances = [(each, "steady") for each in story.record.plan.playbook.steady_state]
    tolerances += [(each.tolerance, "expected") for each in story.scenario.expect if each.tolerance]
    for tolerance, kind in tolerances:
        limit = tolerance.limit(unit, baseline)
        if tolerance.probe == probe and limit is not None:
            yield Level(kind, f"{kind} {_bound(story, tolerance, limit)}", limit / scale)
    for guardrail in story.record.plan.playbook.abort_when:
        limit = guardrail.tolerance.limit(unit, baseline) if guardrail.tolerance else None
        if guardrail.probe == probe and guardrail.tolerance and limit is not None and guardrail.in_total == totalled:
            condition = str(guardrail).removeprefix(str(guardrail.tolerance)).strip()
            yield Level("guardrail", f"abort {_bound(story, guardrail.tolerance, limit)}\n{condition}".strip(), limit / scale)


def _bound(story: Story, tolerance: Tolerance, limit: float) -> str:
    signs = {Op.AT_MOST: "≤", Op.AT_LEAST: "≥"}
    return f"{signs.get(tolerance.op, tolerance.op)} {shown(story, tolerance.probe, limit)}"


def _marks(story: Story) -> list[Mark]:
    """Inject, the clocks that stopped, and an abort."""
    if story.injected is None:
        return []
    aborted = story.record.first(EventKind.ABORTED, scenario=story.index)
    readings = {"detected": story.clocks.detect, "mitigated": story.clocks.mitigate, "recovered": story.clocks.recover}
    stopped = [(word, reading.at) for word, reading in readings.items() if reading.at]
    stopped += [("aborted", aborted.at)] if aborted else []
    marks = [Mark(f"{word} {signed(at - story.zero)}", _seconds(story, at)) for word, at in stopped]
    return [Mark("inject", 0.0), *sorted(marks, key=lambda mark: mark.at)]
