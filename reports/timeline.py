"""What happened, machines and people in one order of time. The words are those of the live view: one function says each event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gameday.event import Event, EventKind
from gameday.lines import line
from gameday.observation import Yardstick
from gameday.plan import Plan
from gameday.probe import Baseline
from reports.story import Story
from reports.words import listed, local_time, offset

MACHINE = "gameday"
_ELSEWHERE = frozenset({EventKind.VERDICTS})
"""Told by the tables of the report, or by the event that follows."""


@dataclass(frozen=True)
class Moment:
    """One line of a timeline."""

    at: datetime
    time: str
    offset: str
    what: str
    text: str
    who: str


@dataclass
class _Seen:
    """What `line` wants to know besides the event."""

    plan: Plan
    injected_at: datetime | None = None


def scenario_timeline(story: Story) -> list[Moment]:
    """One scenario, with the clocks among the facts that stopped them."""
    zone, plan = story.record.plan.zone, story.record.plan
    told = [(event.at, *_with_detection(event, story, *_said(event, plan, story)), event.actor or MACHINE) for event in story.events]
    told += [(at, word, how, "computed") for at, word, how in _stops(story)]
    told.sort(key=lambda item: item[0])
    return [Moment(at, local_time(at, zone), offset(at, story.injected), what, text, who) for at, what, text, who in told if text]


def day_timeline(plan: Plan, events: list[Event]) -> list[Moment]:
    """What happened outside the scenarios."""
    told = [(event, *_said(event, plan)) for event in events]
    return [Moment(event.at, local_time(event.at, plan.zone), "", what, text, event.actor or MACHINE) for event, what, text in told if text]


def _stops(story: Story) -> list[tuple[datetime, str, str]]:
    """The clocks that samples stopped; an alert or a mark says itself that it stopped one."""
    readings = {"mitigated": story.clocks.mitigate, "recovered": story.clocks.recover}
    return [(reading.at, word, reading.how) for word, reading in readings.items() if reading.at]


def _with_detection(event: Event, story: Story, what: str, text: str) -> tuple[str, str]:
    detected = event.kind is EventKind.ALERT_FIRING and event.at == story.clocks.detect.at
    return what, f"{text}: detected" if detected and text else text


def _said(event: Event, plan: Plan, story: Story | None = None) -> tuple[str, str]:
    """What kind of thing an event is, and what it says; two empty texts for what is told elsewhere."""
    if event.kind in _ELSEWHERE:
        return "", ""
    if event.kind is EventKind.BASELINE:
        return "baseline", _baseline(event, story.yardstick, story.counters) if story else ""
    if event.kind is EventKind.FAULT_REVERTING:
        return "revert", f"{event.text('name')} is taken off: {event.text('reason')}"
    try:
        said = line(event, _Seen(plan))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return str(event.kind), "(recorded in a form that cannot be read)"
    if said is None:
        return "", ""
    return "note" if event.kind is EventKind.NOTE else said.what, said.text.removesuffix(":")


def _baseline(event: Event, yardstick: Yardstick, counters: frozenset[str]) -> str:
    measured = event.data.get("baselines")
    baselines = [Baseline.model_validate(item) for item in measured] if isinstance(measured, list) else []
    return listed(f"{each.probe} {yardstick.show(each.probe, each.median)}" for each in baselines if each.probe not in counters)
