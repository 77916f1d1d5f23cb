"""The shop itself: real processes, really frozen, slowed down and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.processes import ROOT
from demo.proxy import find_envoy
from demo.shop import Shop
from demo.waiting import fetch, wait_until

Supervise = Callable[..., subprocess.Popen[bytes]]

needs_envoy = pytest.mark.skipif(find_envoy() is None, reason="hardware: there is no Envoy wheel for it")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Opens a shop on the command line, in `tmp_path`."""
    opened: list[subprocess.Popen[bytes]] = []

    def is_open() -> bool:
        path = tmp_path / "shop.json"
        return path.exists() and json.loads(path.read_text())["supervisor"]["pid"] == opened[-1].pid

    def supervise(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "demo.shop", "up", str(tmp_path), *options]
        opened.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
        wait_until(is_open, "the shop is open")
        return opened[-1]

    yield supervise
    for process in opened:
        process.terminate()
        process.wait(30)


def metric(shop: Shop, name: str, **labels: str) -> float:
    """The sum of checkout's samples of this name and these labels."""
    families = text_string_to_metric_families(fetch(f"{shop.checkout_url}/metrics").decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def error_share(shop: Shop, over: Callable[[], object]) -> float:
    """The share of requests answered with a 5xx status while `over` runs."""
    names = ("http_errors_total", "http_requests_total")
    errors, requests = (metric(shop, name) for name in names)
    over()
    errors_now, requests_now = (metric(shop, name) for name in names)
    return (errors_now - errors) / (requests_now - requests)


def alerts(shop: Shop) -> dict[str, Any]:
    """The firing alerts, by name."""
    return {alert["labels"]["alertname"]: alert for alert in json.loads(fetch(f"{shop.monitor_url}/api/v2/alerts"))}


def rows(shop: Shop, booked_by: str = "%") -> int:
    """How many orders are really in the database."""
    with psycopg.connect(shop.database_uri) as connection:
        row = connection.execute("select count(*) from orders where booked_by like %s", [booked_by]).fetchone()
    return int(row[0]) if row else 0


def is_steady(shop: Shop) -> bool:
    return metric(shop, "checkout_degraded") == 0 and metric(shop, "checkout_unbooked_orders") == 0


def set_delay(shop: Shop, percent: str, milliseconds: str) -> None:
    """Makes Envoy hold up so many per cent of all calls to the ledgers; empty strings end it."""
    key = "fault.http.delay"
    query = f"{key}.fixed_delay_percent={percent}&{key}.fixed_duration_ms={milliseconds}"
    fetch(f"{shop.envoy_admin}/runtime_modify?{query}", post=b"")


def still_alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that run; a zombie has ended, and only waits for init to notice."""
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_sells_and_books(shop: Shop) -> None:
    sold = metric(shop, "http_requests_total", code="201")
    wait_until(lambda: metric(shop, "http_requests_total", code="201") >= sold + 50, "fifty orders are booked")

    assert rows(shop, "ledger") >= sold + 50
    assert metric(shop, "http_errors_total") == 0
    assert alerts(shop) == {}


def test_tells_where_everything_is(shop: Shop) -> None:
    described = json.loads((shop.directory / "shop.json").read_text())

    assert {name: entry["pid"] for name, entry in described.items() if entry and name != "supervisor"} == shop.pids
    assert described["checkout"]["url"] == shop.checkout_url
    assert Path(described["ledger"]["pid_file"]).read_text() == f"{shop.pids['ledger']}\n"
    if sys.platform == "linux":
        assert psutil.Process(shop.pids["ledger"]).name() == "shop-ledger"


def test_books_an_order_once_whichever_ledger_is_asked(shop: Shop) -> None:
    order = {"order": 10**12, "amount": 500}

    answers = [fetch(f"{url}/orders", json.dumps(order).encode()) for url in (shop.ledger_url, shop.standby_url)]

    assert [json.loads(answer)["new"] for answer in answers] == [True, False]


def test_rides_out_a_frozen_ledger_on_the_standby(shop: Shop) -> None:
    def ride_out() -> None:
        wait_until(lambda: metric(shop, "checkout_degraded") == 1, "checkout sells on trust")
        wait_until(lambda: "LedgerDown" in alerts(shop), "the monitor sees it")
        wait_until(lambda: is_steady(shop), "the stand-by has taken over and has booked the rest")

    os.kill(shop.pids["ledger"], signal.SIGSTOP)
    try:
        assert error_share(shop, ride_out) < 0.05
        assert "LedgerDown" in alerts(shop), "the primary must still be frozen"
        assert rows(shop, "standby") > 0
    finally:
        os.kill(shop.pids["ledger"], signal.SIGCONT)
    wait_until(lambda: alerts(shop) == {}, "the alert is resolved")


@needs_envoy
def test_runs_out_of_trust_when_both_ledgers_are_slow(shop: Shop) -> None:
    set_delay(shop, "100", "800")
    try:
        wait_until(lambda: "CheckoutErrors" in alerts(shop), "too many checkouts fail")
        assert error_share(shop, lambda: time.sleep(1)) > 0.05
    finally:
        set_delay(shop, "", "")
    wait_until(lambda: is_steady(shop), "the shop recovers by itself")


def test_leaves_nothing_when_stopped(supervise: Supervise, tmp_path: Path) -> None:
    supervisor = supervise("--no-envoy")
    everyone = psutil.Process(supervisor.pid).children(recursive=True)
    described = json.loads((tmp_path / "shop.json").read_text())
    os.kill(described["ledger"]["pid"], signal.SIGSTOP)

    supervisor.terminate()

    assert supervisor.wait(30) == 0
    assert still_alive(everyone) == []
    assert described["envoy"] is None
    assert not list(tmp_path.glob("*.pid"))
    assert not (tmp_path / "shop.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="kernel: only Linux kills a process when its parent dies")
def test_leaves_nothing_when_its_supervisor_is_killed(supervise: Supervise, tmp_path: Path) -> None:
    supervisor = supervise()
    everyone = psutil.Process(supervisor.pid).children(recursive=True)
    os.kill(json.loads((tmp_path / "shop.json").read_text())["ledger"]["pid"], signal.SIGSTOP)

    supervisor.kill()
    supervisor.wait(30)

    wait_until(lambda: still_alive(everyone) == [], "everyone has ended")
    supervise("--no-envoy")  # and a new shop opens in the same place
