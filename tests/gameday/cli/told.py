"""A small day as a store would hold it: two scenarios, people, an alert, and an abort by a guardrail. Times count from T0, in seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.store import RunStore
from gameday.commands import Actor
from gameday.event import Event, EventKind, event_id
from gameday.plan import Plan
from gameday.playbook import Playbook
from gameday.probe import Baseline, Sample
from gameday.record import RunRecord

T0 = datetime(2026, 6, 18, 12, 30, tzinfo=UTC)  # 14:30 in Berlin
RUN = "7kq2-checkout-day"
FIRST, SECOND = "f-11111111111111111111", "f-22222222222222222222"

PLAYBOOK: dict[str, Any] = {
    "name": "checkout-day",
    "objective": "Can checkout live without its ledger, and do we notice?",
    "environment": "staging",
    "times": {"zone": "Europe/Berlin", "stop": "16:00"},
    "team": {"commander": {"name": "Ada"}, "responders": [{"name": "Linus", "user": "linus"}]},
    "checklist": [{"item": "Deploys frozen"}, {"item": "Abort criteria read aloud"}],
    "probes": {
        "errors": {"prometheus": {"url": "http://127.0.0.1:9090", "query": "errors", "unit": "ratio"}},
        "latency_p99": {"prometheus": {"url": "http://127.0.0.1:9090", "query": "latency", "unit": "s"}},
        "failed_requests": {"prometheus": {"url": "http://127.0.0.1:9090", "query": "failed"}},
    },
    "alerts": {"from": {"alertmanager": {"url": "http://127.0.0.1:9093"}}, "expected": ["LedgerDown"]},
    "steady_state": ["errors < 0.1 %", "latency_p99 < 1.5 x baseline"],
    "abort_when": ["errors > 5 % in 3 of 5 samples", "failed_requests > 500 in total"],
    "gates": {"inject": {"timeout": "15m", "ready": 2, "checklist": True}},
    "scenarios": [
        {
            "title": "The ledger freezes",
            "hypothesis": "Checkout keeps selling",
            "faults": [
                {"name": "ledger-frozen", "inject": "process.pause", "on": {"host": "local", "process": "ledger"}, "for": "10m", "until": "mitigated"}
            ],
            "expect": ["errors < 1 %", "mitigated within 5m"],
            "predict": ["first alert after", "worst errors"],
            "rollback_plan": ["Restart the ledger"],
        },
        {
            "title": "The ledger is slow",
            "hypothesis": "Orders wait",
            "faults": [
                {"name": "ledger-slow", "inject": "http.fault", "on": {"host": "local", "envoy": "edge"}, "for": "5m", "with": {"delay": "1s"}}
            ],
            "expect": ["errors < 1 %"],
            "predict": ["who is paged?"],
        },
    ],
}


def plan_of(run_id: str = RUN, sealed: bool = False, started_by: Actor | None = None, seconds: float = 0) -> Plan:
    first, second = PLAYBOOK["scenarios"]
    playbook = {**PLAYBOOK, "scenarios": [first, {**second, "sealed": sealed}]}
    return Plan(
        run_id=run_id,
        playbook=Playbook.model_validate(playbook),
        text="name: checkout-day\n",
        started_at=T0 + timedelta(seconds=seconds),
        started_by=started_by or Actor(id="os:ada", name="Ada"),
        units={"errors": "ratio", "latency_p99": "s", "failed_requests": "count"},
    )


class Telling:
    """Writes a day down, event by event and sample by sample."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.events, self.samples = plan, list[Event](), list[Sample]()

    def at(self, seconds: float) -> datetime:
        return self.plan.started_at + timedelta(seconds=seconds)

    def event(
        self, seconds: float, what: EventKind, /, scenario: int | None = 0, fault: str | None = None, actor: str | None = None, **data: Any
    ) -> None:
        made = event_id(self.plan.run_id, what, len(self.events))
        self.events.append(
            Event(id=made, run_id=self.plan.run_id, at=self.at(seconds), kind=what, scenario=scenario, fault=fault, actor=actor, data=data)
        )

    def phase(self, seconds: float, phase: str, scenario: int = 0, until: float | None = None) -> None:
        self.event(seconds, EventKind.PHASE_BEGAN, scenario, phase=phase, until=self.at(until).isoformat() if until is not None else None)

    def reads(
        self, start: float, end: float, errors: float | None = 0.0, latency: float = 0.04, failed: Callable[[float], float] = lambda _: 0.0
    ) -> None:
        """One sample of each probe a second; errors of None are unknown."""
        for second in range(int(start), int(end)):
            moment = self.at(second)
            unknown = None if errors is not None else "no answer in 1 s"
            self.samples += [
                Sample(probe="errors", at=moment, value=errors, unknown=unknown, took_ms=4.0),
                Sample(probe="failed_requests", at=moment, value=failed(second), took_ms=4.0),
                Sample(probe="latency_p99", at=moment, value=latency, took_ms=4.0),
            ]

    def record(self) -> RunRecord:
        return RunRecord(self.plan, tuple(self.events), tuple(sorted(self.samples, key=lambda sample: (sample.at, sample.probe))))


def told_day(plan: Plan) -> RunRecord:
    """The whole day: passed once, aborted by a guardrail the second time."""
    day = Telling(plan)
    day.event(0, EventKind.RUN_STARTED, None, actor="Ada", playbook="checkout-day")
    _first(day)
    _second(day)
    day.event(61, EventKind.RUN_ENDED, None, outcome="aborted", exit_code=3, reason="errors > 5 % in 3 of 5 samples: 6 %")
    return day.record()


