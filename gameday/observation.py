"""Judging the world tick by tick: steady state, guardrails, totals. Pure: samples in, findings out.

The same machines run while a run is live (fed by the observer) and afterwards (fed from the record).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field, JsonValue

from gameday.language import Guardrail, Tolerance
from gameday.limits import Sampling, Unseen
from gameday.model import Duration, Line, Model, Name, ProbeName, one_line
from gameday.playbook import Alerts
from gameday.probe import Baseline, Sample
from gameday.units import UNITS, Dimension, Unit, format_value


class Verdict(StrEnum):
    """How one tolerance, or the whole steady state, stands at one tick."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class Steadiness(Model):
    """Whether steady state broke and came back: broken by one tick that is not good, back after `needed` good ones in a row.

    Unknown is not healthy: it breaks a row as a bad tick does.
    """

    needed: int
    broke_at: datetime | None = None
    bad_at: datetime | None = None
    """The last tick that was not good."""
    row: int = 0
    row_began: datetime | None = None

    def after(self, at: datetime, verdict: Verdict) -> Steadiness:
        if verdict is not Verdict.GOOD:
            return self.model_copy(update={"broke_at": self.broke_at or at, "bad_at": at, "row": 0, "row_began": None})
        return self.model_copy(update={"row": self.row + 1, "row_began": self.row_began or at})

    @property
    def back_at(self) -> datetime | None:
        """The first of the good samples in a row, once there are enough; None while it never broke or is not back."""
        return self.row_began if self.broke_at and self.row >= self.needed else None

    @property
    def whole(self) -> bool:
        """It never broke, or is back."""
        return self.broke_at is None or self.back_at is not None

    def uncounted(self, at: datetime, verdict: Verdict) -> Steadiness:
        """A tick that cannot make the row: a good one is passed over, and the row begins anew after it."""
        return self.after(at, verdict) if verdict is not Verdict.GOOD else self.model_copy(update={"row": 0, "row_began": None})

    @property
    def steady(self) -> bool:
        """Enough good samples in a row, whether it ever broke or not."""
        return self.row >= self.needed


class Total(Model):
    """The increase of a counter since the day opened. A counter that fell was reset: what it shows then is new."""

    last: float | None = None
    increase: float = 0.0

    def after(self, value: float) -> Total:
        grown = 0.0 if self.last is None else value - self.last if value >= self.last else value
        return Total(last=value, increase=self.increase + grown)


class Recent(Model):
    """A guardrail's memory: which of the last ticks breached, the newest last, and since when without a break."""

    hits: tuple[bool, ...] = ()
    samples: tuple[Sample, ...] = Field(default=(), max_length=64)
    """The last that breached."""
    since: datetime | None = None


class Breach(Model):
    """A guardrail that holds: which, what was expected and what was seen, and the samples that prove it."""

    guardrail: Line
    seen: Line
    limit: Line
    at: datetime
    samples: tuple[Sample, ...] = Field(default=(), max_length=64)


class WatchState(Model):
    """All that judging carries from tick to tick: small, so that it travels in heartbeats and from phase to phase."""

    totals: dict[ProbeName, Total] = Field(default_factory=dict)
    recent: tuple[Recent, ...] = ()
    steadiness: Steadiness
    firing: tuple[str, ...] = ()
    last_tick: datetime | None = None
    unknown_since: datetime | None = None

    def whole_again(self) -> WatchState:
        """After a mitigation: what breaks from here on is broken anew."""
        return self.model_copy(update={"steadiness": Steadiness(needed=self.steadiness.needed)})

    def fresh(self) -> WatchState:
        """For the next phase: totals go on over the day, windows and steadiness begin anew."""
        return WatchState(totals=self.totals, steadiness=Steadiness(needed=self.steadiness.needed), firing=self.firing)


