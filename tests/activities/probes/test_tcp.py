"""The `tcp` probe against real ports."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from activities.probes.probe import Unknown
from activities.probes.tcp import TcpParams, TcpProbe
from gameday.units import Dimension
from tests.rigs.web import bare, silence, until


def probe(http: httpx.AsyncClient, port: int, **params: Any) -> TcpProbe:
    return TcpProbe(TcpParams.model_validate({"host": "127.0.0.1", "port": port, **params}), http)


async def test_an_open_port_is_ok_and_has_a_latency(http: httpx.AsyncClient) -> None:
    async with bare(silence) as server:
        assert await probe(http, server.port, measure="ok").sample() == 1.0
        assert await probe(http, server.port).sample() > 0
        assert await probe(http, server.port, host="localhost", measure="ok").sample() == 1.0
        await until(lambda: server.opened == 3 and server.open == 0)


async def test_a_closed_port_is_down_and_has_no_latency(http: httpx.AsyncClient, closed_port: int) -> None:
    assert await probe(http, closed_port, measure="ok").sample() == 0.0
    with pytest.raises(Unknown, match=rf"^127\.0\.0\.1:{closed_port} refused the connection$"):
        await probe(http, closed_port).sample()


async def test_a_port_that_takes_no_more_connections_is_not_ok_in_its_own_time(http: httpx.AsyncClient) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with socket.create_connection(listener.getsockname()):
            assert await probe(http, listener.getsockname()[1], measure="ok", within="50ms").sample() == 0.0
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(probe(http, listener.getsockname()[1]).sample(), 0.05)


def test_units() -> None:
    assert TcpParams.model_validate({"host": "db", "port": 1}).measured_in().dimension is Dimension.TIME
    assert TcpParams.model_validate({"host": "db", "port": 1, "measure": "ok"}).measured_in().dimension is Dimension.RATIO


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::", "fe80::1%eth0", "ledger-1.internal", "db_1"])
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert TcpParams.model_validate({"host": host, "port": 1}).host == host


@pytest.mark.parametrize(
    "params", [{"host": ""}, {"host": "a b"}, {"host": "-x"}, {"host": "a;b"}, {"port": 0}, {"port": 65536}, {"measure": "status"}, {"within": "1s"}]
)
def test_bad_parameters_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TcpParams.model_validate({"host": "db", "port": 1, **params})