def _first(day: Telling) -> None:
    facts: dict[str, Any] = {"name": "ledger-frozen", "label": "local, ledger (pid 4312)", "kind": "process.pause"}
    baselines = [Baseline(probe="errors", median=0.0001, known=5), Baseline(probe="latency_p99", median=0.04, known=5)]
    day.event(0, EventKind.SCENARIO_BEGAN, title="The ledger freezes")
    day.phase(0, "pre-check", until=5)
    day.reads(0, 5)
    day.event(5, EventKind.BASELINE, baselines=[each.model_dump(mode="json") for each in baselines])
    day.event(5, EventKind.TARGETS_FOUND, targets=[{"fault": "ledger-frozen", "host": "local", "label": facts["label"]}])
    day.event(5, EventKind.GATE_WAITING, gate="inject 1", until=day.at(905).isoformat())
    day.event(6, EventKind.READY, actor="Linus")
    day.event(7, EventKind.CHECKLIST_TICKED, actor="Ada", item="Deploys frozen")
    day.event(8, EventKind.GATE_OPENED, actor="Ada", gate="inject 1", how="go")
    day.phase(8, "inject")
    day.event(9, EventKind.FAULT_ARMED, fault=FIRST, **facts)
    day.event(9.5, EventKind.FAULT_ACTIVE, fault=FIRST, **facts, took_ms=34.0, proof=[{"after": "stopped"}])
    day.phase(9.5, "observe", until=609.5)
    day.reads(10, 20, errors=0.006, latency=0.112, failed=lambda second: (second - 9) * 4)
    day.event(10.5, EventKind.STEADY_LOST, what="errors < 0.1 %, and it is 0.6 %")
    day.event(12, EventKind.ALERT_FIRING, alert="LedgerDown", expected=True)
    day.event(15, EventKind.NOTE, actor="Linus", text="ledger does not answer, failing over", about="seen")
    day.reads(20, 27, failed=lambda _: 41)
    day.event(25, EventKind.STEADY_BACK, samples=5, since=day.at(20).isoformat())
    day.phase(25.5, "recover")
    day.event(25.6, EventKind.FAULT_REVERTING, fault=FIRST, **facts, reason="it lasts until mitigated")
    day.event(25.8, EventKind.FAULT_ENDED, fault=FIRST, **facts, outcome="reverted", reason="mitigated", took_ms=41.0, proof=[{"after": "running"}])
    day.reads(27, 32, failed=lambda _: 41)
    day.phase(32, "analyze")
    day.event(32.1, EventKind.VERDICTS, judgements=[{"expectation": "errors < 1 %", "word": "upheld", "seen": "worst sample 0.6 %"}] * 2)
    day.event(32.2, EventKind.SCENARIO_ENDED, outcome="passed")


def _second(day: Telling) -> None:
    facts: dict[str, Any] = {"name": "ledger-slow", "label": "local, envoy edge", "kind": "http.fault"}
    day.event(33, EventKind.SCENARIO_BEGAN, 1, title="The ledger is slow")
    day.phase(33, "pre-check", 1, until=38)
    day.reads(33, 38, failed=lambda _: 41)
    day.event(38, EventKind.BASELINE, 1, baselines=[Baseline(probe="errors", median=0.0, known=5).model_dump(mode="json")])
    day.phase(38, "inject", 1)
    day.event(38.5, EventKind.FAULT_ARMED, 1, SECOND, **facts)
    day.event(39, EventKind.FAULT_ACTIVE, 1, SECOND, **facts, took_ms=5.0, proof=[{"after": "delay=1s"}])
    day.phase(39, "observe", 1, until=339)
    day.reads(39, 45, errors=0.06, failed=lambda second: 41 + (second - 38) * 20)
    day.event(44, EventKind.BREACH, 1, guardrail="errors > 5 % in 3 of 5 samples", seen="6 %")
    day.event(44, EventKind.ABORTED, 1, by="guardrail", reason="errors > 5 % in 3 of 5 samples: 6 %")
    day.phase(44.1, "recover", 1)
    day.event(44.2, EventKind.FAULT_REVERTING, 1, SECOND, **facts, reason="guardrail")
    day.event(44.4, EventKind.FAULT_ENDED, 1, SECOND, **facts, outcome="reverted", reason="guardrail", took_ms=9.0, proof=[{"after": "delay unset"}])
    day.reads(45, 60, errors=None, failed=lambda _: 161)
    day.phase(60, "analyze", 1)
    day.event(60.5, EventKind.VERDICTS, 1, judgements=[{"expectation": "errors < 1 %", "word": "refuted", "seen": "worst sample 6 % at +0:00"}])
    day.event(60.6, EventKind.SCENARIO_ENDED, 1, outcome="aborted")


def told_until(record: RunRecord, seconds: float) -> RunRecord:
    """The same record while the run goes on: as far as it was told after so many seconds."""
    end = record.plan.started_at + timedelta(seconds=seconds)
    events, samples = (tuple(each for each in items if each.at <= end) for items in (record.events, record.samples))
    return RunRecord(record.plan, events, samples)


def write(store: RunStore, record: RunRecord) -> None:
    store.open(record.plan)
    store.append(record.events)
    store.add_samples(record.run_id, record.samples)
