"""What people see of a run, as a fold over its events and samples: live, replayed or read afterwards, it is the same."""

from __future__ import annotations

from collections import deque
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gameday.by_hand import asked_in
from gameday.event import Event
from gameday.language import Clock, Tolerance
from gameday.limits import Gate
from gameday.lines import Line, line
from gameday.observation import Steadiness, Verdict, WatchState, Yardstick
from gameday.plan import Plan
from gameday.playbook import Fault
from gameday.probe import Baseline, Sample
from gameday.record import Phase, off_at
from gameday.rows import FaultRow, ProbeRow
from gameday.viewer import is_veiled

RECENT = 5000
"""How many lines the view keeps."""
LATELY = 600
"""How many ticks back a fault's end may be told."""


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
    judged: dict[int, tuple[dict[str, str], ...]] = field(default_factory=dict)
    rest: str = ""
    """Debrief, or break: what a scenario that is over still gives time for."""
    rest_until: datetime | None = None
    gate: str = ""
    gate_until: datetime | None = None
    ready: set[str] = field(default_factory=set)
    ticked: set[str] = field(default_factory=set)
    held: bool = False
    ending: str = ""
    commander: str = ""
    """Who commands since a handover."""
    outcome: str = ""
    reason: str = ""
    exit_code: int | None = None
    ended_at: datetime | None = None
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
    targets: tuple[str, ...] = ()
    """What a go would touch, one line a target, as it was found last."""
    targets_digest: str = ""
    revealed: bool = False
    asked_presence: bool = False
    """It is waited for a sign that somebody who may decide is still there."""
    sampled_at: datetime | None = None
    recovering: Steadiness | None = None
    _bad_since: datetime | None = None
    _broke: bool = False
    _verdicts_lately: deque[tuple[datetime, Verdict]] = field(default_factory=lambda: deque(maxlen=LATELY))
    _tick: dict[str, Sample] = field(default_factory=dict)
    _measures: tuple[tuple[Baseline, ...], Yardstick] | None = field(default=None, compare=False)

    def copy(self) -> RunView:
        """A view that goes its own way from here."""
        twin = copy(self)
        twin.probes = {name: row.copy() for name, row in self.probes.items()}
        twin.faults = {fault: row.copy() for fault, row in self.faults.items()}
        for name in ("done", "outcomes", "judged", "ready", "ticked", "clocks", "past_faults", "lines", "_tick", "_verdicts_lately"):
            setattr(twin, name, copy(getattr(self, name)))
        return twin

    @property
    def yardstick(self) -> Yardstick:
        if self._measures is None or self._measures[0] is not self.baselines:
            self._measures = (self.baselines, self.plan.yardstick(self.baselines))
        return self._measures[1]

    @property
    def open_gate(self) -> Gate | None:
        """What the gate that is waiting asks for besides a go."""
        gates = self.plan.playbook.gates
        found = (gates.day if self.gate == "day" else gates.inject) if self.gate else None
        return found if isinstance(found, Gate) else None

    @property
    def veiled(self) -> bool:
        """Whether the viewer may not see into the scenario that is under way."""
        return self.scenario is not None and is_veiled(self.plan.playbook.scenarios[self.scenario])

    @property
    def all_faults(self) -> list[FaultRow]:
        """Every fault of the day so far."""
        return [*self.past_faults, *self.faults.values()]

    @property
    def counted(self) -> dict[str, float | None]:
        """Probes with a guardrail on their total, the customers' bill: each with the cap of the day."""
        rails = [each for each in self.plan.playbook.abort_when if each.in_total and each.tolerance]
        yardstick = self.yardstick
        return {each.probe: each.tolerance.limit(yardstick.unit(each.probe), None) for each in rails if each.tolerance}

    def verdict(self, probe: str) -> Verdict | None:
        """How a probe's newest sample stands to the steady state; None when no tolerance is about it."""
        row = self.probes.get(probe)
        return self.judge(row.sample) if row and row.sample else None

    def judge(self, sample: Sample) -> Verdict | None:
        """How a sample stands to the steady state; None when no tolerance is about its probe."""
        yardstick = self.yardstick
        verdicts = [yardstick.judge(each, sample) for each in self.plan.playbook.steady_state if each.probe == sample.probe]
        if not verdicts:
            return None
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
        if self._tick and next(iter(self._tick.values())).at < event.at:
            self._close_tick()
        stopped = set(self.clocks)
        handler = getattr(self, f"_{event.kind.name.lower()}", None)
        if handler is not None:
            handler(event)
        said = line(event, self, tuple(set(self.clocks) - stopped))
        if said is not None:
            self.lines.append(said)
        return said

    def see(self, sample: Sample) -> None:
        """Takes in one sample."""
        self.now = max(self.now, sample.at)
        self.sampled_at = sample.at
        self.probes.setdefault(sample.probe, ProbeRow(sample.probe)).see(sample)
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
        self._verdicts_lately.append((at, verdict))
        self._recover(at, verdict)

    def _recover(self, at: datetime, verdict: Verdict) -> None:
        if self.recovering is None or self.gone_at is None or at < self.gone_at or Clock.RECOVER in self.clocks:
            return
        self.recovering = self.recovering.after(at, verdict)
        back = self.recovering.back_at
        if back is not None:
            self.clocks[Clock.RECOVER] = (back - self.gone_at, "steady again")

    def _scenario_began(self, event: Event) -> None:
        self.scenario, self.phase, self.done = event.scenario, "", []
        self.targets, self.targets_digest = (), ""
        self.rest, self.rest_until = "", None
        self.injected_at = self.gone_at = self._bad_since = self.recovering = None
        self.past_faults = self.all_faults
        self.clocks, self.faults, self.baselines, self.outside = {}, {}, (), timedelta(0)
        self._broke = self.revealed = False
        self._verdicts_lately.clear()

    def _rest_began(self, event: Event) -> None:
        self.rest, self.rest_until = event.text("rest"), _moment(event.text("until"))

    def _phase_began(self, event: Event) -> None:
        if self.phase:
            self.done.append(self.phase)
        self.phase, self.phase_began = event.text("phase"), event.at
        self.phase_until = _moment(event.text("until"))
        if self.phase == Phase.ANALYZE:
            self._bad_since = None

    def _scenario_ended(self, event: Event) -> None:
        if event.scenario is not None:
            self.outcomes[event.scenario] = event.text("outcome")
        if self.phase:
            self.done.append(self.phase)
        self.phase, self.phase_began, self.phase_until = "", event.at, None
        self._gate_shut(event)

    def _targets_found(self, event: Event) -> None:
        found = event.data.get("targets")
        each_of = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        self.targets = tuple(f"{each.get('fault')} → {each.get('label')}" for each in each_of)
        self.targets_digest = event.text("digest")

    def _checklist_ticked(self, event: Event) -> None:
        self.ticked.add(event.text("item"))

    def _ready(self, event: Event) -> None:
        self.ready.add(event.actor or "?")

    def _unready(self, event: Event) -> None:
        self.ready.discard(event.actor or "?")

    def _gate_waiting(self, event: Event) -> None:
        self.gate, self.gate_until = event.text("gate"), _moment(event.text("until"))

    def _gate_shut(self, _: Event) -> None:
        if self.gate:  # who was ready for it says so again before the next
            self.ready = set()
        self.gate, self.gate_until = "", None

    _gate_opened = _gate_silent = _skipped = _gate_shut

    def _held(self, _: Event) -> None:
        self.held = True

    def _resumed(self, event: Event) -> None:
        self.held = False
        self.gate_until = _moment(event.text("gate_until")) or self.gate_until
        self.rest_until = _moment(event.text("rest_until")) or self.rest_until

    def _baseline(self, event: Event) -> None:
        measured = event.data.get("baselines")
        self.baselines = tuple(Baseline.model_validate(each) for each in measured) if isinstance(measured, list) else ()

    def _fault(self, event: Event) -> FaultRow:
        key, name = event.fault or "", event.text("name")
        if key not in self.faults:
            self.faults[key] = FaultRow(name, event.text("label"), event.text("kind"), self._spec(event.scenario, name), by=event.text("by"))
        return self.faults[key]

    def _spec(self, scenario: int | None, name: str) -> Fault | None:
        known = self.plan.playbook.scenarios[scenario].faults if scenario is not None else ()
        return next((fault for fault in known if fault.name == name), None)

    def _fault_armed(self, event: Event) -> None:
        self._fault(event)

    def _fault_asked(self, event: Event) -> None:
        if event.fault is None:  # of a hidden scenario, told to whoever is asked
            return
        row = self._fault(event)
        row.state, row.asked = "asked", asked_in(event)

    def _fault_active(self, event: Event) -> None:
        row = self._fault(event)
        row.state, row.active_at, row.asked = "active", event.at, None
        self.injected_at = self.injected_at or event.at
        self.gone_at = self.recovering = None
        self.clocks.pop(Clock.RECOVER, None)

    def _fault_failed(self, event: Event) -> None:
        self._fault(event).state = "failed"

    def _fault_reverting(self, event: Event) -> None:
        self._fault(event).state = "reverting"

    def _fault_dirty(self, event: Event) -> None:
        row = self._fault(event)
        row.state = row.outcome = "dirty"

    def _fault_ended(self, event: Event) -> None:
        row = self._fault(event)
        row.state = row.outcome = event.text("outcome")
        row.asked = None
        row.ended_at, row.took = off_at(event, row.active_at), timedelta(milliseconds=float(event.text("took_ms") or 0))
        if self.injected_at and all(each.ended_at for each in self.faults.values() if each.active_at):
            self._all_gone(event.scenario, self.injected_at)

    def _all_gone(self, scenario: int | None, injected: datetime) -> None:
        """The recover clock starts: at the last verified revert, for momentary faults at inject."""
        were_on = [row for row in self.faults.values() if row.active_at]
        momentary = all(self.plan.is_momentary(scenario, row.name) for row in were_on)
        self.gone_at = injected if momentary else max(row.ended_at or self.now for row in were_on)
        self.recovering = Steadiness(needed=self.plan.playbook.sampling.steady_samples, broke_at=injected if self._broke else None)
        for at, verdict in self._verdicts_lately:  # it was gone a while before its end was told
            self._recover(at, verdict)

    def _extended(self, event: Event) -> None:
        for row in self.faults.values():
            if row.is_on:
                row.extra += timedelta(seconds=float(event.text("by") or 0))
        if self.phase == Phase.OBSERVE and self.phase_until is not None:
            self.phase_until += timedelta(seconds=float(event.text("by") or 0))

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
        since = _moment(event.text("since")) or event.at
        on = any(row.is_on for row in self.faults.values())
        if self.injected_at and on and Clock.MITIGATE not in self.clocks:
            self.clocks[Clock.MITIGATE] = (since - self.injected_at, "steady again, the fault still on")

    def _revealed(self, _: Event) -> None:
        self.revealed = True

    def _presence_lost(self, _: Event) -> None:
        self.asked_presence = True

    def _presence_back(self, _: Event) -> None:
        self.asked_presence = False

    _presence_waived = _presence_back

    def _verdicts(self, event: Event) -> None:
        found = event.data.get("judgements")
        if event.scenario is not None and isinstance(found, list):
            self.judged[event.scenario] = tuple({key: str(value) for key, value in each.items()} for each in found if isinstance(each, dict))

    def _handed_over(self, event: Event) -> None:
        self.commander = event.text("to")

    def _aborted(self, event: Event) -> None:
        self.ending = event.text("reason") or event.text("by")  # of a hidden scenario only who has ended it is told
        self._gate_shut(event)

    def _run_ended(self, event: Event) -> None:
        self.outcome, self.exit_code, self.ended_at = event.text("outcome"), int(event.text("exit_code")), event.at
        self.reason, self.held = event.text("reason"), False


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
