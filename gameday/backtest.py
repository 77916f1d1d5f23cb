"""Guardrails and steady state on what has been: how often they would have tripped without any fault. Pure.

A guardrail that trips in an ordinary week would abort a day that goes well, and one that people have learned to expect says nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gameday.language import Guardrail, Tolerance
from gameday.observation import Recent, Total, Verdict, Yardstick
from gameday.probe import Baseline, Sample

Past = Sequence[tuple[datetime, float]]
"""Readings of one probe in order of time, in its base unit; where there was none, there is none."""


@dataclass(frozen=True)
class Trips:
    """When a guardrail would have begun to hold."""

    guardrail: Guardrail
    at: tuple[datetime, ...]


@dataclass(frozen=True)
class Held:
    """How much of the past a tolerance of the steady state held, and how long it did not at the longest."""

    tolerance: Tolerance
    share: float
    longest: timedelta


def baseline_of(probe: str, past: Past) -> Baseline:
    """What stands for pre-check's baseline: the median of all that is known."""
    return Baseline(probe=probe, median=statistics.median(value for _, value in past) if past else None, known=len(past))


def trips(yardstick: Yardstick, guardrail: Guardrail, past: Past, every: timedelta, day: timedelta) -> Trips:
    """When a guardrail would have tripped, each time once, as long as it holds.

    Args:
        every: the time between two ticks; after a gap of three, samples are counted anew.
        day: how long a game day is: totals begin anew after it.
    """
    memory, found, held = Recent(), [], False
    total, opened, before = Total(), past[0][0] if past else None, None
    for at, value in past:
        assert opened is not None
        if before is not None and at - before > 3 * every:
            memory, held = Recent(), False
        if guardrail.in_total and at - opened >= day:
            total, opened, held = Total(), at, False
        before = at
        if guardrail.in_total:
            total = total.after(value)
        elif not any(memory.hits) and not _hits(yardstick, guardrail, value):
            held = False  # most of the past is like this
            continue
        sample = Sample(probe=guardrail.probe, at=at, value=value)
        memory, holds = yardstick.guard(guardrail, memory, at, sample, {guardrail.probe: total}, False)
        if holds and not held:
            found.append(at)
        held = holds
    return Trips(guardrail, tuple(found))


def _hits(yardstick: Yardstick, guardrail: Guardrail, value: float) -> bool:
    return bool(guardrail.tolerance and guardrail.tolerance.holds(value, yardstick.unit(guardrail.probe), yardstick.baseline(guardrail.probe)))


def held(yardstick: Yardstick, tolerance: Tolerance, past: Past, every: timedelta) -> Held:
    """How a tolerance of the steady state held."""
    good, longest, broke, before = 0, timedelta(0), None, None
    for at, value in past:
        if before is not None and at - before > 3 * every:
            broke = None
        before = at
        if yardstick.judge(tolerance, Sample(probe=tolerance.probe, at=at, value=value)) is Verdict.GOOD:
            good, broke = good + 1, None
        else:
            broke = broke or at
            longest = max(longest, at - broke + every)
    return Held(tolerance, good / len(past) if past else 0.0, longest)
