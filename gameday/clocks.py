"""The three clocks, computed from the record: detect, mitigate, recover. Meanings: docs/language.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gameday.event import EventKind
from gameday.language import Clock
from gameday.observation import Steadiness, Verdict, ticks
from gameday.probe import Sample
from gameday.record import Phase, RunRecord


@dataclass(frozen=True)
class Reading:
    """One clock of one scenario.

    `after` is None while it has not stopped; `earliest` is when it may have stopped already, where no sample was known before `at`.
    `needed` is False when steady state never broke, so that there was nothing to mitigate or recover; `known` is False where nobody
    watched, so that it cannot be told. `how` says what stopped it (or why not), `proof` are the samples (or none, for alerts and marks).
    """

    after: timedelta | None = None
    at: datetime | None = None
    how: str = ""
    needed: bool = True
    known: bool = True
    earliest: timedelta | None = None
    proof: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class Clocks:
    detect: Reading
    mitigate: Reading
    recover: Reading

    def __getitem__(self, clock: Clock) -> Reading:
        return {Clock.DETECT: self.detect, Clock.MITIGATE: self.mitigate, Clock.RECOVER: self.recover}[clock]


@dataclass(frozen=True)
class Bill:
    """What customers felt in one scenario: time outside steady state, and the increase of each counter over it."""

    outside: timedelta
    unknown_ticks: int
    ticks: int
    totals: dict[str, float]


def clocks(record: RunRecord, scenario: int) -> Clocks:
    """The three clocks of one scenario; all unset when nothing was injected."""
    injected = record.injected_at(scenario)
    if injected is None:
        return Clocks(Reading(), Reading(), Reading())
    broke, mitigate = _mitigate(record, scenario, injected)
    return Clocks(_detect(record, scenario, injected), mitigate, _recover(record, scenario, broke, mitigate))


def _detect(record: RunRecord, scenario: int, injected: datetime) -> Reading:
    names = record.plan.named_alerts
    for event in sorted(record.of(EventKind.ALERT_FIRING, EventKind.MARK, scenario=scenario), key=lambda event: event.at):
        if event.at < injected:
            continue
        if event.kind is EventKind.ALERT_FIRING and event.text("alert") in names:
            return Reading(event.at - injected, event.at, f"alert {event.text('alert')}")
        if event.kind is EventKind.MARK and event.text("clock") == Clock.DETECT:
            return Reading(event.at - injected, event.at, f"marked by {event.actor}")
    return Reading()


def _steadiness(
    record: RunRecord,
    scenario: int,
    start: datetime,
    end: datetime | None,
    broken: datetime | None = None,
    counts: Callable[[datetime], bool] = lambda _: True,
) -> Steadiness:
    yardstick = record.plan.yardstick(record.baselines(scenario))
    state = Steadiness(needed=record.plan.playbook.sampling.steady_samples, broke_at=broken)
    for at, tick in ticks(record.between(start, end)):
        verdict = yardstick.steady(tick)[0]
        state = state.after(at, verdict) if counts(at) else state.uncounted(at, verdict)
        if state.back_at:
            break
    return state


def _proof(record: RunRecord, state: Steadiness, end: datetime | None) -> tuple[Sample, ...]:
    if state.back_at is None:
        return ()
    names = {tolerance.probe for tolerance in record.plan.playbook.steady_state}
    grouped = ticks(record.between(state.back_at, end))[: state.needed]
    return tuple(sample for _, tick in grouped for name, sample in tick.items() if name in names)


def _mitigate(record: RunRecord, scenario: int, injected: datetime) -> tuple[datetime | None, Reading]:
    if not record.plan.playbook.steady_state:
        return None, Reading()
    if momentary(record, scenario):
        return None, Reading(needed=False, how="the fault was over in a moment: see recovered")
    end = _fault_end(record, scenario)
    on = [(fault.active_at, fault.ended_at) for fault in record.faults(scenario) if fault.active_at]
    state = _steadiness(record, scenario, injected, end, counts=lambda at: any(start <= at and (off is None or at < off) for start, off in on))
    if state.broke_at is None:
        return None, _never_broke(record, injected, end, "while the fault was on")
    if state.back_at is None:
        return state.broke_at, Reading()
    if not _was_bad(record, scenario, state.broke_at, state.back_at):
        return state.broke_at, Reading(known=False, how="not known: steady state was unknown for a while, and never seen broken")
    return state.broke_at, _stopped(record, scenario, state, injected, end, "still on")


def _was_bad(record: RunRecord, scenario: int, start: datetime, end: datetime) -> bool:
    yardstick = record.plan.yardstick(record.baselines(scenario))
    return any(yardstick.steady(tick)[0] is Verdict.BAD for _, tick in ticks(record.between(start, end)))


def _never_broke(record: RunRecord, start: datetime, end: datetime | None, when: str) -> Reading:
    """Nothing shows that steady state broke; where nobody looked, that says nothing."""
    if record.between(start, end):
        return Reading(needed=False, how="steady state never broke")
    return Reading(known=False, how=f"not known: no sample was taken {when}")


def _stopped(record: RunRecord, scenario: int, state: Steadiness, start: datetime, end: datetime | None, how: str) -> Reading:
    """Steady again, as of the first good sample of the row; where none was known right before it, perhaps earlier."""
    assert state.back_at is not None  # the caller saw to it
    yardstick, earliest = record.plan.yardstick(record.baselines(scenario)), state.back_at
    for at, tick in reversed(ticks(record.between(start, state.back_at))):
        if yardstick.steady(tick)[0] is not Verdict.UNKNOWN:
            break
        earliest = at
    said = f"steady for {state.needed} samples, the fault {how}"
    return Reading(state.back_at - start, state.back_at, said, earliest=earliest - start, proof=_proof(record, state, end))


def _fault_end(record: RunRecord, scenario: int) -> datetime | None:
    """When the first thing was done to take the faults off: samples after it say nothing about living with the fault."""
    recover = record.phase(scenario, Phase.RECOVER)
    gone = record.gone_at(scenario)
    moments = [moment for moment in (recover.start if recover else None, gone) if moment]
    return min(moments, default=None)


def momentary(record: RunRecord, scenario: int) -> bool:
    """Whether every fault of the scenario was over in a moment, so that nothing was on that could be mitigated or taken off."""
    faults = [fault for fault in record.faults(scenario) if fault.active_at]
    return bool(faults) and all(record.plan.is_momentary(scenario, fault.name) for fault in faults)


def recovery_began(record: RunRecord, scenario: int) -> datetime | None:
    """Where the recover clock starts: at the verified revert, for momentary faults at inject; None while a fault is not proven gone."""
    return record.injected_at(scenario) if momentary(record, scenario) else record.gone_at(scenario)


def _recover(record: RunRecord, scenario: int, broke: datetime | None, mitigate: Reading) -> Reading:
    start = recovery_began(record, scenario)
    if start is None or not record.plan.playbook.steady_state:
        return Reading()
    analyze = record.phase(scenario, Phase.ANALYZE)
    end = analyze.start if analyze else None
    state = _steadiness(record, scenario, start, end, broken=broke)
    if state.broke_at is None:
        return _never_broke(record, start, end, "since it was gone") if mitigate.known else mitigate
    if state.back_at is None:
        return Reading()
    return _stopped(record, scenario, state, start, end, "gone")


def bill(record: RunRecord, scenario: int) -> Bill:
    """What the scenario cost its customers, from inject to the end of recover."""
    injected = record.injected_at(scenario)
    analyze = record.phase(scenario, Phase.ANALYZE)
    if injected is None:
        return Bill(timedelta(), 0, 0, {})
    yardstick = record.plan.yardstick(record.baselines(scenario))
    state = record.plan.empty_state()
    outside, unknown, watched, last_bad = timedelta(), 0, 0, None
    before = [sample for sample in record.samples if sample.at < injected]
    for at, tick in ticks(before)[-1:]:  # where the counters stood
        state, _ = yardstick.advance(state, at, tick)
    for at, tick in ticks(record.between(injected, analyze.start if analyze else None)):
        state, _ = yardstick.advance(state, at, tick)
        verdict, _ = yardstick.steady(tick)
        if last_bad is not None:
            outside += at - last_bad
        last_bad = at if verdict == "bad" else None
        watched += 1
        unknown += verdict == "unknown"
    return Bill(outside, unknown, watched, {name: total.increase for name, total in state.totals.items()})