class Yardstick(Model):
    """What samples are judged by: units, baselines, steady state and guardrails."""

    units: dict[ProbeName, str]
    baselines: tuple[Baseline, ...] = ()
    steady_state: tuple[Tolerance, ...] = ()
    abort_when: tuple[Guardrail, ...] = ()
    unknown_is: Unseen = Unseen.BREACH

    def unit(self, probe: str) -> Unit:
        return UNITS[self.units[probe]]

    def baseline(self, probe: str) -> float | None:
        return next((baseline.median for baseline in self.baselines if baseline.probe == probe), None)

    def judge(self, tolerance: Tolerance, sample: Sample | None) -> Verdict:
        """One tolerance at one tick. A relative one without a baseline cannot be judged: unknown."""
        if sample is None or sample.value is None:
            return Verdict.UNKNOWN
        holds = tolerance.holds(sample.value, self.unit(tolerance.probe), self.baseline(tolerance.probe))
        return Verdict.UNKNOWN if holds is None else Verdict.GOOD if holds else Verdict.BAD

    def steady(self, tick: Mapping[str, Sample], only_absolute: bool = False) -> tuple[Verdict, Tolerance | None]:
        """The steady state at one tick, and the tolerance that decided: the worst of all wins."""
        worst: tuple[Verdict, Tolerance | None] = (Verdict.GOOD, None)
        for tolerance in self.steady_state:
            if only_absolute and tolerance.bound.times_baseline:
                continue
            verdict = self.judge(tolerance, tick.get(tolerance.probe))
            if verdict is Verdict.BAD:
                return verdict, tolerance
            if verdict is Verdict.UNKNOWN:
                worst = (verdict, tolerance)
        return worst

    def show(self, probe: str, value: float | None) -> str:
        return format_value(value, self.unit(probe))

    def advance(self, state: WatchState, at: datetime, tick: Mapping[str, Sample], only_absolute: bool = False) -> tuple[WatchState, Breach | None]:
        """One tick: the state after it, and the first guardrail that holds now."""
        totals = dict(state.totals)
        for name, sample in tick.items():
            if sample.value is not None and self.unit(name).dimension is Dimension.COUNT:
                totals[name] = totals.get(name, Total()).after(sample.value)
        verdict, _ = self.steady(tick, only_absolute)
        recent, breach = [], None
        for index, guardrail in enumerate(self.abort_when):
            memory = state.recent[index] if index < len(state.recent) else Recent()
            memory, holds = self.guard(guardrail, memory, at, tick.get(guardrail.probe), totals, only_absolute)
            recent.append(memory)
            if holds and breach is None:
                breach = self._breach(guardrail, at, tick.get(guardrail.probe), totals, memory.samples)
        unknown = any(sample.value is None for sample in tick.values())
        after = state.model_copy(
            update={
                "totals": totals,
                "recent": tuple(recent),
                "steadiness": state.steadiness.after(at, verdict),
                "last_tick": at,
                "unknown_since": (state.unknown_since or at) if unknown else None,
            }
        )
        return after, breach

    def spent(self, state: WatchState, at: datetime) -> Breach | None:
        """The first cap on a total that the day has passed, in whatever phase."""
        for guardrail in self.abort_when:
            if guardrail.in_total and self.guard(guardrail, Recent(), at, None, state.totals, only_absolute=False)[1]:
                return self._breach(guardrail, at, None, state.totals, ())
        return None

    def unwatched(self, state: WatchState, since: datetime, now: datetime, why: str) -> Breach | None:
        """The first guardrail with a time that a gap has filled: what nobody watched is unknown. Those with a number of samples wait for samples."""
        for index, guardrail in enumerate(self.abort_when):
            memory = state.recent[index] if index < len(state.recent) else Recent()
            passed_over = self.unknown_is is Unseen.PASSED_OVER and guardrail.tolerance is not None
            if guardrail.lasting is not None and not passed_over and now - (memory.since or since) >= guardrail.lasting:
                sample = Sample(probe=guardrail.probe, at=now, unknown=why)
                return self._breach(guardrail, now, sample, state.totals, (*memory.samples, sample)[-64:])
        return None

    def guard(
        self, guardrail: Guardrail, memory: Recent, at: datetime, sample: Sample | None, totals: Mapping[str, Total], only_absolute: bool
    ) -> tuple[Recent, bool]:
        """One guardrail at one tick: its memory after it, and whether it holds now."""
        if only_absolute and guardrail.tolerance and guardrail.tolerance.bound.times_baseline:
            return memory, False  # pre-check: there is no baseline yet
        if guardrail.in_total:
            assert guardrail.tolerance is not None  # the grammar has no total of unknown
            increase = totals.get(guardrail.probe, Total()).increase
            return memory, bool(guardrail.tolerance.holds(increase, self.unit(guardrail.probe), self.baseline(guardrail.probe)))
        if self.unknown_is is Unseen.PASSED_OVER and guardrail.tolerance is not None and (sample is None or sample.value is None):
            return memory, False
        hit = self._hit(guardrail, sample)
        hits = (*memory.hits, hit)[-guardrail.window :]
        since = (memory.since or at) if hit else None
        memory = Recent(hits=hits, samples=self._kept(guardrail, memory, sample, hit), since=since)
        if guardrail.lasting is not None:
            return memory, since is not None and at - since >= guardrail.lasting
        return memory, sum(hits) >= guardrail.hits

    @staticmethod
    def _kept(guardrail: Guardrail, memory: Recent, sample: Sample | None, hit: bool) -> tuple[Sample, ...]:
        """The samples that breached within the guardrail's window, or since it lasts: at most 64."""
        if guardrail.lasting is not None and not hit:
            return ()
        kept = (*memory.samples, *([sample] if hit and sample else []))
        return kept[-(64 if guardrail.lasting is not None else min(guardrail.hits, 64)) :]

    def _hit(self, guardrail: Guardrail, sample: Sample | None) -> bool:
        """Unknown counts as a breach: unknown is not healthy."""
        if guardrail.tolerance is None:
            return sample is None or sample.value is None
        return self.judge(guardrail.tolerance, sample) is not Verdict.BAD if sample and sample.value is not None else True

    def _breach(self, guardrail: Guardrail, at: datetime, sample: Sample | None, totals: Mapping[str, Total], proof: tuple[Sample, ...]) -> Breach:
        if guardrail.in_total:
            seen = f"{self.show(guardrail.probe, totals.get(guardrail.probe, Total()).increase)} since the day opened"
        elif sample is None or sample.value is None:
            seen = one_line(f"unknown: {sample.unknown if sample else 'no sample'}")
        else:
            seen = self.show(guardrail.probe, sample.value)
        limit = guardrail.tolerance.limit(self.unit(guardrail.probe), self.baseline(guardrail.probe)) if guardrail.tolerance else None
        shown = "a known value" if guardrail.tolerance is None else f"not {guardrail.tolerance.op} {self.show(guardrail.probe, limit)}"
        return Breach(guardrail=str(guardrail), seen=seen, limit=shown, at=at, samples=proof or ((sample,) if sample else ()))


