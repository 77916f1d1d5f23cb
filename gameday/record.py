"""The run record: playbook, events and samples of one run, and the questions that report, replay and verdicts ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from gameday.event import Event, EventKind
from gameday.fault import FaultOutcome
from gameday.plan import Plan
from gameday.playbook import Scenario
from gameday.probe import Baseline, Sample


class Phase(StrEnum):
    PRE_CHECK = "pre-check"
    INJECT = "inject"
    OBSERVE = "observe"
    RECOVER = "recover"
    ANALYZE = "analyze"


@dataclass(frozen=True)
class Span:
    """A stretch of time; `end` is None while it lasts, or when the record stops before its end."""

    name: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class FaultStory:
    """One fault from the record: when it was on, how it ended, and the event that proves it."""

    fault_id: str
    name: str
    label: str
    kind: str
    armed_at: datetime | None
    active_at: datetime | None
    ended_at: datetime | None
    outcome: FaultOutcome | None
    reason: str
    ended: Event | None
    active: Event | None

    @property
    def was_begun(self) -> bool:
        """Whether it was ever on, or may have been."""
        return bool(self.armed_at or self.active_at or self.outcome is FaultOutcome.DIRTY)


@dataclass(frozen=True)
class RunRecord:
    """All that is known of a run. Events are in the order of the store, samples in order of time.

    `chain` says whether the store's hash chain was verified, in words for people; `missing` what is known to be missing.
    """

    plan: Plan
    events: tuple[Event, ...]
    samples: tuple[Sample, ...]
    chain: str = ""
    missing: tuple[str, ...] = field(default=())

    @property
    def run_id(self) -> str:
        return self.plan.run_id

    def of(self, *kinds: EventKind, scenario: int | None = None) -> Iterator[Event]:
        """Events of these kinds (of one scenario), in order."""
        return (event for event in self.events if event.kind in kinds and (scenario is None or event.scenario == scenario))

    def first(self, *kinds: EventKind, scenario: int | None = None) -> Event | None:
        return next(self.of(*kinds, scenario=scenario), None)

    def last(self, *kinds: EventKind, scenario: int | None = None) -> Event | None:
        return next(iter(reversed(list(self.of(*kinds, scenario=scenario)))), None)

    @property
    def ended(self) -> Event | None:
        return self.last(EventKind.RUN_ENDED)

    @property
    def outcome(self) -> str | None:
        """The outcome of the run, None while it lasts or when it was killed half-way."""
        return self.ended.text("outcome") if self.ended else None

    def scenarios(self) -> list[tuple[int, Scenario]]:
        """The scenarios that the record knows of, by index; a killed run may have lost their beginning."""
        began = {event.scenario for event in self.events if event.scenario is not None}
        return [(index, scenario) for index, scenario in enumerate(self.plan.playbook.scenarios) if index in began]

    def phases(self, scenario: int) -> list[Span]:
        """The phases of a scenario, each ending where the next begins."""
        begins = list(self.of(EventKind.PHASE_BEGAN, scenario=scenario))
        if not begins:
            return []
        over = self.last(EventKind.SCENARIO_ENDED, EventKind.SCENARIO_STOOD_DOWN, scenario=scenario)
        ends = [event.at for event in begins[1:]] + [over.at if over else None]
        return [Span(event.text("phase"), event.at, end) for event, end in zip(begins, ends, strict=True)]

    def phase(self, scenario: int, phase: Phase) -> Span | None:
        return next((span for span in self.phases(scenario) if span.name == phase), None)

    def faults(self, scenario: int | None = None) -> list[FaultStory]:
        """Each fault of the scenario (of the run) that was armed or failed, in order of its first event."""
        kinds = (EventKind.FAULT_ARMED, EventKind.FAULT_ACTIVE, EventKind.FAULT_FAILED, EventKind.FAULT_DIRTY, EventKind.FAULT_ENDED)
        ids = dict.fromkeys(event.fault for event in self.of(*kinds, scenario=scenario) if event.fault)
        return [self._fault(each) for each in ids]

    def _fault(self, fault_id: str) -> FaultStory:
        mine = [event for event in self.events if event.fault == fault_id]
        at = {event.kind: event for event in mine}
        ended, active, armed = at.get(EventKind.FAULT_ENDED), at.get(EventKind.FAULT_ACTIVE), at.get(EventKind.FAULT_ARMED)
        failed = at.get(EventKind.FAULT_FAILED)
        known = ended or active or armed or mine[0]
        dirty = EventKind.FAULT_DIRTY in at and ended is None
        outcome = FaultOutcome(ended.text("outcome")) if ended else FaultOutcome.DIRTY if dirty else None
        return FaultStory(
            fault_id=fault_id,
            name=known.text("name"),
            label=known.text("label"),
            kind=next((event.text("kind") for event in mine if event.text("kind")), ""),
            armed_at=armed.at if armed else None,
            active_at=active.at if active else None,
            ended_at=off_at(ended, active.at if active else None) if ended else None,
            outcome=outcome,
            reason=known.text("reason") or (failed.text("reason") if failed else ""),
            ended=ended,
            active=active,
        )

    def injected_at(self, scenario: int) -> datetime | None:
        """When the first fault of a scenario was active: the zero of its offsets."""
        return min((fault.active_at for fault in self.faults(scenario) if fault.active_at), default=None)

    def gone_at(self, scenario: int) -> datetime | None:
        """When the last fault of a scenario was proven gone; None while one is on or dirty."""
        faults = [fault for fault in self.faults(scenario) if fault.active_at]
        ends = [fault.ended_at for fault in faults if fault.ended_at and fault.outcome is not FaultOutcome.DIRTY]
        return max(ends) if ends and len(ends) == len(faults) else None

    def baselines(self, scenario: int) -> tuple[Baseline, ...]:
        event = self.last(EventKind.BASELINE, scenario=scenario)
        measured: JsonValue = event.data.get("baselines", []) if event else []
        return tuple(Baseline.model_validate(item) for item in measured) if isinstance(measured, list) else ()

    def between(self, start: datetime, end: datetime | None) -> list[Sample]:
        """Samples with start <= at < end."""
        return [sample for sample in self.samples if sample.at >= start and (end is None or sample.at < end)]


def off_at(ended: Event, active_at: datetime | None) -> datetime:
    """When its host proved it gone: that may have been a while before the run heard of it. Never before it was on, nor after it was told."""
    told = ended.text("off_at")
    at = datetime.fromisoformat(told) if told else ended.at
    return min(max(at, active_at) if active_at else at, ended.at)
