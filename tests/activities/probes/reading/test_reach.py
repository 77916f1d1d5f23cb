"""No probe connects to what it may not reach: judged is what the name leads to, and that is what is connected to.

Linux connects 0.0.0.0 to the machine itself: a refused address on which something real answers, so that each test can fail.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from activities.alerts import source_of
from activities.probes.alert import AlertParams, AlertProbe
from activities.probes.http import HttpParams, HttpProbe
from activities.probes.openmetrics import OpenMetricsParams, OpenMetricsProbe
from activities.probes.probe import Probe, Unknown
from activities.probes.prometheus import PrometheusParams, PrometheusProbe
from activities.probes.reading.client import client
from activities.probes.reading.reach import Reach, look_up
from activities.probes.tcp import TcpParams, TcpProbe
from gameday.playbook import Alerts
from tests.rigs.web import BareServer, bare, saying, until

ITSELF = (ipaddress.ip_network("0.0.0.0/32"),)
FOUND = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
Ask = Callable[[Reach, str, int], Awaitable[object]]


@pytest.fixture
async def server() -> AsyncIterator[BareServer]:
    async with bare(saying(FOUND)) as built:
        yield built


async def read(kind: type[Probe[Any]], params: Any, reach: Reach) -> object:
    async with client(reach) as http:
        probe = kind(params, http)
        probe.reach = reach
        return await probe.sample()


async def http(reach: Reach, host: str, port: int) -> object:
    return await read(HttpProbe, HttpParams.model_validate({"url": f"http://{host}:{port}/", "measure": "status"}), reach)


async def http_ok(reach: Reach, host: str, port: int) -> object:
    return await read(HttpProbe, HttpParams.model_validate({"url": f"http://{host}:{port}/", "measure": "ok"}), reach)


async def openmetrics(reach: Reach, host: str, port: int) -> object:
    return await read(OpenMetricsProbe, OpenMetricsParams.model_validate({"url": f"http://{host}:{port}/", "metric": "up"}), reach)


async def prometheus(reach: Reach, host: str, port: int) -> object:
    return await read(PrometheusProbe, PrometheusParams.model_validate({"url": f"http://{host}:{port}", "query": "up"}), reach)


async def tcp(reach: Reach, host: str, port: int) -> object:
    return await read(TcpProbe, TcpParams.model_validate({"host": host.strip("[]"), "port": port, "measure": "ok"}), reach)


async def alert(reach: Reach, host: str, port: int) -> object:
    params = {"alert": "Down", "from": {"alertmanager": {"url": f"http://{host}:{port}"}}}
    return await read(AlertProbe, AlertParams.model_validate(params), reach)


async def alerts(reach: Reach, host: str, port: int) -> object:
    async with client(reach) as made:
        return await source_of(Alerts.model_validate({"from": {"prometheus": {"url": f"http://{host}:{port}"}}}), made).firing()


ASKING = [http, http_ok, openmetrics, prometheus, tcp, alert, alerts]


@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("host", ["0.0.0.0", "0", "0x0"])
async def test_it_is_not_asked_and_is_unknown(server: BareServer, ask: Ask, host: str) -> None:
    """Also for `measure: ok`: nothing was measured, so it is not 0."""
    with pytest.raises(Unknown, match=r"is not asked: 0\.0\.0\.0 is no address at all \(unspecified\); `allow` under \[probes\]") as raised:
        await ask(Reach(), host, server.port)
    assert type(raised.value) is Unknown
    assert server.opened == 0


@pytest.mark.parametrize("ask", ASKING)
async def test_it_is_asked_where_the_operator_allows_it(server: BareServer, ask: Ask) -> None:
    try:
        await ask(Reach(ITSELF), "0.0.0.0", server.port)
    except Unknown as unknown:
        assert "404" in str(unknown)
    await until(lambda: server.opened == 1)


@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]"])
async def test_a_metadata_service_is_not_asked_however_it_is_written(ask: Ask, host: str) -> None:
    with pytest.raises(Unknown, match="a cloud's metadata service"):
        await ask(Reach(), host, 80)


class Names:
    """A name server that says something else each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("ask", ASKING)
async def test_a_name_that_leads_elsewhere_is_not_followed(server: BareServer, ask: Ask) -> None:
    with pytest.raises(Unknown, match=r"^shop\.test is not asked: 0\.0\.0\.0 is"):
        await ask(Reach(look_up=Names(["0.0.0.0"])), "shop.test", server.port)
    assert server.opened == 0


@pytest.mark.parametrize("ask", ASKING)
async def test_a_name_is_looked_up_once_so_that_nothing_can_change_before_it_is_connected_to(server: BareServer, ask: Ask) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    try:
        await ask(Reach(look_up=names), "shop.test", server.port)
    except Unknown as unknown:
        assert "404" in str(unknown)
    await until(lambda: server.opened == 1)
    assert names.asked == ["shop.test"]


@pytest.mark.parametrize("ask", ASKING)
async def test_of_several_addresses_only_those_that_may_be_are_tried(server: BareServer, ask: Ask) -> None:
    try:
        await ask(Reach(look_up=Names(["0.0.0.0", "::1", "127.0.0.1", "169.254.169.254"])), "shop.test", server.port)
    except Unknown as unknown:
        assert "404" in str(unknown)
    await until(lambda: server.opened == 1)


async def test_the_server_is_told_the_name_and_not_the_address() -> None:
    heads: list[bytes] = []

    async def listen(reader: Any, writer: Any) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(FOUND)

    async with bare(listen) as server:
        for ask in (http, prometheus):
            try:
                await ask(Reach(look_up=Names(["127.0.0.1"])), "shop.test", server.port)
            except Unknown as unknown:
                assert "404" in str(unknown)
            assert f"host: shop.test:{server.port}" in heads.pop().decode().lower()


async def test_a_redirect_is_an_answer_and_not_followed(server: BareServer) -> None:
    away = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{server.port}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with bare(saying(away.encode())) as first:
        assert await http(Reach(), "127.0.0.1", first.port) == 302.0
        for ask in (openmetrics, prometheus, alert, alerts):
            with pytest.raises(Unknown):
                await ask(Reach(), "127.0.0.1", first.port)
    assert server.opened == 0


@pytest.mark.parametrize("ask", ASKING)
async def test_a_name_that_leads_nowhere_is_told_as_ever(ask: Ask) -> None:
    def nowhere(host: str, port: int) -> list[str]:
        return look_up("no-such-host.invalid", port)

    if ask in (http_ok, tcp):
        assert await ask(Reach(look_up=nowhere), "shop.test", 80) == 0.0
    else:
        with pytest.raises(Unknown, match=r"^the name of shop\.test(:80)? does not resolve$"):
            await ask(Reach(look_up=nowhere), "shop.test", 80)


def test_the_client_takes_no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    made: httpx.AsyncClient = client(Reach())
    assert not made.trust_env and not made._mounts
