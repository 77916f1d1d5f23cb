"""The report for machines: what `gameday report --json` prints. The same numbers as in the postmortem, in base units and seconds."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from pydantic import JsonValue

from gameday.clocks import Bill, Reading
from gameday.event import Event, EventKind
from gameday.language import Clock
from gameday.record import RunRecord
from reports.appendix import versions
from reports.measures import Measure, measures
from reports.missing import missing
from reports.predicted import Scored, scored
from reports.proofs import Proof, proofs
from reports.sealed import seen
from reports.section import pictured_in_order
from reports.story import Story
from reports.surprises import surprises
from reports.timeline import Moment, day_timeline, scenario_timeline

Json = dict[str, JsonValue]


def summary(record: RunRecord, sealed_open: bool = False) -> Json:
    """The run as plain data. Sealed scenarios that are not revealed yet are only numbered, unless `sealed_open`.

    `clean` is None where that depends on what may not be shown.
    """
    day = seen(record, sealed_open)
    return {
        "run_id": record.run_id,
        "playbook": record.plan.playbook.name,
        "environment": record.plan.playbook.environment,
        "outcome": record.outcome,
        "started_at": record.plan.started_at.isoformat(),
        "ended_at": _moment(record.ended.at if record.ended else None),
        "reason": record.ended.text("reason") or None if record.ended else None,
        "people": [{"role": str(role), "name": person.name} for role, person in record.plan.playbook.team.members()],
        "started_by": record.plan.started_by.name,
        "checklist": _checklist(day.record),
        "clean": False if day.unproven() else None if day.closed else True,
        "chain": record.chain,
        "missing": [*missing(day)],
        "sealed": [index + 1 for index in sorted(day.closed)],
        "scenarios": [_scenario(story) for story in day.stories],
        "timeline": [_line(moment) for moment in day_timeline(day.record.plan, day.between_scenarios())],
        "notes": [_note(event) for event in day.record.of(EventKind.NOTE)],
        "versions": {**versions(day.record)},
    }


def _checklist(record: RunRecord) -> list[JsonValue]:
    ticked = {event.text("item"): event.actor for event in record.of(EventKind.CHECKLIST_TICKED)}
    return [{"item": each.item, "ticked_by": ticked.get(each.item)} for each in record.plan.playbook.checklist]


def _note(event: Event) -> Json:
    said = {key: event.text(key) or None for key in ("about", "text", "owner", "due")}
    return {"at": event.at.isoformat(), "by": event.actor, "scenario": None if event.scenario is None else event.scenario + 1, **said}


def _scenario(story: Story) -> Json:
    return {
        "number": story.index + 1,
        "title": story.scenario.title,
        "hypothesis": story.scenario.hypothesis,
        "outcome": story.outcome,
        "injected_at": _moment(story.injected),
        "gone_at": _moment(story.gone),
        "expectations": [judgement.model_dump(mode="json") for judgement in story.judgements],
        "clocks": {name: _clock(story.clocks[clock]) for name, clock in _CLOCKS.items()},
        "bill": _bill(story.bill, story.counters),
        "faults": [_fault(proof) for proof in proofs(story.record, story.index)],
        "measurements": {probe: {period: _measure(each) for period, each in measures(story, probe).items()} for probe in pictured_in_order(story)},
        "surprises": [*surprises(story)],
        "predictions": [_prediction(each) for each in scored(story.record, story.index)],
        "timeline": [_line(moment) for moment in scenario_timeline(story)],
    }


def _prediction(each: Scored) -> Json:
    return {
        "question": each.question.text,
        "by": each.name,
        "answer": each.guess.answer,
        "value": each.value,
        "measured": each.measured.value if each.measured else None,
        "off_by": each.factor if each.factor is not None and math.isfinite(each.factor) else None,
        "as_committed": each.committed,
    }


def _line(moment: Moment) -> Json:
    return {"at": moment.at.isoformat(), "what": moment.what, "text": moment.text, "who": moment.who}


_CLOCKS = {"detect": Clock.DETECT, "mitigate": Clock.MITIGATE, "recover": Clock.RECOVER}


def _clock(reading: Reading) -> Json:
    return {"seconds": _seconds(reading.after), "at": _moment(reading.at), "how": reading.how, "needed": reading.needed, "known": reading.known}


def _bill(bill: Bill, counters: frozenset[str]) -> Json:
    totals: Json = {probe: value for probe, value in bill.totals.items() if probe in counters}
    return {"outside_steady_state_seconds": bill.outside.total_seconds(), "unknown_samples": bill.unknown_ticks, "totals": totals}


def _fault(proof: Proof) -> Json:
    fault = proof.fault
    return {
        "id": fault.fault_id,
        "name": fault.name,
        "kind": fault.kind,
        "target": fault.label,
        "active_at": _moment(fault.active_at),
        "ended_at": _moment(fault.ended_at),
        "outcome": str(fault.outcome) if fault.outcome else None,
        "reason": proof.reason,
        "proven": proof.clean,
        "injected_ms": proof.injected_ms,
        "reverted_ms": proof.reverted_ms,
        "proof": [step.model_dump(mode="json") for step in proof.steps],
        "problems": [*proof.problems],
    }


def _measure(measure: Measure) -> Json:
    return {
        "samples": measure.samples,
        "unknown": measure.unknown,
        "median": measure.median,
        "worst": measure.worst,
        "increase": measure.increase,
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _seconds(value: timedelta | None) -> float | None:
    return value.total_seconds() if value is not None else None
