"""The `alert` probe; where alerts come from is tested in tests/activities/test_alerts.py."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic import ValidationError

from activities.probes.alert import AlertParams, AlertProbe
from activities.probes.probe import Unknown
from tests.rigs.web import served


def probe(http: httpx.AsyncClient, url: str, alert: str) -> AlertProbe:
    return AlertProbe(AlertParams.model_validate({"alert": alert, "from": {"alertmanager": {"url": url}}}), http)


async def test_an_alert_fires_or_does_not(http: httpx.AsyncClient) -> None:
    async def alerts(request: web.Request) -> web.Response:
        return web.json_response([{"labels": {"alertname": "LedgerDown"}, "status": {"state": "active"}}])

    async with served(alerts) as url:
        assert await probe(http, url, "LedgerDown").sample() == 1.0
        assert await probe(http, url, "CheckoutDown").sample() == 0.0


async def test_without_an_answer_nobody_knows(http: httpx.AsyncClient, closed_port: int) -> None:
    with pytest.raises(Unknown, match=r"refused the connection$"):
        await probe(http, f"http://127.0.0.1:{closed_port}", "LedgerDown").sample()


def test_it_is_measured_as_a_ratio() -> None:
    assert AlertParams.model_validate({"alert": "X", "from": {"prometheus": {"url": "http://p"}}}).measured_in().name == "ratio"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alert": "Ledger Down"}, "should match pattern"),
        ({"from": {}}, "; expected "),
        ({"from": {"alertmanager": {"url": "http://a"}, "prometheus": {"url": "http://p"}}}, "; expected "),
        ({"from": {"alertmanager": {}}}, "Field required"),
        ({"from": {"alertmanager": {"url": "a:9093"}}}, "should match pattern"),
        ({"from": {"alertmanager": {"url": "http://a:b@c"}}}, "carries a user name or a password; expected"),
        ({"from": {"prometheus": {"url": "http://p/?x"}}}, "a base URL has no query; expected"),
    ],
)
def test_bad_parameters_are_refused_with_what_was_expected(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        AlertParams.model_validate({"alert": "X", "from": {"prometheus": {"url": "http://p"}}, **params})
    assert message in raised.value.errors()[0]["msg"]
