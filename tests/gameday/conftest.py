"""A small catalogue that the language's tests know, and the day that DESIGN.md shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from pydantic import Field

from gameday.catalogue import Catalogue, InjectorParams, ProbeParams
from gameday.commands import Actor
from gameday.errors import PlaybookError
from gameday.event import Event, EventKind
from gameday.loading import loads
from gameday.model import Line, PositiveDuration
from gameday.plan import plan as make_plan
from gameday.probe import Sample
from gameday.record import RunRecord
from gameday.units import UNITS, Unit
from gameday.yaml_tree import Problem

GOOD = """\
name: checkout-day-june
objective: Can checkout live without its ledger, and do we notice?
environment: staging
times: {start: '14:00', latest_inject: '15:30', stop: '16:00', zone: Europe/Berlin}
team:
  commander:  {name: Ada, slack: U01}
  technical_lead: {name: Margaret, slack: U06}
  safety:     {name: Grace, slack: U02}
  responders: [{name: Linus, slack: U03}]
  observers:  [{name: Edsger, slack: U04}]
  away:       [{name: Barbara, slack: U05}]
checklist:
  - {item: Deploys frozen, owner: Ada}
  - {item: Abort criteria read aloud, owner: Ada}
probes:
  errors:      {prometheus: {query: 'sum(rate(http_errors_total[15s])) / sum(rate(http_requests_total[15s]))', unit: ratio}}
  latency_p99: {openmetrics: {url: 'http://127.0.0.1:8080/metrics', metric: http_request_duration_seconds, quantile: 0.99}}
  failed_requests: {openmetrics: {url: 'http://127.0.0.1:8080/metrics', metric: http_errors_total}}
alerts: {from: {alertmanager: {url: 'http://127.0.0.1:9093'}}, expected: [LedgerDown]}
steady_state: ['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']
abort_when:   ['errors > 5 % in 3 of 5 samples', 'failed_requests > 500 in total']
scenarios:
  - title: The ledger freezes
    planned: '14:15'
    hypothesis: Checkout keeps selling, and the on-call notices within a minute
    sealed: true
    faults:
      - {name: ledger-frozen, inject: process.pause, on: {host: local, process: ledger}, for: 10m, until: mitigated}
    expect: ['errors < 1 %', 'alert LedgerDown within 60s', 'mitigated within 5m', 'recovered within 30s']
    predict: ['first alert after', 'worst errors', 'who is paged']
    cards:   [{at: 4m, say: 'Support: a customer was charged twice'}]
    rollback_plan: ['Restart the ledger', 'Clear its connection pool']
    afterwards: {steady_for: 1m, debrief: 10m, break: 5m}
"""
"""DESIGN.md's day."""

SMALL = """\
name: small
objective: Does it hold?
probes: {errors: {prometheus: {query: up, unit: ratio}}}
abort_when: ['errors > 5 %']
hypothesis: It holds
faults: [{name: slow, inject: network.latency, with: {delay: 100ms}}]
expect: ['errors < 1 %']
"""
"""A day of one scenario, with its keys at the top level."""


class ProcessPause:
    kind: ClassVar[str] = "process.pause"
    things: ClassVar[frozenset[str]] = frozenset({"process", "pid_file"})
    momentary: ClassVar[bool] = False
    by_hand: ClassVar[bool] = False
    ends: ClassVar[str] = "watchdog"

    class Params(InjectorParams):
        """Stops a process; it needs no parameters."""

    @classmethod
    def is_momentary(cls, params: Any) -> bool:
        return cls.momentary and not getattr(params, "restart", False)


class ProcessKill(ProcessPause):
    kind: ClassVar[str] = "process.kill"
    momentary: ClassVar[bool] = True

    class Params(InjectorParams):
        signal: Line = "KILL"
        restart: bool = False


class NetworkLatency(ProcessPause):
    kind: ClassVar[str] = "network.latency"
    things: ClassVar[frozenset[str]] = frozenset()

    class Params(InjectorParams):
        delay: PositiveDuration = Field(description="how much later each packet arrives")
        peers: tuple[Line, ...] = ()
        loss_percent: float = Field(default=0.0, ge=0, le=100)


class EnvoyAbort(ProcessPause):
    kind: ClassVar[str] = "envoy.abort"
    things: ClassVar[frozenset[str]] = frozenset({"envoy"})

    class Params(InjectorParams):
        percent: float = Field(ge=0, le=100)


class Prometheus:
    kind: ClassVar[str] = "prometheus"

    class Params(ProbeParams):
        query: Line = Field(description="a PromQL query", examples=["sum(rate(http_errors_total[1m]))"])


class OpenMetrics:
    kind: ClassVar[str] = "openmetrics"

    class Params(ProbeParams):
        url: Line
        metric: Line
        quantile: float | None = Field(default=None, gt=0, lt=1)

        def measured_in(self) -> Unit:
            return UNITS["s"] if self.quantile else UNITS["count"]


