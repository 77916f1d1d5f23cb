"""A small catalogue that the language's tests know, and the day that DESIGN.md shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
from pydantic import Field

from gameday.catalogue import Catalogue, InjectorParams, ProbeParams
from gameday.errors import PlaybookError
from gameday.loading import loads
from gameday.model import Line, PositiveDuration
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
    ends: ClassVar[str] = "watchdog"

    class Params(InjectorParams):
        """Stops a process; it needs no parameters."""


class ProcessKill(ProcessPause):
    kind: ClassVar[str] = "process.kill"
    momentary: ClassVar[bool] = True

    class Params(InjectorParams):
        signal: Line = "KILL"


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


CATALOGUE = Catalogue(
    injectors={each.kind: each for each in (ProcessPause, ProcessKill, NetworkLatency, EnvoyAbort)},
    probes={each.kind: each for each in (Prometheus, OpenMetrics, AlertProbe)},
)


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