class Purpose(StrEnum):
    BASELINE = "baseline"
    WATCH = "watch"
    CHECK = "check"
    """Whether it is still as it was in pre-check, before the inject."""
    RECOVER = "recover"


class Attendance(Model):
    """Who must be there while a fault is on, and until when nobody need show."""

    since: datetime
    """When somebody was there last."""
    until: datetime
    """Nobody later than this, and the observer comes back."""
    within: Duration
    """How long a sign of somebody's presence is good for."""
    names: tuple[Line, ...] = Field(default=(), max_length=10)
    """Whose presence counts; empty where it is anybody's."""
    asked: bool = False
    """It was asked for: the first sign of it is told at once."""


class ObserveOrder(Model):
    """What the observer does in one phase: sample every probe each tick for `duration`, or until something decides earlier."""

    run_id: Name
    scenario: int
    purpose: Purpose
    probes: dict[ProbeName, dict[str, JsonValue]]
    yardstick: Yardstick
    sampling: Sampling
    alerts: Alerts | None = None
    named_alerts: frozenset[str] = frozenset()
    duration: Duration
    steady_for: Duration = timedelta(0)
    state: WatchState
    return_on: tuple[str, ...] = ()
    """Which findings end it early besides a breach: `mitigated`, `detected`, `steady`."""
    attendance: Attendance | None = None


class ObserveResult(Model):
    """Why the observer returned, and what it knows.

    `ended` is `over`, `breach`, `mitigated`, `detected`, `steady`, `blind` (unknown for longer than the playbook has patience), `alone`
    (nobody with authority was there), `present` (somebody is again) or `recalled`. `found_at` is for the two findings: detected when the
    alert fired; mitigated as of the last tick that was not good, so that only what was on then, or before, was lived with.
    """

    ended: str
    what: str = Field(default="", max_length=500)
    found_at: datetime | None = None
    breach: Breach | None = None
    present: Line | None = None
    """Who with authority was seen last."""
    present_at: datetime | None = None
    baselines: tuple[Baseline, ...] = ()
    steady: bool = False
    state: WatchState


def ticks(samples: Sequence[Sample]) -> list[tuple[datetime, dict[str, Sample]]]:
    """Samples grouped by their tick, in order of time."""
    grouped: dict[datetime, dict[str, Sample]] = {}
    for sample in samples:
        grouped.setdefault(sample.at, {})[sample.probe] = sample
    return sorted(grouped.items())


PATIENCE = timedelta(seconds=10)
"""How long the observer may go unheard before Temporal gives its work to another."""
