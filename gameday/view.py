"""What people see of a run, as a fold over its events and samples: live, replayed or read afterwards, it is the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gameday.event import Event
from gameday.language import Clock, Tolerance
from gameday.lines import Line, line
from gameday.observation import Steadiness, Verdict, WatchState, Yardstick
from gameday.plan import Plan
from gameday.probe import Baseline, Sample
from gameday.record import Phase

TREND = 120
"""How many samples a trend keeps: two minutes at one a second."""
RECENT = 200
"""How many lines the view keeps."""


def merged(events: Iterable[Event], samples: Iterable[Sample]) -> list[Event | Sample]:
    """Events and samples in one order of time; of the same moment, events first."""
    items: list[tuple[datetime, int, int, Event | Sample]] = [(event.at, 0, place, event) for place, event in enumerate(events)]
    items += [(sample.at, 1, place, sample) for place, sample in enumerate(samples)]
    return [item for _, _, _, item in sorted(items, key=lambda each: each[:3])]


@dataclass
class ProbeRow:
    """One probe: its newest sample, its baseline, how it stands, and its trend (None is unknown)."""

    name: str
    sample: Sample | None = None
    trend: deque[float | None] = field(default_factory=lambda: deque(maxlen=TREND))
    unknowns: deque[bool] = field(default_factory=lambda: deque(maxlen=5))


@dataclass
class FaultRow:
    """One fault, as its events tell it."""

    name: str
    label: str
    state: str = "armed"
    outcome: str = ""
    active_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class RunView:
    """The state of the screen. `events` and `samples` are fed in the order of time."""

    plan: Plan
    now: datetime
    scenario: int | None = None
    phase: str = ""
    phase_began: datetime | None = None
    phase_until: datetime | None = None
    done: list[str] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)
    gate: str = ""
    gate_until: datetime | None = None
    held: bool = False
    ending: str = ""
    outcome: str = ""
    exit_code: int | None = None
    injected_at: datetime | None = None
    gone_at: datetime | None = None
    clocks: dict[Clock, tuple[timedelta, str]] = field(default_factory=dict)
    probes: dict[str, ProbeRow] = field(default_factory=dict)
    faults: dict[str, FaultRow] = field(default_factory=dict)
    past_faults: list[FaultRow] = field(default_factory=list)
    baselines: tuple[Baseline, ...] = ()
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=RECENT))
    outside: timedelta = timedelta(0)
    totals: WatchState | None = None
    recovering: Steadiness | None = None
    _bad_since: datetime | None = None
    _broke: bool = False
    _tick: dict[str, Sample] = field(default_factory=dict)

    @property
    def yardstick(self) -> Yardstick:
        return self.plan.yardstick(self.baselines)

    @property
    def counted(self) -> list[str]:
        """Probes with a guardrail on their total: the customers' bill."""
        return list(dict.fromkeys(guardrail.probe for guardrail in self.plan.playbook.abort_when if guardrail.in_total))

    def verdict(self, probe: str) -> Verdict | None:
        """How a probe's newest sample stands to the steady state; None when no tolerance is about it."""
        mine = [tolerance for tolerance in self.plan.playbook.steady_state if tolerance.probe == probe]
        if not mine or probe not in self.probes:
            return None
        verdicts = [self.yardstick.judge(tolerance, self.probes[probe].sample) for tolerance in mine]
        return next((each for each in (Verdict.BAD, Verdict.UNKNOWN) if each in verdicts), Verdict.GOOD)

    def shown_tolerance(self, tolerance: Tolerance) -> str:
        """A tolerance with its bound as a number people can compare with: `< 57 ms` for `< 1.5 x baseline`."""
        unit = self.yardstick.unit(tolerance.probe)
        limit = tolerance.limit(unit, self.yardstick.baseline(tolerance.probe))
        return f"{tolerance.op} {tolerance.bound}" if limit is None else f"{tolerance.op} {self.yardstick.show(tolerance.probe, limit)}"

    def take(self, item: Event | Sample) -> Line | None:
        """Takes in whatever comes next. Returns its line, if it has one."""
        if isinstance(item, Event):
            return self.hear(item)
        self.see(item)
        return None

    def hear(self, event: Event) -> Line | None:
        """Takes in one event. Returns its line, None for events that are not worth one."""
        self.now = max(self.now, event.at)
        handler = getattr(self, f"_{event.kind.name.lower()}", None)
        if handler is not None:
            handler(event)
        said = line(event, self)
        if said is not None:
            self.lines.append(said)
        return said

    def see(self, sample: Sample) -> None:
        """Takes in one sample."""
        self.now = max(self.now, sample.at)
        row = self.probes.setdefault(sample.probe, ProbeRow(sample.probe))
        row.sample = sample
        row.trend.append(sample.value)
        row.unknowns.append(sample.value is None)
        if self._tick and next(iter(self._tick.values())).at != sample.at:
            self._close_tick()
        self._tick[sample.probe] = sample

    def _close_tick(self) -> None:
        tick, self._tick = self._tick, {}
        at = next(iter(tick.values())).at
        if self.totals is None:
            self.totals = self.plan.empty_state()
        self.totals, _ = self.yardstick.advance(self.totals, at, tick)
        if self.injected_at is None or at < self.injected_at or not self.plan.playbook.steady_state:
            return
        verdict, _ = self.yardstick.steady(tick)
        if self._bad_since is not None:
            self.outside += at - self._bad_since
        self._bad_since = at if verdict is Verdict.BAD else None
        if self.recovering is not None and Clock.RECOVER not in self.clocks and self.gone_at is not None and at >= self.gone_at:
            self.recovering = self.recovering.after(at, verdict)
            back = self.recovering.back_at
            if back is not None:
                self.clocks[Clock.RECOVER] = (back - self.gone_at, "steady again")

    def _scenario_began(self, event: Event) -> None:
        self.scenario, self.phase, self.done = event.scenario, "", []
        self.injected_at = self.gone_at = self._bad_since = self.recovering = None
        self.past_faults += self.faults.values()
        self.clocks, self.faults, self.baselines, self.outside = {}, {}, (), timedelta(0)
        self._broke = False

    def _phase_began(self, event: Event) -> None:
        if self.phase:
            self.done.append(self.phase)
        self.phase, self.phase_began = event.text("phase"), event.at
        until = event.text("until")
        self.phase_until = datetime.fromisoformat(until) if until else None
        if self.phase == Phase.ANALYZE:
            self._bad_since = None

    def _scenario_ended(self, event: Event) -> None:
        if event.scenario is not None:
            self.outcomes[event.scenario] = event.text("outcome")
        if self.phase:
            self.done.append(self.phase)
        self.phase, self.phase_until = "", None

    def _gate_waiting(self, event: Event) -> None:
        self.gate, self.gate_until = event.text("gate"), datetime.fromisoformat(event.text("until"))

    def _gate_opened(self, _: Event) -> None:
        self.gate, self.gate_until = "", None

    _gate_silent = _gate_opened

    def _held(self, _: Event) -> None:
        self.held = True

    def _resumed(self, _: Event) -> None:
        self.held = False

    def _baseline(self, event: Event) -> None:
        measured = event.data.get("baselines")
        self.baselines = tuple(Baseline.model_validate(each) for each in measured) if isinstance(measured, list) else ()

    def _fault(self, event: Event) -> FaultRow:
        return self.faults.setdefault(event.fault or "", FaultRow(event.text("name"), event.text("label")))

    def _fault_armed(self, event: Event) -> None:
        self._fault(event)

    def _fault_active(self, event: Event) -> None:
        row = self._fault(event)
        row.state, row.active_at = "active", event.at
        self.injected_at = self.injected_at or event.at

    def _fault_reverting(self, event: Event) -> None:
        self._fault(event).state = "reverting"

    def _fault_dirty(self, event: Event) -> None:
        row = self._fault(event)
        row.state = row.outcome = "dirty"

    def _fault_ended(self, event: Event) -> None:
        row = self._fault(event)
        row.state = row.outcome = event.text("outcome")
        row.ended_at = event.at
        if all(each.ended_at for each in self.faults.values()) and self.injected_at:
            self.gone_at = event.at
            needed = self.plan.playbook.sampling.steady_samples
            self.recovering = Steadiness(needed=needed, broke_at=self.injected_at if self._broke else None)

    def _detect(self, event: Event, how: str) -> None:
        if self.injected_at and Clock.DETECT not in self.clocks:
            self.clocks[Clock.DETECT] = (event.at - self.injected_at, how)

    def _alert_firing(self, event: Event) -> None:
        if event.text("alert") in self.plan.named_alerts:
            self._detect(event, f"alert {event.text('alert')}")

    def _mark(self, event: Event) -> None:
        if event.text("clock") == Clock.DETECT:
            self._detect(event, f"marked by {event.actor}")

    def _steady_lost(self, _: Event) -> None:
        self._broke = True

    def _steady_back(self, event: Event) -> None:
        since = datetime.fromisoformat(event.text("since"))
        on = any(row.state == "active" for row in self.faults.values())
        if self.injected_at and on and Clock.MITIGATE not in self.clocks:
            self.clocks[Clock.MITIGATE] = (since - self.injected_at, "steady again, the fault still on")

    def _aborted(self, event: Event) -> None:
        self.ending = event.text("reason")
        self.gate = ""

    def _run_ended(self, event: Event) -> None:
        self.outcome, self.exit_code = event.text("outcome"), int(event.text("exit_code"))
