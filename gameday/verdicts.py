"""Judging expectations from the record, each with the evidence that decided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from gameday.clocks import clocks, recovery_began
from gameday.event import Event, EventKind
from gameday.fault import FaultOutcome
from gameday.language import Clock, Expectation, Op
from gameday.model import Line, Model, one_line
from gameday.observation import Verdict, ticks
from gameday.record import Phase, RunRecord
from gameday.units import clock, spoken

UNKNOWN_SHARE = 0.2
"""More unknown samples than this make a tolerance throughout `unknown` (docs/language.md)."""


class Word(StrEnum):
    UPHELD = "upheld"
    REFUTED = "refuted"
    NOT_REACHED = "not reached"
    UNKNOWN = "unknown"
    NOT_NEEDED = "not needed"


class Judgement(Model):
    """One expectation, its verdict, and in one line what was seen."""

    expectation: Line
    word: Word
    seen: Line


class Outcome(StrEnum):
    """How a scenario or a run ended; the worst of its parts wins, in this order."""

    DIRTY = "dirty"
    ERROR = "error"
    ABORTED = "aborted"
    FAILED = "failed"
    PASSED = "passed"
    STOOD_DOWN = "stood-down"


EXIT_CODES = {
    Outcome.PASSED: 0,
    Outcome.FAILED: 1,
    Outcome.ABORTED: 3,
    Outcome.STOOD_DOWN: 4,
    Outcome.ERROR: 5,
    Outcome.DIRTY: 6,
}


def worst(outcomes: list[Outcome]) -> Outcome:
    """The worst outcome; `stood-down` when there is none, or when nothing was injected anywhere."""
    order = list(Outcome)
    return min(outcomes, key=order.index, default=Outcome.STOOD_DOWN)


def points(words: Iterable[str]) -> tuple[int, int]:
    """Of verdicts, how many are upheld, and how many were needed: what was not needed could be neither upheld nor refuted."""
    needed = [word for word in words if word != Word.NOT_NEEDED]
    return sum(word == Word.UPHELD for word in needed), len(needed)


def judge(record: RunRecord, scenario: int) -> tuple[Judgement, ...]:
    """Every expectation of a scenario, judged by what the record holds now."""
    return tuple(_judge(record, scenario, expectation) for expectation in record.plan.playbook.scenarios[scenario].expect)


def _judge(record: RunRecord, scenario: int, expectation: Expectation) -> Judgement:
    if record.injected_at(scenario) is None:
        return Judgement(expectation=str(expectation), word=Word.NOT_REACHED, seen="nothing was injected")
    if expectation.tolerance:
        word, seen = _throughout(record, scenario, expectation)
    elif expectation.alert:
        word, seen = _alert(record, scenario, expectation)
    else:
        word, seen = _clock(record, scenario, expectation)
    return Judgement(expectation=str(expectation), word=word, seen=one_line(seen))


def _throughout(record: RunRecord, scenario: int, expectation: Expectation) -> tuple[Word, str]:
    tolerance, injected = expectation.tolerance, record.injected_at(scenario)
    assert tolerance is not None and injected is not None  # the caller chose this branch
    recover = record.phase(scenario, Phase.RECOVER)
    yardstick = record.plan.yardstick(record.baselines(scenario))
    mine = [tick.get(tolerance.probe) for _, tick in ticks(record.between(injected, recover.start if recover else None))]
    judged = [(sample, yardstick.judge(tolerance, sample)) for sample in mine]
    known = [sample for sample, verdict in judged if sample and verdict is not Verdict.UNKNOWN and sample.value is not None]
    if not judged:
        return _unless_cut_short(record, scenario, "no sample was taken while the fault was on", Phase.RECOVER)
    unknown = len(judged) - len(known)
    tail = f"; {unknown} of {len(judged)} samples unknown" if unknown else f"; {len(judged)} samples"
    limit = tolerance.limit(yardstick.unit(tolerance.probe), yardstick.baseline(tolerance.probe)) or 0.0
    extreme = max(known, key=lambda sample: _badness(tolerance.op, sample.value or 0.0, limit), default=None)
    if extreme is None:
        return Word.UNKNOWN, f"no sample was known{tail}"
    worst_seen = f"worst sample {yardstick.show(tolerance.probe, extreme.value)} at +{clock(extreme.at - injected)}{tail}"
    if any(verdict is Verdict.BAD for _, verdict in judged):
        return Word.REFUTED, worst_seen
    if unknown > UNKNOWN_SHARE * len(judged):
        return Word.UNKNOWN, worst_seen
    return Word.UPHELD, worst_seen


def _unless_cut_short(record: RunRecord, scenario: int, seen: str, upto: Phase) -> tuple[Word, str]:
    """Nobody watched: unknown, unless the scenario was ended early, before this phase, or has not come to it."""
    end = record.phase(scenario, upto)
    cut_short = _cut_short(record, scenario, end.start if end else _now(record))
    return (Word.NOT_REACHED if cut_short or not end else Word.UNKNOWN), seen


def _badness(op: Op, value: float, limit: float) -> float:
    """How bad a value is, to find the worst of several."""
    return value if op in (Op.BELOW, Op.AT_MOST) else -value if op in (Op.ABOVE, Op.AT_LEAST) else abs(value - limit)


def _alert(record: RunRecord, scenario: int, expectation: Expectation) -> tuple[Word, str]:
    injected = record.injected_at(scenario)
    assert injected is not None and expectation.within is not None
    for event in sorted(record.of(EventKind.ALERT_FIRING, scenario=scenario), key=lambda event: event.at):
        if event.text("alert") == expectation.alert and event.at >= injected:
            after = event.at - injected
            return (Word.UPHELD if after <= expectation.within else Word.REFUTED), f"firing at +{clock(after)}"
    return _unless_unread(record, scenario, *_in_time(record, scenario, injected + expectation.within, "it never fired"))


def _clock(record: RunRecord, scenario: int, expectation: Expectation) -> tuple[Word, str]:
    assert expectation.clock is not None and expectation.within is not None
    reading = clocks(record, scenario)[expectation.clock]
    if not reading.needed:
        return Word.NOT_NEEDED, reading.how
    if not reading.known:
        return _unless_cut_short(record, scenario, reading.how, Phase.ANALYZE if expectation.clock is Clock.RECOVER else Phase.RECOVER)
    if reading.after is not None:
        if reading.earliest is not None and reading.earliest <= expectation.within < reading.after:
            return Word.UNKNOWN, f"between {spoken(reading.earliest)} and {spoken(reading.after)}: no sample was known in between"
        word = Word.UPHELD if reading.after <= expectation.within else Word.REFUTED
        return word, f"after {spoken(reading.after)}: {reading.how}"
    recovering = expectation.clock is Clock.RECOVER
    start = recovery_began(record, scenario) if recovering else record.injected_at(scenario)
    if start is None:
        return Word.NOT_REACHED, "the fault is not proven gone"
    judged = _in_time(record, scenario, start + expectation.within, f"not {expectation.clock}", recovering)
    return _unless_unread(record, scenario, *judged) if expectation.clock is Clock.DETECT and record.plan.named_alerts else judged


def _unless_unread(record: RunRecord, scenario: int, word: Word, seen: str) -> tuple[Word, str]:
    """What no alert has said is not known where alerts could not be read: silence is no answer."""
    unread = alerts_unread(record, scenario)
    if word is not Word.REFUTED or unread is None:
        return word, seen
    return Word.UNKNOWN, f"{seen}, as far as is known: {unread.text('reason')}"


def alerts_unread(record: RunRecord, scenario: int) -> Event | None:
    """When first nobody could read the alerts of a scenario, from inject on: they could not be read, or nobody watched."""
    inject = record.phase(scenario, Phase.INJECT)
    gaps = record.of(EventKind.OBSERVER_GAP, scenario=scenario)
    return next((gap for gap in gaps if inject and gap.at >= inject.start and gap.text("alerts") != "read"), None)


def _in_time(record: RunRecord, scenario: int, deadline: datetime, what: str, recovering: bool = False) -> tuple[Word, str]:
    """Refuted once the time was there to reach it; not reached when the scenario ended before."""
    after = record.phase(scenario, Phase.ANALYZE if recovering else Phase.RECOVER)
    end = after.start if after else _now(record)
    if end >= deadline:
        return Word.REFUTED, f"{what} in time"
    if after is None and record.ended is None:
        return Word.NOT_REACHED, f"{what} so far; the record stops here"
    why = _cut_short(record, scenario, end) or "the scenario ended"
    return Word.NOT_REACHED, f"{what}; {why} {spoken(deadline - end)} before its time was up"


def _now(record: RunRecord) -> datetime:
    """The last moment of which the record knows anything."""
    return max([event.at for event in record.events] + [sample.at for sample in record.samples[-1:]])


def _cut_short(record: RunRecord, scenario: int, before: datetime) -> str:
    """Who ended the scenario before its own end; empty when nobody did."""
    for event in record.of(EventKind.ABORTED, EventKind.SKIPPED):
        if event.at <= before and event.scenario in (None, scenario):
            return "the run was aborted" if event.kind is EventKind.ABORTED else "the scenario was skipped"
    return ""


_TOUCHED = frozenset({FaultOutcome.REVERTED, FaultOutcome.EXPIRED, FaultOutcome.NEUTRALISED})
"""Ends of what was on, in part at least: nobody stood down from that."""


def scenario_outcome(record: RunRecord, scenario: int) -> Outcome:
    """The outcome of one scenario, from the record."""
    stories = record.faults(scenario)
    taken_back = {event.fault for event in record.of(EventKind.FAULT_FAILED, scenario=scenario)}
    unproven = [story for story in stories if not story.outcome and (story.active_at or (story.armed_at and story.fault_id not in taken_back))]
    if unproven or any(story.outcome == "dirty" for story in stories):
        return Outcome.DIRTY
    if any(event.scenario in (None, scenario) for event in record.of(EventKind.RUN_ERROR)):
        return Outcome.ERROR
    injected = record.injected_at(scenario)
    if any(event.scenario == scenario for event in record.of(EventKind.ABORTED)):
        return Outcome.ABORTED
    if injected is None:
        return Outcome.ERROR if any(story.outcome in _TOUCHED for story in stories) else Outcome.STOOD_DOWN
    if taken_back:
        return Outcome.ERROR  # not all of its faults could be put on: nothing is known of the hypothesis
    words = [judgement.word for judgement in judge(record, scenario)]
    return Outcome.FAILED if Word.REFUTED in words or Word.UNKNOWN in words else Outcome.PASSED
