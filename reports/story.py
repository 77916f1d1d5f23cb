"""The story of one scenario, and of the day: what the record says, computed once and asked by every part of a report."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from pydantic import ValidationError

from gameday.clocks import Bill, Clocks, bill, clocks
from gameday.event import Event, EventKind
from gameday.fault import FaultOutcome
from gameday.observation import Yardstick
from gameday.playbook import Scenario
from gameday.probe import Sample
from gameday.record import FaultStory, Phase, RunRecord, Span
from gameday.verdicts import Judgement, judge, points, scenario_outcome
from reports.probes import counters

NOT_ENDED = "not ended"


@dataclass(frozen=True)
class Story:
    """One scenario that began."""

    record: RunRecord
    index: int

    @cached_property
    def scenario(self) -> Scenario:
        return self.record.plan.playbook.scenarios[self.index]

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What happened in it, in order of time: also what concerned the whole day meanwhile, and notes of the debrief after it."""
        return tuple(sorted((event for event in self.record.events if self._is_mine(event)), key=lambda event: event.at))

    def _is_mine(self, event: Event) -> bool:
        if event.scenario is not None:
            return event.scenario == self.index
        debriefed = event.kind is EventKind.NOTE and event.at >= self.began and not (self._next_began and event.at >= self._next_began)
        return debriefed or self.covers(event.at)

    @cached_property
    def began(self) -> datetime:
        return min(event.at for event in self.record.events if event.scenario == self.index)

    @cached_property
    def ended(self) -> datetime | None:
        """When it was over; None while it lasts, or when the record stops before."""
        over = self.record.last(EventKind.SCENARIO_ENDED, EventKind.SCENARIO_STOOD_DOWN, scenario=self.index)
        return over.at if over else None

    def covers(self, at: datetime) -> bool:
        return self.began <= at < (self.ended or self._next_began or datetime.max.replace(tzinfo=at.tzinfo))

    @cached_property
    def _next_began(self) -> datetime | None:
        return min((e.at for e in self.record.events if e.scenario is not None and e.scenario > self.index), default=None)

    @cached_property
    def phases(self) -> list[Span]:
        return self.record.phases(self.index)

    @cached_property
    def faults(self) -> list[FaultStory]:
        return self.record.faults(self.index)

    @cached_property
    def injected(self) -> datetime | None:
        return self.record.injected_at(self.index)

    @cached_property
    def zero(self) -> datetime:
        """What offsets are counted from: inject, or the beginning when nothing was injected."""
        return self.injected or self.began

    @cached_property
    def gone(self) -> datetime | None:
        return self.record.gone_at(self.index)

    @cached_property
    def clocks(self) -> Clocks:
        return clocks(self.record, self.index)

    @cached_property
    def bill(self) -> Bill:
        return bill(self.record, self.index) if self.phases else Bill(timedelta(), 0, 0, {})

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """As told on the day: what becomes known later takes no verdict back. Judged now where none was told."""
        told = self.record.last(EventKind.VERDICTS, scenario=self.index)
        found = told.data.get("judgements") if told else None
        with contextlib.suppress(ValidationError):  # of another version
            if isinstance(found, list):
                return tuple(Judgement.model_validate(each) for each in found)
        return judge(self.record, self.index)

    @cached_property
    def yardstick(self) -> Yardstick:
        return self.record.plan.yardstick(self.record.baselines(self.index))

    @cached_property
    def samples(self) -> list[Sample]:
        return [sample for sample in self.record.samples if self.covers(sample.at)]

    @cached_property
    def counters(self) -> frozenset[str]:
        return counters(self.record)

    @cached_property
    def watched_until(self) -> datetime | None:
        """The end of recover: what is measured later belongs to nobody."""
        analyze = self.record.phase(self.index, Phase.ANALYZE)
        return analyze.start if analyze else self.ended

    @cached_property
    def outcome(self) -> str:
        """How it ended: as recorded, else as the record allows to say."""
        over = self.record.last(EventKind.SCENARIO_ENDED, EventKind.SCENARIO_STOOD_DOWN, scenario=self.index)
        if over is not None:
            return over.text("outcome") or "stood-down"
        return str(scenario_outcome(self.record, self.index)) if self.record.ended else NOT_ENDED

    @cached_property
    def points(self) -> str:
        """`hypothesis upheld in 3 of 4 points`: what was not needed could neither be upheld nor refuted, and is not counted."""
        upheld, needed = points(each.word for each in self.judgements)
        return f"hypothesis upheld in {upheld} of {needed} {'point' if needed == 1 else 'points'}" if needed else "nothing to judge"

    def unproven(self) -> list[FaultStory]:
        """Faults that are dirty, or whose end the record does not have."""
        return [fault for fault in self.faults if fault.outcome in (None, FaultOutcome.DIRTY) and (fault.active_at or fault.armed_at)]


@dataclass(frozen=True)
class Day:
    """A run as the report tells it. `closed` are the scenarios that this reader may not see into."""

    record: RunRecord
    closed: frozenset[int] = frozenset()

    @cached_property
    def stories(self) -> tuple[Story, ...]:
        """The scenarios of which anything is known and may be told. A fault's own events count, even if nobody recorded that its scenario began."""
        known = {event.scenario for event in self.record.events if event.scenario is not None} - self.closed
        return tuple(Story(self.record, index) for index in sorted(known) if index < len(self.record.plan.playbook.scenarios))

    @cached_property
    def outcome(self) -> str:
        return self.record.outcome or NOT_ENDED

    @cached_property
    def last_at(self) -> datetime:
        """The last moment that the record knows of."""
        moments = [event.at for event in self.record.events[-50:]] + [sample.at for sample in self.record.samples[-1:]]
        return max([self.record.plan.started_at, *moments])

    def unproven(self) -> list[tuple[Story, FaultStory]]:
        return [(story, fault) for story in self.stories for fault in story.unproven()]

    def between_scenarios(self) -> list[Event]:
        """What happened outside every scenario, in order of time."""
        told = {event.id for story in self.stories for event in story.events}
        return sorted((event for event in self.record.events if event.id not in told), key=lambda event: event.at)
