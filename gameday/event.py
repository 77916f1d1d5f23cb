"""Events: the facts on a run's timeline. Report, replay and live view are folds over them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from gameday.model import Line, Model, Name


class EventKind(StrEnum):
    """What can happen. After each: the keys of `data`; what a person has said has `said` too: {by: their id, via, id: the command's}."""

    RUN_STARTED = "run.started"  # playbook, environment, approved, run: day, rehearsal or dry run, team: who plays
    REHEARSED = "rehearsed"  # state: ok, part or no, about, said
    CHECKLIST_TICKED = "checklist.ticked"  # item
    READY = "ready"  # note
    UNREADY = "unready"  # reason
    GATE_WAITING = "gate.waiting"  # gate, until
    GATE_OPENED = "gate.opened"  # gate, how
    GATE_SILENT = "gate.silent"  # gate, reason: what was missing when its time was over
    HELD = "held"  # reason
    RESUMED = "resumed"  # reason, gate_until: of the gate that waits, rest_until: of the debrief or break
    TARGETS_FOUND = "targets.found"  # seed, targets: [{fault, host, label}], digest: of that exact list
    GO_VOID = "go.void"  # reason: what was approved is not what would be touched now
    CLOCK_OFFSET = "clock.offset"  # host, offset_ms
    SCENARIO_BEGAN = "scenario.began"  # title, sealed, planned: when it waits for its time
    SCENARIO_STOOD_DOWN = "scenario.stood-down"  # reason
    SCENARIO_ENDED = "scenario.ended"  # outcome
    PHASE_BEGAN = "phase.began"  # phase, until
    REST_BEGAN = "rest.began"  # rest: debrief or break, until
    BASELINE = "baseline"  # baselines: [Baseline]
    NOT_STEADY = "not-steady"  # what: why pre-check refused
    FAULT_ARMED = "fault.armed"  # name, label, kind
    FAULT_ASKED = "fault.asked"  # name, label, kind, what: do or undo, text, by: of whom, until
    FAULT_ACTIVE = "fault.active"  # name, label, kind, took_ms, proof
    FAULT_FAILED = "fault.failed"  # name, reason
    FAULT_REVERTING = "fault.reverting"  # name, reason
    FAULT_ENDED = "fault.ended"  # name, label, outcome, reason, took_ms, off_at: when its host proved it, proof, problems
    FAULT_DIRTY = "fault.dirty"  # name, label, problems, plan
    ALERT_FIRING = "alert.firing"  # alert, expected, class: expected, unexpected, or unrelated (nothing had been put on)
    ALERT_RESOLVED = "alert.resolved"  # alert
    STEADY_LOST = "steady.lost"  # what: the first tolerance that did not hold
    STEADY_BACK = "steady.back"  # samples: how many in a row
    BREACH = "breach"  # guardrail, seen, limit, samples
    OBSERVER_GAP = "observer.gap"  # seconds, reason, alerts: unread, or read again
    CARD = "card"  # say
    NOTE = "note"  # text, about, owner, due
    MARK = "mark"  # clock
    REVEALED = "revealed"  # reason
    SKIPPED = "skipped"  # reason
    EXTENDED = "extended"  # by
    ABORTED = "aborted"  # reason, by: person, guardrail or clock
    REFUSED = "refused"  # verb, reason: what was said by a signal, which has no answer
    REAL_CALLED = "real.called"  # reason: a real incident has begun
    HANDED_OVER = "handed.over"  # to
    PRESENCE_LOST = "presence.lost"  # since: when somebody with authority was there last, until: then what the playbook says happens
    PRESENCE_BACK = "presence.back"  # name
    PRESENCE_WAIVED = "presence.waived"  # since: nobody was there, and the playbook says to go on
    PREDICTED = "predicted"  # questions, hash: of the guesses, which nobody sees before the scenario is over
    PREDICTIONS_OPENED = "predictions.opened"  # predictions: [Commitment], measured: [Measured]
    VERDICTS = "verdicts"  # judgements: [Judgement]
    RUN_ERROR = "run.error"  # what
    RUN_ENDED = "run.ended"  # outcome, exit_code, reason


class Event(Model):
    """One fact. `id` is derived, so that a second delivery is the same event; the store gives sequence and chain hash."""

    id: Line
    run_id: Name
    at: datetime
    kind: EventKind
    scenario: int | None = None
    fault: Name | None = None
    actor: Line | None = None
    data: dict[str, JsonValue] = Field(default_factory=dict)

    def text(self, key: str) -> str:
        """A value of `data` as text; empty where there is none."""
        value = self.data.get(key)
        return "" if value is None else str(value)


def event_id(run_id: str, kind: EventKind, *parts: object) -> str:
    """The id of an event, from what makes it one fact and not another."""
    return hashlib.sha256("\0".join((run_id, kind, *map(str, parts))).encode()).hexdigest()[:32]
