"""A game day as its record would hold it, made second by second: two scenarios, people, alerts, and an abort by a guardrail.

The numbers that the tests expect are written down in the tests; here is only what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from gameday.commands import Actor
from gameday.event import Event, EventKind, event_id
from gameday.fault import fault_id
from gameday.plan import Plan
from gameday.playbook import Playbook
from gameday.probe import Baseline, Sample
from gameday.record import RunRecord

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

RUN = "7kq2-checkout-day-june"
START = datetime(2026, 6, 18, 12, 28, 0, tzinfo=UTC)  # 14:28 in Berlin
FIRST = datetime(2026, 6, 18, 12, 30, 5, tzinfo=UTC)  # inject of scenario 1
SECOND = datetime(2026, 6, 18, 12, 40, 0, tzinfo=UTC)  # inject of scenario 2

TEXT = """\
name: checkout-day-june
objective: Can checkout live without its ledger, and do we notice?
environment: staging
# a comment with ``` in it
scenarios:
  - title: The ledger freezes
"""

PLAYBOOK: dict[str, Any] = {
    "name": "checkout-day-june",
    "objective": "Can checkout live without its ledger, and do we notice?",
    "environment": "staging",
    "times": {"zone": "Europe/Berlin", "stop": "16:00"},
    "team": {
        "commander": {"name": "Ada"},
        "safety": {"name": "Grace"},
        "responders": [{"name": "Linus"}, {"name": "Margaret"}],
        "observers": [{"name": "Edsger"}],
        "away": [{"name": "Barbara"}],
    },
    "checklist": [{"item": "Deploys frozen", "owner": "Ada"}],
    "probes": {
        "errors": {"prometheus": {"query": "errors", "unit": "ratio"}},
        "latency_p99": {"prometheus": {"query": "latency", "unit": "s"}},
        "failed_requests": {"prometheus": {"query": "failed"}},
    },
    "alerts": {"from": {"alertmanager": {"url": "http://127.0.0.1:9093"}}, "expected": ["LedgerDown", "LedgerSlow"]},
    "steady_state": ["errors < 0.1 %", "latency_p99 < 1.5 x baseline"],
    "abort_when": ["errors > 5 % in 3 of 5 samples", "failed_requests > 500 in total"],
    "scenarios": [
        {
            "title": "The ledger freezes",
            "hypothesis": "Checkout keeps selling, and the on-call notices within a minute",
            "faults": [{"name": "ledger-frozen", "inject": "process.pause", "on": {"host": "local", "process": "ledger"}, "until": "mitigated"}],
            "expect": ["errors < 1 %", "alert LedgerDown within 10s", "mitigated within 5m", "recovered within 30s"],
            "predict": ["first alert after", "worst errors", "who is paged"],
            "cards": [{"at": "40s", "say": "Support: a customer was charged twice"}, {"at": "4m", "say": "The press calls"}],
            "rollback_plan": ["Restart the ledger", "Clear its connection pool"],
        },
        {
            "title": "The ledger is slow",
            "hypothesis": "Orders wait, and none is lost",
            "faults": [{"name": "ledger-slow", "inject": "envoy.delay", "on": {"host": "local", "envoy": "edge"}, "for": "5m"}],
            "expect": ["errors < 1 %", "alert LedgerSlow within 60s", "recovered within 30s"],
        },
    ],
}

UNITS = {"errors": "ratio", "latency_p99": "s", "failed_requests": "count"}


def a_plan(playbook: dict[str, Any], text: str = TEXT) -> Plan:
    return Plan(
        run_id=RUN,
        playbook=Playbook.model_validate(playbook),
        text=text,
        started_at=START,
        started_by=Actor(id="ada", name="Ada"),
        units=UNITS,
        versions={"gameday": "0.1.0", "temporal": "1.32.0"},
    )


@dataclass
class Diary:
    """Writes down what happens, in the order in which it is told."""

    plan: Plan
    events: list[Event] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    failed: float = 1000.0

    def event(self, what: EventKind, at: datetime, scenario: int | None = None, /, actor: str | None = None, **data: Any) -> None:
        """One event; `fault` among its data is the name of a fault, from which its id is derived."""
        fault = data.pop("fault", None)
        ident, named = (fault_id(RUN, scenario or 0, fault, "local"), {"name": fault}) if fault else (None, {})
        made = event_id(RUN, what, len(self.events))
        self.events.append(Event(id=made, run_id=RUN, at=at, kind=what, scenario=scenario, actor=actor, fault=ident, data=named | data))

    def tick(self, at: datetime, errors: float, latency: float | None, failed: int = 0) -> None:
        self.failed += failed
        self.samples.append(Sample(probe="errors", at=at, value=errors))
        self.samples.append(
            Sample(probe="latency_p99", at=at, value=latency) if latency else Sample(probe="latency_p99", at=at, unknown="no answer in 1 s | `curl`")
        )
        self.samples.append(Sample(probe="failed_requests", at=at, value=self.failed))

    def baseline(self, at: datetime, scenario: int) -> None:
        before = [sample for sample in self.samples if at - timedelta(seconds=31) <= sample.at < at]
        found = [Baseline.of(probe, before) for probe in UNITS]
        self.event(EventKind.BASELINE, at, scenario, baselines=[each.model_dump(mode="json") for each in found])

    def record(self, **changes: Any) -> RunRecord:
        record = RunRecord(
            plan=self.plan, events=tuple(self.events), samples=tuple(self.samples), chain=f"chain of {len(self.events)} events verified"
        )
        return replace(record, **changes)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def the_opening(diary: Diary) -> None:
    diary.event(EventKind.RUN_STARTED, START, actor="Ada", playbook="checkout-day-june", digest="sha256:1234", approve="ask", team=[])
    diary.event(EventKind.CHECKLIST_TICKED, START + seconds(20), actor="Ada", item="Deploys frozen")
    diary.event(EventKind.CLOCK_OFFSET, START + seconds(30), host="local", offset_ms=1.5)


def the_ledger_freezes(diary: Diary) -> None:
    """Errors from +3 to +44, worst 0.62 % at +9; latency unknown at +30 to +32; the stand-by takes over at +72; one failed request a second."""
    on = {"fault": "ledger-frozen", "label": "local, ledger (pid 4312)"}
    diary.event(EventKind.SCENARIO_BEGAN, FIRST - seconds(65), 0, title=diary.plan.playbook.scenarios[0].title)
    diary.event(
        EventKind.TARGETS_FOUND, FIRST - seconds(64), 0, targets=[{"fault": "ledger-frozen", "host": "local", "label": "local, ledger (pid 4312)"}]
    )
    diary.event(EventKind.PHASE_BEGAN, FIRST - seconds(60), 0, phase="pre-check")
    for second in range(-60, -2):
        diary.tick(FIRST + seconds(second), 0.0001, 0.038 + 0.002 * (second % 3))
    diary.baseline(FIRST - seconds(2), 0)
    diary.event(EventKind.GATE_OPENED, FIRST - seconds(2), 0, actor="Ada", gate="inject", how="go")
    diary.event(EventKind.PHASE_BEGAN, FIRST - seconds(1), 0, phase="inject")
    diary.event(EventKind.FAULT_ARMED, FIRST - seconds(0.2), 0, **on, kind="process.pause")
    diary.event(EventKind.FAULT_ACTIVE, FIRST, 0, **on, kind="process.pause", took_ms=4.2, proof=[_step("applied", "stopped")])
    diary.event(EventKind.PHASE_BEGAN, FIRST + seconds(0.1), 0, phase="observe")
    for second in range(77):
        bad = 3 <= second < 44
        errors = 0.0062 if second == 9 else 0.004 if bad else 0.0003
        latency = None if 30 <= second < 33 else 0.112 if second < 72 else 0.041
        diary.tick(FIRST + seconds(second), errors, latency, failed=int(bad))
    diary.event(EventKind.STEADY_LOST, FIRST, 0, what="latency_p99 < 1.5 x baseline")
    diary.event(EventKind.ALERT_FIRING, FIRST + seconds(23), 0, alert="LedgerDown", expected=True)
    diary.event(EventKind.NOTE, FIRST + seconds(35), 0, actor="Linus", text="ledger does not answer, failing over to the stand-by", about="seen")
    diary.event(EventKind.CARD, FIRST + seconds(40), 0, say="Support: a customer was charged twice")
    diary.event(EventKind.ALERT_FIRING, FIRST + seconds(50), 0, alert="DiskFull", expected=False)
    diary.event(EventKind.STEADY_BACK, FIRST + seconds(76), 0, samples=5)
    diary.event(EventKind.PHASE_BEGAN, FIRST + seconds(77), 0, phase="recover")
    diary.event(EventKind.FAULT_REVERTING, FIRST + seconds(77), 0, fault="ledger-frozen", reason="mitigated")
    ended = {"outcome": "reverted", "reason": "mitigated", "took_ms": 41.0, "proof": [_step("before", "running")], "problems": []}
    diary.event(EventKind.FAULT_ENDED, FIRST + seconds(77.041), 0, **on, **ended)
    for second in range(78, 95):
        diary.tick(FIRST + seconds(second), 0.0002, 0.039)
    diary.event(EventKind.PHASE_BEGAN, FIRST + seconds(95), 0, phase="analyze")
    diary.event(EventKind.NOTE, FIRST + seconds(100), 0, actor="Grace", text="The stand-by took over by itself", about="went-well")
    diary.event(EventKind.NOTE, FIRST + seconds(101), 0, actor="Edsger", text="The alert came late", about="went-wrong")
    diary.event(EventKind.NOTE, FIRST + seconds(102), 0, actor="Edsger", text="It was not month's end", about="lucky")
    diary.event(EventKind.NOTE, FIRST + seconds(103), 0, actor="Ada", text="Alert on the first timeout", about="action", owner="Linus", due="30 June")
    diary.event(EventKind.SCENARIO_ENDED, FIRST + seconds(120), 0, outcome="failed")


def _step(state: str, after: str) -> dict[str, str]:
    return {"step": "process.signal", "before": "running", "after": after, "state": state}


def the_ledger_is_slow(diary: Diary) -> None:
    """Errors of 8 % from +4: the guardrail holds at +6, and the run is aborted."""
    on = {"fault": "ledger-slow", "label": "local, edge"}
    diary.event(EventKind.SCENARIO_BEGAN, SECOND - seconds(40), 1, title=diary.plan.playbook.scenarios[1].title)
    diary.event(EventKind.PHASE_BEGAN, SECOND - seconds(35), 1, phase="pre-check")
    for second in range(-35, 0):
        diary.tick(SECOND + seconds(second), 0.0001, 0.040)
    diary.baseline(SECOND - seconds(1), 1)
    diary.event(EventKind.PHASE_BEGAN, SECOND - seconds(1), 1, phase="inject")
    diary.event(EventKind.FAULT_ARMED, SECOND - seconds(0.3), 1, **on, kind="envoy.delay")
    diary.event(EventKind.FAULT_ACTIVE, SECOND, 1, **on, kind="envoy.delay", took_ms=12)
    diary.event(EventKind.PHASE_BEGAN, SECOND, 1, phase="observe")
    for second in range(7):
        diary.tick(SECOND + seconds(second), 0.08 if second >= 4 else 0.0001, 0.240, failed=20 if second >= 4 else 0)
    diary.event(EventKind.STEADY_LOST, SECOND, 1, what="latency_p99 < 1.5 x baseline")
    diary.event(EventKind.MARK, SECOND + seconds(5), 1, actor="Margaret", clock="detected")
    diary.event(EventKind.BREACH, SECOND + seconds(6), 1, guardrail="errors > 5 % in 3 of 5 samples", seen="8 %", limit="not > 5 %", samples=[])
    diary.event(EventKind.ABORTED, SECOND + seconds(6), 1, reason="errors > 5 % in 3 of 5 samples: 8 %", by="guardrail")
    diary.event(EventKind.PHASE_BEGAN, SECOND + seconds(6.1), 1, phase="recover")


def the_slow_ledger_reverts(diary: Diary) -> None:
    on = {"fault": "ledger-slow", "label": "local, edge"}
    proof = [
        {"step": "envoy.runtime", "before": "fault.http.delay: absent", "after": "fault.http.delay: absent", "state": "before"},
        {"step": "envoy.runtime", "before": "fault.http.percent: absent", "after": "fault.http.percent: absent", "state": "before"},
    ]
    diary.event(EventKind.FAULT_ENDED, SECOND + seconds(6.4), 1, **on, outcome="reverted", reason="abort", took_ms=230.0, proof=proof, problems=[])
    for second in range(7, 20):
        diary.tick(SECOND + seconds(second), 0.02 if second < 12 else 0.0001, 0.04)
    diary.event(EventKind.PHASE_BEGAN, SECOND + seconds(20), 1, phase="analyze")
    diary.event(EventKind.SCENARIO_ENDED, SECOND + seconds(21), 1, outcome="aborted")


def the_end(diary: Diary, outcome: str = "aborted", exit_code: int = 3) -> None:
    diary.event(EventKind.RUN_ENDED, SECOND + seconds(30), outcome=outcome, exit_code=exit_code)


def a_day(playbook: dict[str, Any] | None = None, text: str = TEXT) -> Diary:
    diary = Diary(a_plan(playbook or PLAYBOOK, text))
    the_opening(diary)
    the_ledger_freezes(diary)
    the_ledger_is_slow(diary)
    return diary


@pytest.fixture
def day() -> RunRecord:
    """Both scenarios to their end; the second aborted by a guardrail."""
    diary = a_day()
    the_slow_ledger_reverts(diary)
    the_end(diary)
    return diary.record()


@pytest.fixture
def killed() -> RunRecord:
    """The conductor was terminated in scenario 2: a phase, a fault and the run have no end."""
    return a_day().record(missing=("samples of 3 s: the observer was killed",))


@pytest.fixture
def dirty() -> RunRecord:
    """The revert of scenario 2 could not be proven."""
    diary = a_day()
    on = {"fault": "ledger-slow", "label": "local, edge"}
    diary.event(EventKind.FAULT_DIRTY, SECOND + seconds(36), 1, **on, problems=["envoy.runtime: still applied: 5s"], plan=["Restart the edge proxy"])
    diary.event(EventKind.SCENARIO_ENDED, SECOND + seconds(37), 1, outcome="dirty")
    the_end(diary, "dirty", 6)
    return diary.record()


@pytest.fixture
def make_day() -> Callable[[dict[str, Any]], Diary]:
    """A day of another playbook, open at its end, to be told on."""
    return a_day


class Page(HTMLParser):
    """A Markdown document as a reader sees it: its tags in order, with their attributes, and the text between them."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""
        self.feed(MARKDOWN.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {[name for name, _ in attrs]}")
        self.text += "".join(f"<{value}>" for name, value in attrs if name == "alt")

    def handle_endtag(self, tag: str) -> None:
        self.tags.append("/" + tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="session")
def read() -> Callable[[str], Page]:
    """Reads Markdown as GitHub would show it."""
    return Page


def part(page: str, heading: str) -> str:
    """The text below a heading, up to the next of its rank."""
    rank = heading.split(" ")[0]
    return page.split(f"\n{heading}", 1)[1].split(f"\n{rank} ", 1)[0]


def rows(page: str) -> list[list[str]]:
    """The rows of every table, as cells without their padding."""
    return [[cell.strip() for cell in line[2:-2].split(" | ")] for line in page.split("\n") if line.startswith("| ")]