class AlertProbe:
    kind: ClassVar[str] = "alert"

    class Params(ProbeParams):
        alert: Line


INJECTORS: tuple[type[Any], ...] = (ProcessPause, ProcessKill, NetworkLatency, EnvoyAbort)
PROBES: tuple[type[Any], ...] = (Prometheus, OpenMetrics, AlertProbe)
CATALOGUE = Catalogue(injectors={each.kind: each for each in INJECTORS}, probes={each.kind: each for each in PROBES})


def problems_of(text: str | bytes, **values: str) -> tuple[Problem, ...]:
    """What is wrong with a playbook, warnings included; empty when it is fine."""
    try:
        return loads(text.encode() if isinstance(text, str) else text, CATALOGUE, values).warnings
    except PlaybookError as error:
        return tuple(each for each in error.problems if isinstance(each, Problem))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture(scope="session")
def good() -> str:
    return GOOD


@pytest.fixture(scope="session")
def small() -> str:
    return SMALL


@pytest.fixture(scope="session")
def problems() -> Callable[..., tuple[Problem, ...]]:
    return problems_of


T0 = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
"""The moment of inject in every story."""


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Story:
    """A run told in a few words, with seconds counted from inject: what the record of it holds.

    `steady`, `abort`, `expect` are phrases; probes are `errors` (ratio), `latency` (s) and `failed` (count).
    """

    def __init__(
        self,
        steady: Sequence[str] = ("errors < 1 %",),
        expect: Sequence[str] = ("errors < 1 %",),
        abort: Sequence[str] = (),
        needed: int = 3,
        more: str = "",
    ) -> None:
        text = "\n".join(
            [
                "name: story",
                "objective: What happens?",
                "probes:",
                "  errors: {prometheus: {query: up, unit: ratio}}",
                "  latency: {prometheus: {query: up, unit: s}}",
                "  failed: {openmetrics: {url: 'http://127.0.0.1', metric: failed_total}}",
                "alerts: {from: {prometheus: {url: 'http://127.0.0.1'}}, expected: [ErrorsHigh]}",
                f"steady_state: {json.dumps(steady)}",
                f"abort_when: {json.dumps(abort)}",
                f"sampling: {{steady_samples: {needed}}}",
                f"expect: {json.dumps(expect)}",
                more or "faults: [{name: slow, inject: network.latency, with: {delay: 1s}}]",
            ]
        )
        self.plan = make_plan(loads(text.encode(), CATALOGUE), CATALOGUE, Actor(id="ada", name="Ada"), at(-60))
        self.events: list[Event] = []
        self.samples: list[Sample] = []

    def happens(
        self, seconds: float, kind: EventKind, /, scenario: int | None = 0, fault: str | None = None, actor: str | None = None, **data: Any
    ) -> Story:
        event_id = f"{len(self.events)}-{kind}"
        self.events.append(
            Event(id=event_id, run_id=self.plan.run_id, at=at(seconds), kind=kind, scenario=scenario, fault=fault, actor=actor, data=data)
        )
        return self

    def phases(self, **starts: float) -> Story:
        """`pre_check=-30, inject=0, …`; `ended` ends the scenario and the run."""
        for name, seconds in starts.items():
            if name == "ended":
                self.happens(seconds, EventKind.SCENARIO_ENDED)
                self.happens(seconds, EventKind.RUN_ENDED, scenario=None, outcome="passed")
            else:
                self.happens(seconds, EventKind.PHASE_BEGAN, phase=name.replace("_", "-"))
        return self

    def fault(
        self, on: float | None = 0, off: float | None = None, kind: str = "network.latency", outcome: str = "reverted", name: str = "slow"
    ) -> Story:
        facts: dict[str, Any] = {"name": name, "label": "local", "kind": kind}
        self.happens(-1, EventKind.FAULT_ARMED, fault=f"f-{name}", **facts)
        if on is not None:
            self.happens(on, EventKind.FAULT_ACTIVE, fault=f"f-{name}", **facts)
        if off is not None:
            self.happens(off, EventKind.FAULT_ENDED, fault=f"f-{name}", **facts, outcome=outcome, reason="its time was up")
        return self

    def reads(self, probe: str, values: Sequence[float | None], start: float = 1, every: float = 1) -> Story:
        """Samples from `start` on; None is unknown."""
        for index, value in enumerate(values):
            moment = at(start + index * every)
            self.samples.append(Sample(probe=probe, at=moment, value=value, unknown="no answer in 1 s" if value is None else None))
        return self

    def record(self) -> RunRecord:
        if not any(event.kind is EventKind.PHASE_BEGAN for event in self.events):
            self.phases(pre_check=-30)
        events = sorted(self.events, key=lambda event: event.at)
        return RunRecord(plan=self.plan, events=tuple(events), samples=tuple(sorted(self.samples, key=lambda sample: sample.at)))


@pytest.fixture(scope="session")
def story() -> type[Story]:
    return Story
