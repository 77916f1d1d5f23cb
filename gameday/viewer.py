"""Who is looking: a record as somebody may see it who must not know yet what a sealed scenario is.

It fails closed: of a hidden scenario only what is listed here passes, so that an event or a key added later is hidden until somebody lets it through.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gameday.event import Event, EventKind
from gameday.plan import RunKind
from gameday.playbook import Alerts, Fault, Playbook, Scenario
from gameday.record import RunRecord
from gameday.verdicts import Outcome

HIDDEN = "a scenario is running"
"""All that is said of a sealed scenario."""

_SHOWN: dict[EventKind, tuple[str, ...]] = {
    EventKind.RUN_STARTED: (),
    EventKind.CHECKLIST_TICKED: ("item",),
    EventKind.READY: (),
    EventKind.UNREADY: (),
    EventKind.HELD: (),
    EventKind.RESUMED: (),
    EventKind.ABORTED: ("by",),
    EventKind.PRESENCE_LOST: ("since", "until"),
    EventKind.PRESENCE_BACK: ("name",),
    EventKind.PRESENCE_WAIVED: (),
    EventKind.SCENARIO_BEGAN: (),
    EventKind.SCENARIO_ENDED: (),
    EventKind.CARD: ("say",),  # it plays the world outside, for those who must not know what is broken
    EventKind.RUN_ERROR: (),
    EventKind.RUN_ENDED: ("outcome", "exit_code"),  # a rehearsal, or a day that stood down: its seals stay shut
}
"""The events of the day and of a hidden scenario that anybody may see, each with the keys of its data that give nothing away."""


_ASKED = ("name", "what", "text", "by", "until")
"""What somebody is told who is asked by name to do something by hand in a hidden scenario."""


def hidden(record: RunRecord) -> frozenset[int]:
    """The scenarios that are sealed, neither revealed nor opened by the end of the run."""
    revealed = {event.scenario for event in record.of(EventKind.REVEALED)}
    over = record.ended and _was_played(record)
    if over or None in revealed or record.first(EventKind.REAL_CALLED):
        return frozenset()
    return frozenset(index for index, scenario in enumerate(record.plan.playbook.scenarios) if scenario.sealed and index not in revealed)


def _was_played(record: RunRecord) -> bool:
    """A rehearsal, a dry run and a day that did not begin leave the day itself still to come, and its seals shut."""
    ended = record.last(EventKind.RUN_ENDED)
    return record.plan.kind is RunKind.DAY and ended is not None and ended.text("outcome") != Outcome.STOOD_DOWN


def veil(record: RunRecord, who: str = "") -> RunRecord:
    """The record without anything that would give a hidden scenario away; the record itself where there is none.

    Args:
        who: looks at it. What this team member is asked to do by hand they must know; nobody else is told.
    """
    closed = hidden(record)
    if not closed:
        return record
    events = tuple(public for event in record.events if (public := _public(event, closed, who)))
    playbook = _playbook(record, closed)
    spans = [_span(record, index) for index in closed]
    samples = tuple(sample for sample in record.samples if not any(start <= sample.at < end for start, end in spans if start and end))
    plan = record.plan.model_copy(update={"playbook": playbook, "text": ""})
    return replace(record, plan=plan, events=events, samples=samples, missing=())


def _public(event: Event, closed: frozenset[int], who: str) -> Event | None:
    if event.scenario is not None and event.scenario not in closed:
        return event
    if event.kind is EventKind.FAULT_ASKED and who and event.text("by") == who:
        return event.model_copy(update={"data": {key: event.data[key] for key in _ASKED if key in event.data}, "fault": None})
    if event.kind not in _SHOWN:
        return None
    data = {key: event.data[key] for key in _SHOWN[event.kind] if key in event.data}
    title = {"title": HIDDEN} if event.kind is EventKind.SCENARIO_BEGAN else {}
    return event.model_copy(update={"data": data | title, "fault": None})


def _playbook(record: RunRecord, closed: frozenset[int]) -> Playbook:
    """The playbook with its hidden scenarios replaced, and without the alerts that only they would raise."""
    playbook = record.plan.playbook
    scenarios = tuple(_SEALED if index in closed else scenario for index, scenario in enumerate(playbook.scenarios))
    return playbook.model_copy(update={"scenarios": scenarios, "alerts": _alerts(record, closed), "variables": {}})


_SEALED = Scenario(title=HIDDEN, hypothesis=HIDDEN, sealed=True, faults=(Fault(name="sealed", inject="sealed"),))


def is_veiled(scenario: Scenario) -> bool:
    """Whether this is what stands in a hidden scenario's place."""
    return scenario == _SEALED


def _alerts(record: RunRecord, closed: frozenset[int]) -> Alerts | None:
    alerts = record.plan.playbook.alerts
    if alerts is None:
        return None
    fired = {event.text("alert") for event in record.of(EventKind.ALERT_FIRING) if event.scenario is not None and event.scenario not in closed}
    return alerts.model_copy(update={"expected": tuple(name for name in alerts.expected if name in fired)})


def _span(record: RunRecord, index: int) -> tuple[datetime | None, datetime | None]:
    """From the first event of a scenario to the first of the next one."""
    start = min((event.at for event in record.events if event.scenario == index), default=None)
    later = [event.at for event in record.events if event.scenario is not None and event.scenario > index]
    return start, min(later, default=datetime.max.replace(tzinfo=start.tzinfo) if start else None)
