"""Alert sources: a real Alertmanager, a real Prometheus, and servers that answer as neither should."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from activities.alerts import Alertmanager, AlertSource, Prometheus, source_of
from activities.probes.probe import Unknown
from gameday import playbook
from tests.rigs.prometheus import Start, alertmanager_server, prometheus_server
from tests.rigs.web import bare, closed_port, given_up, http, served, silence

__all__ = ["alertmanager_server", "closed_port", "http", "prometheus_server"]

QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


async def firing(source: AlertSource, names: set[str]) -> None:
    """Waits until exactly these alerts fire; the test's time limit ends it if they do not."""
    while await source.firing() != names:  # noqa: ASYNC110  # what is waited for lies in another process
        await asyncio.sleep(0.1)


async def test_alertmanager_gives_what_is_active_and_neither_silenced_nor_inhibited(http: httpx.AsyncClient, alertmanager_server: Start) -> None:
    inhibit = [{"source_matchers": ["severity=page"], "target_matchers": ["severity=info"], "equal": []}]
    url = alertmanager_server({**QUIET, "inhibit_rules": inhibit})
    source = source_of(playbook.Alerts.model_validate({"from": {"alertmanager": {"url": f"{url}/"}}}), http)
    assert await source.firing() == frozenset()

    now = datetime.now(UTC)
    labels = [
        {"alertname": "LedgerDown", "severity": "page"},
        {"alertname": "LedgerDown", "severity": "page", "zone": "b"},
        {"alertname": "Muted", "severity": "page"},
        {"alertname": "Beside", "severity": "info"},
        {"severity": "nameless"},
    ]
    posted = [{"labels": each, "startsAt": now.isoformat()} for each in labels]
    posted.append({"labels": {"alertname": "Over"}, "startsAt": now.isoformat(), "endsAt": now.isoformat()})
    silenced = {
        "matchers": [{"name": "alertname", "value": "Muted", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "Grace",
        "comment": "practice",
    }
    (await http.post(f"{url}/api/v2/silences", json=silenced)).raise_for_status()
    (await http.post(f"{url}/api/v2/alerts", json=posted)).raise_for_status()
    await firing(source, {"LedgerDown"})

    posted[0]["endsAt"] = posted[1]["endsAt"] = datetime.now(UTC).isoformat()
    (await http.post(f"{url}/api/v2/alerts", json=posted[:2])).raise_for_status()
    await firing(source, set())


async def test_prometheus_gives_what_fires_and_not_what_is_pending(http: httpx.AsyncClient, prometheus_server: Start, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(
        '{"groups": [{"name": "shop", "interval": "200ms", "rules": ['
        '{"alert": "LedgerDown", "expr": "vector(1)"},'
        '{"alert": "Brewing", "expr": "vector(1)", "for": "1h"},'
        '{"alert": "Quiet", "expr": "vector(1) > 2"}]}]}'
    )
    url = prometheus_server({"rule_files": [str(rules)]})
    source = source_of(playbook.Alerts.model_validate({"from": {"prometheus": {"url": url}}}), http)
    await firing(source, {"LedgerDown"})


@pytest.mark.parametrize("kind", [Alertmanager, Prometheus])
async def test_a_source_that_is_down_or_hangs_is_unknown_and_leaves_no_connection(
    http: httpx.AsyncClient, closed_port: int, kind: type[Alertmanager | Prometheus]
) -> None:
    with pytest.raises(Unknown, match=rf"^127\.0\.0\.1:{closed_port} refused the connection$"):
        await kind(f"http://127.0.0.1:{closed_port}", http).firing()
    async with bare(silence) as server:
        await given_up(kind(server.url, http).firing(), server)


@pytest.mark.parametrize(
    ("kind", "status", "answer", "reason"),
    [
        (Alertmanager, 200, "<html>", "is no JSON$"),
        (Alertmanager, 200, "[" * 100_000, "is no JSON$"),
        (Alertmanager, 200, "{}", "is not Alertmanager's API$"),
        (Alertmanager, 200, "[1]", "lists an alert without labels$"),
        (Alertmanager, 200, '[{"labels": []}]', "lists an alert without labels$"),
        (Alertmanager, 503, "[]", "answered 503$"),
        (Alertmanager, 302, "", "answered 302$"),
        (Prometheus, 200, "[]", "is not Prometheus' API$"),
        (Prometheus, 200, '{"status": "error"}', "is not Prometheus' API$"),
        (Prometheus, 200, '{"status": "success", "data": {"alerts": null}}', "is not Prometheus' API$"),
        (Prometheus, 200, '{"status": "success", "data": {"alerts": [null]}}', "lists an alert without labels$"),
        (Prometheus, 200, '{"status": "success", "data": {"alerts": [{"state": "firing"}]}}', "lists an alert without labels$"),
        (Prometheus, 404, "", "answered 404$"),
    ],
)
async def test_junk_is_unknown_and_not_quiet(
    http: httpx.AsyncClient, kind: type[Alertmanager | Prometheus], status: int, answer: str, reason: str
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=answer, headers={"Location": "/login"})

    async with served(handler) as url:
        with pytest.raises(Unknown, match=reason):
            await kind(url, http).firing()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://ada:geheim@alerts", "carries a user name or a password; expected"),
        ("http://alerts/?x=1", "a base URL has no query; expected"),
        ("http://:9093", "this is no http address; expected"),
    ],
)
async def test_an_address_that_is_none_is_refused(http: httpx.AsyncClient, url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        source_of(playbook.Alerts.model_validate({"from": {"prometheus": {"url": url}}}), http)
    assert "geheim" not in str(raised.value)
