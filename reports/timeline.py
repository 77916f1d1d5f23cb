"""What happened, machines and people in one order of time, each fact in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gameday.clocks import Reading
from gameday.commands import NoteAbout
from gameday.event import Event, EventKind
from gameday.fault import FaultOutcome
from gameday.observation import Yardstick
from gameday.plan import Plan
from gameday.probe import Baseline
from reports.proofs import read_back, steps_of, took
from reports.story import Story
from reports.words import listed, local_time, milliseconds, offset, said

MACHINE = "gameday"


@dataclass(frozen=True)
class Moment:
    """One line of a timeline."""

    time: str
    offset: str
    what: str
    who: str


def scenario_timeline(story: Story) -> list[Moment]:
    """One scenario, with the three clocks among the facts that stopped them."""
    lines = [(event.at, _what(event, story), event.actor or MACHINE) for event in story.events]
    lines += [(at, what, "computed") for at, what in _stops(story)]
    zone = story.record.plan.zone
    told = sorted(((at, what, who) for at, what, who in lines if what), key=lambda line: line[0])
    return [Moment(local_time(at, zone), offset(at, story.injected), what, who) for at, what, who in told]


def day_timeline(plan: Plan, events: list[Event]) -> list[Moment]:
    """What happened outside the scenarios."""
    told = [(event, what) for event in events if (what := _said(event, plan.yardstick()))]
    return [Moment(local_time(event.at, plan.zone), "", what, event.actor or MACHINE) for event, what in told]


def _stops(story: Story) -> list[tuple[datetime, str]]:
    """The clocks that samples stopped; an alert or a mark says itself that it stopped one."""
    readings = {"mitigated": story.clocks.mitigate, "recovered": story.clocks.recover}
    return [(reading.at, f"{word}: {reading.how}") for word, reading in readings.items() if reading.at]


def _what(event: Event, story: Story) -> str:
    text = _said(event, story.yardstick, story.counters)
    return f"{text} (detected)" if text and _is(event, story.clocks.detect) else text


def _is(event: Event, reading: Reading) -> bool:
    return event.at == reading.at and event.kind is EventKind.ALERT_FIRING


def _said(event: Event, yardstick: Yardstick, counters: frozenset[str] = frozenset()) -> str:
    if event.kind is EventKind.BASELINE:
        return _baseline(event, yardstick, counters)
    words = _WORDS.get(event.kind)
    return words(event) if words else ""


def _baseline(event: Event, yardstick: Yardstick, counters: frozenset[str]) -> str:
    measured = event.data.get("baselines")
    baselines = [Baseline.model_validate(item) for item in measured] if isinstance(measured, list) else []
    told = listed(f"{each.probe} {yardstick.show(each.probe, each.median)}" for each in baselines if each.probe not in counters)
    return f"baseline measured: {told}" if told else ""


def _with_reason(text: str) -> Callable[[Event], str]:
    return lambda event: text + (f": {event.text('reason')}" if event.text("reason") else "")


def _active(event: Event) -> str:
    took_ms = took(event)
    on = f"{event.text('name')} is on: {event.text('label')}"
    return on if took_ms is None else f"{on} (read back in {milliseconds(took_ms)})"


def _ended(event: Event) -> str:
    took_ms, spent = took(event), event.text("outcome") == FaultOutcome.SPENT
    parts = [
        f"{event.text('name')} {event.text('outcome')}" + (f" in {milliseconds(took_ms)}" if took_ms is not None else ""),
        "" if spent else read_back(steps_of(event)),
        event.text("reason") and f"reason: {event.text('reason')}",
    ]
    return "; ".join(part for part in parts if part)


_NOTES = {
    NoteAbout.WENT_WELL: "went well: ",
    NoteAbout.WENT_WRONG: "went wrong: ",
    NoteAbout.LUCKY: "lucky: ",
    NoteAbout.ACTION: "action: ",
}


def _note(event: Event) -> str:
    about = event.text("about")
    return (_NOTES[NoteAbout(about)] if about in set(_NOTES) else "") + said(event.text("text"))


def _targets(event: Event) -> str:
    found = event.data.get("targets")
    targets = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return "targets found: " + listed(f"{item.get('fault', '?')} on {item.get('label', '?')}" for item in targets) if targets else ""


def _aborted(event: Event) -> str:
    by = f" by {event.text('by')}" if event.text("by") not in ("", "person") else ""
    return f"abort{by}" + (f": {event.text('reason')}" if event.text("reason") else "")


def _joined(template: str, *keys: str) -> Callable[[Event], str]:
    return lambda event: template.format(*(event.text(key) for key in keys)).removesuffix(": ")


_WORDS: Mapping[EventKind, Callable[[Event], str]] = {
    EventKind.RUN_STARTED: _joined("the day began"),
    EventKind.CHECKLIST_TICKED: _joined("ticked: {}", "item"),
    EventKind.READY: lambda event: "ready" + (f": {said(event.text('note'))}" if event.text("note") else ""),
    EventKind.GATE_WAITING: _joined("waiting for a go: {}", "gate"),
    EventKind.GATE_OPENED: _joined("go: {} ({})", "gate", "how"),
    EventKind.GATE_SILENT: _joined("nobody said go: {}", "gate"),
    EventKind.HELD: _with_reason("hold"),
    EventKind.RESUMED: _with_reason("resumed"),
    EventKind.TARGETS_FOUND: _targets,
    EventKind.SCENARIO_BEGAN: _joined("scenario began: {}", "title"),
    EventKind.SCENARIO_STOOD_DOWN: _with_reason("stood down"),
    EventKind.SCENARIO_ENDED: _joined("scenario ended: {}", "outcome"),
    EventKind.PHASE_BEGAN: _joined("phase {}", "phase"),
    EventKind.NOT_STEADY: _joined("not steady: {}", "what"),
    EventKind.FAULT_ARMED: _joined("{} armed: {}", "name", "label"),
    EventKind.FAULT_ACTIVE: _active,
    EventKind.FAULT_FAILED: lambda event: f"{event.text('name')} could not be put on: {event.text('reason')}",
    EventKind.FAULT_REVERTING: lambda event: f"taking {event.text('name')} off: {event.text('reason')}",
    EventKind.FAULT_ENDED: _ended,
    EventKind.FAULT_DIRTY: lambda event: f"{event.text('name')} is dirty: it could not be proven gone",
    EventKind.ALERT_FIRING: _joined("alert {} is firing", "alert"),
    EventKind.ALERT_RESOLVED: _joined("alert {} resolved", "alert"),
    EventKind.STEADY_LOST: _joined("steady state lost: {}", "what"),
    EventKind.STEADY_BACK: _joined("steady state back for {} samples", "samples"),
    EventKind.BREACH: _joined("guardrail {} holds: {}", "guardrail", "seen"),
    EventKind.OBSERVER_GAP: _joined("nothing was measured for {} s: {}", "seconds", "reason"),
    EventKind.CARD: lambda event: f"card: {said(event.text('say'))}",
    EventKind.NOTE: _note,
    EventKind.MARK: _joined("marked as {}", "clock"),
    EventKind.REVEALED: _with_reason("revealed"),
    EventKind.SKIPPED: _with_reason("skipped"),
    EventKind.EXTENDED: _joined("extended by {}", "by"),
    EventKind.ABORTED: _aborted,
    EventKind.RUN_ERROR: _joined("error of the run: {}", "what"),
    EventKind.RUN_ENDED: _joined("the day ended: {}", "outcome"),
}
"""What a timeline says of each kind of event; it says nothing of those that only repeat what another one says."""
