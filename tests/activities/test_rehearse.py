"""What a rehearsal finds: probes that cannot be what they are said to be, and guardrails on the past of a real Prometheus."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from temporalio.testing import ActivityEnvironment

from activities import kinds
from activities.rehearse import Rehearsing
from activities.store import RunStore
from gameday.language import Guardrail, Tolerance
from gameday.limits import Sampling
from gameday.observation import Yardstick
from gameday.orders import Checked, RehearseOrder
from gameday.playbook import Alerts
from tests.rigs.prometheus import Start
from tests.rigs.web import served

QUICK = Sampling(every=timedelta(milliseconds=100), timeout=timedelta(milliseconds=500))
MINUTES = 2 * 24 * 60
"""Of the past: two days."""


async def found(tmp_path: Path, probes: dict[str, Any], unit: str = "ratio", alerts: Alerts | None = None, **more: Any) -> list[Checked]:
    steady, rails = more.pop("steady", ()), more.pop("abort_when", ())
    yardstick = Yardstick(
        units=dict.fromkeys(probes, unit),
        steady_state=tuple(map(Tolerance.parse, steady)),
        abort_when=tuple(map(Guardrail.parse, rails)),
    )
    order = RehearseOrder.model_validate(
        {
            "run_id": "abcd-day",
            "probes": probes,
            "alerts": alerts,
            "named_alerts": ["LedgerDown"],
            "yardstick": yardstick,
            "sampling": QUICK,
            "planned_length": timedelta(hours=1),
            **more,
        }
    )
    rehearsing = Rehearsing(RunStore(f"sqlite:///{tmp_path}/gameday.db"), kinds.probes())
    return list((await ActivityEnvironment().run(rehearsing.rehearse, order)).findings)


def page(text: str) -> Any:
    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text=text)

    return metrics


@pytest.mark.parametrize(
    ("value", "unit", "steady", "expected"),
    [
        ("0.5", "ratio", (), ("ok", "reads 50 %")),
        ("12", "ratio", (), ("no", "reads 1,200 %: a ratio is between 0 and 100 %; is its unit '%' rather than ratio, or is it a count?")),
        ("-3", "s", (), ("no", "reads -3,000 ms: a negative time, size or rate is none; look at its query and its unit")),
        ("0.2", "s", ("delay < 500 s",), ("part", "reads 200 ms; 'delay < 500 s' is very far from that: are both in the unit that is meant?")),
        ("0.2", "s", ("delay < 1 s",), ("ok", "reads 200 ms")),
        ("NaN", "count", (), ("no", "the answer was nan")),
    ],
)
async def test_a_probe_must_read_what_it_is_said_to(
    tmp_path: Path, value: str, unit: str, steady: tuple[str, ...], expected: tuple[str, str]
) -> None:
    async with served(page(f"delay {value}\n")) as url:
        (finding,) = await found(tmp_path, {"delay": {"openmetrics": {"url": url, "metric": "delay", "unit": unit}}}, unit, steady=steady)
    assert finding.about == "probe delay" and finding.state == expected[0]
    assert finding.said == expected[1] or value == "NaN"


async def test_a_probe_without_an_answer_does_not_work(tmp_path: Path) -> None:
    (finding,) = await found(tmp_path, {"x": {"tcp": {"host": "127.0.0.1", "port": 1}}})
    assert (finding.state, finding.about) == ("no", "probe x") and "refused" in finding.said


@pytest.mark.parametrize(("firing", "state"), [([], "ok"), (["Other"], "ok"), (["LedgerDown", "Other"], "no")])
async def test_an_alert_that_the_day_is_to_raise_may_not_fire_already(tmp_path: Path, firing: list[str], state: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        active = {"state": "active", "silencedBy": [], "inhibitedBy": []}
        return web.json_response([{"labels": {"alertname": name}, "status": active} for name in firing])

    async with served(answer) as url:
        alerts = Alerts.model_validate({"from": {"alertmanager": {"url": url}}})
        (finding,) = await found(tmp_path, {}, alerts=alerts)
    assert (finding.about, finding.state) == ("alerts", state)


async def test_guardrails_are_tried_on_what_has_been(tmp_path: Path, prometheus_server: Start) -> None:
    """A ratio that was bad twice in two days, for ten minutes each, and once for a single reading; a counter that grew by 2 a minute."""
    now = int(time.time())
    bad = {*range(300, 310), *range(2000, 2010), 2500}
    lines = ["# TYPE errors gauge"]
    lines += [f"errors {0.5 if minute in bad else 0.001} {now - (MINUTES - minute) * 60}" for minute in range(MINUTES)]
    lines += ["# TYPE failed gauge", *(f"failed {2 * minute} {now - (MINUTES - minute) * 60}" for minute in range(MINUTES)), "# EOF", ""]
    url = prometheus_server({}, past="\n".join(lines))
    asks = {"stale_after": "60s", "url": url}
    rails = ("errors > 5 % in 3 of 5 samples", "errors > 5 %", "failed > 100 in total", "failed > 150 in total", "errors is unknown for 30s")
    findings = await found(
        tmp_path,
        {"errors": {"prometheus": {"query": "errors", "unit": "ratio", **asks}}, "failed": {"prometheus": {"query": "failed", **asks}}},
        abort_when=rails,
        steady=("errors < 1 %",),
        past=timedelta(days=2),
        sampling=QUICK.model_copy(update={"every": timedelta(seconds=30), "timeout": timedelta(seconds=2)}),
    )
    said = {finding.about: (finding.state, finding.said) for finding in findings}
    tripped = {about: words.split(", the last")[0] for about, (_, words) in said.items() if about.startswith("guardrail")}
    assert tripped == {
        f"guardrail {rails[0]}": "would have tripped twice in the last 2 days without any fault",
        f"guardrail {rails[1]}": "would have tripped 3 times in the last 2 days without any fault",
        f"guardrail {rails[2]}": "would have tripped 48 times in the last 2 days without any fault",
        f"guardrail {rails[3]}": "would have tripped never in the last 2 days without any fault",
        f"guardrail {rails[4]}": "not tried on the past: what was unknown is not kept",
    }
    assert said["steady errors < 1 %"][0] == "ok" and "held 99." in said["steady errors < 1 %"][1]
    assert "out of it for 10" in said["steady errors < 1 %"][1]


async def test_a_source_that_keeps_no_past_is_said_and_fails_nothing(tmp_path: Path) -> None:
    async with served(page("queued 1\n")) as url:
        probes = {"queued": {"openmetrics": {"url": url, "metric": "queued"}}}
        findings = await found(tmp_path, probes, "count", abort_when=("queued > 5",), past=timedelta(hours=1))
    assert [(each.state, each.said) for each in findings] == [("ok", "reads 1"), ("part", "not tried on the past: its source keeps no past")]
