"""The `http` probe against real servers, good, bad and silent."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic import ValidationError

from activities.probes import http as http_probe
from activities.probes.http import HttpParams, HttpProbe
from activities.probes.probe import Unknown
from gameday.units import Dimension
from tests.rigs.web import bare, given_up, saying, served, silence, until


def probe(http: httpx.AsyncClient, url: str, **params: Any) -> HttpProbe:
    return HttpProbe(HttpParams.model_validate({"url": url, **params}), http)


def answering(status: int = 200, text: str = "ready", **more: Any) -> Any:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, **more)

    return handler


async def test_latency_is_the_time_to_the_end_of_the_body(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal now
        now += 0.25
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        now += 0.5
        await response.write(b"last")
        return response

    monkeypatch.setattr(http_probe, "time", SimpleNamespace(perf_counter=lambda: now))
    async with served(handler) as url:
        assert await probe(http, url).sample() == 0.75


@pytest.mark.parametrize(
    ("status", "params", "value"),
    [
        (200, {}, 1.0),
        (299, {}, 1.0),
        (302, {}, 0.0),
        (500, {}, 0.0),
        (404, {"status": 404}, 1.0),
        (200, {"status": 404}, 0.0),
        (503, {"status": [200, 503]}, 1.0),
        (200, {"contains": "ead"}, 1.0),
        (200, {"contains": "steady"}, 0.0),
        (200, {"method": "HEAD"}, 1.0),
    ],
)
async def test_ok_is_one_or_zero(http: httpx.AsyncClient, status: int, params: dict[str, Any], value: float) -> None:
    async with served(answering(status)) as url:
        assert await probe(http, url, measure="ok", **params).sample() == value


async def test_a_status_is_read_as_it_is(http: httpx.AsyncClient) -> None:
    async with served(answering(503)) as url:
        assert await probe(http, url, measure="status").sample() == 503


async def test_a_service_that_fails_fast_has_no_latency(http: httpx.AsyncClient) -> None:
    async with served(answering(503)) as url:
        with pytest.raises(Unknown, match=r"^answered 503; expected 200 to 299$"):
            await probe(http, url).sample()


async def test_a_redirect_is_an_answer(http: httpx.AsyncClient) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with served(handler) as url:
        assert await probe(http, f"{url}/here", measure="status").sample() == 302
    assert asked == ["/here"]


async def test_a_refused_connection_is_down_and_has_no_latency(http: httpx.AsyncClient, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/health"
    assert await probe(http, url, measure="ok").sample() == 0.0
    for measure in ("latency", "status"):
        with pytest.raises(Unknown, match=rf"^127\.0\.0\.1:{closed_port} refused the connection$"):
            await probe(http, url, measure=measure).sample()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "broke off, or does not speak HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broke off, or does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "broke off, or does not speak HTTP"),
    ],
)
async def test_what_speaks_no_http_is_down_and_has_no_latency(http: httpx.AsyncClient, answer: bytes, reason: str) -> None:
    async with bare(saying(answer)) as server:
        assert await probe(http, server.url, measure="ok").sample() == 0.0
        with pytest.raises(Unknown, match=reason):
            await probe(http, server.url).sample()


async def test_a_silent_service_is_not_ok_in_its_own_time(http: httpx.AsyncClient) -> None:
    async with bare(silence) as server:
        assert await probe(http, server.url, measure="ok", within="50ms").sample() == 0.0
        await until(lambda: server.open == 0)


async def test_a_cancelled_sample_leaves_no_connection(http: httpx.AsyncClient) -> None:
    async with bare(silence) as server:
        await given_up(probe(http, server.url).sample(), server)
        assert server.opened == 1


async def test_each_sample_connects_anew(http: httpx.AsyncClient) -> None:
    async with bare(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        reading = probe(http, server.url, measure="ok")
        assert [await reading.sample() for _ in range(3)] == [1.0, 1.0, 1.0]
        assert server.opened == 3


async def test_an_endless_body_is_read_up_to_a_mebibyte(http: httpx.AsyncClient) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    async with served(handler) as url:
        assert await probe(http, url, measure="ok", within="30s").sample() == 1.0
        assert await probe(http, url, measure="ok", contains="y", within="30s").sample() == 0.0


async def test_headers_and_body_are_sent_with_secrets_in_place(http: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.method == "POST"
        assert await request.text() == '{"amount": 1}'
        assert request.headers["Authorization"] == "Bearer s3cret"
        assert request.headers["X-Key"] == "k3y"
        return web.Response()

    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    (tmp_path / "key").write_text("k3y\n")
    headers = {"Authorization": "Bearer secret://env/SHOP_TOKEN", "X-Key": f"secret://file{tmp_path}/key"}
    async with served(handler) as url:
        assert await probe(http, url, measure="status", method="POST", send='{"amount": 1}', headers=headers).sample() == 200


@pytest.mark.parametrize("value", [None, "two\nlines", "", "line\r\nX-Other: 1"])
async def test_a_secret_that_cannot_be_used_is_named_and_not_said(
    http: httpx.AsyncClient, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("SHOP_TOKEN", value)
    with pytest.raises(Unknown, match=r"secret://env/SHOP_TOKEN") as raised:
        await probe(http, "http://127.0.0.1:1", headers={"X-Key": "secret://env/SHOP_TOKEN"}).sample()
    assert not value or value not in str(raised.value)


async def test_a_secret_that_no_header_can_carry_is_not_said(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "schlüssel☂")
    async with served(answering()) as url:
        with pytest.raises(Unknown, match=r"cannot be sent") as raised:
            await probe(http, url, headers={"X-Key": "secret://env/SHOP_TOKEN"}).sample()
    assert "schl" not in str(raised.value)


async def test_a_machine_out_of_descriptors_knows_nothing_of_others(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_descriptor(*arguments: Any, **options: Any) -> None:
        raise OSError(24, os.strerror(24))

    async with served(answering()) as url:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", no_descriptor)
        with pytest.raises(Unknown, match=r"this machine is out of open files"):
            await probe(http, url, measure="ok").sample()


@pytest.mark.parametrize(("measure", "dimension"), [("latency", Dimension.TIME), ("ok", Dimension.RATIO), ("status", Dimension.COUNT)])
def test_the_unit_follows_from_what_is_measured(measure: str, dimension: Dimension) -> None:
    assert HttpParams.model_validate({"url": "http://shop", "measure": measure}).measured_in().dimension is dimension


def test_a_unit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^this is measured in 's', not in '%'; expected ms or s or m or h, or no unit$"):
        HttpParams(url="http://shop", unit="%").measured_in()
    assert HttpParams(url="http://shop", unit="ms").measured_in().name == "ms"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"url": "ftp://shop/"}, "this is no http address; expected one such as"),
        ({"url": "http://"}, "this is no http address; expected"),
        ({"url": "http://shop:99999"}, "this is no http address; expected"),
        ({"url": "http://[::1"}, "this is no http address; expected"),
        ({"url": "shop"}, "this is no http address; expected"),
        ({"url": "http://shop/a b"}, "contains blanks or control characters; expected"),
        ({"url": "http://ada:geheim@shop"}, "carries a user name or a password; expected none"),
        ({"within": "1s"}, "'within' does not belong to latency; expected"),
        ({"measure": "status", "status": 200}, "'measure: status' takes any answer; expected"),
        ({"method": "HEAD", "contains": "x"}, "the answer to HEAD has no body; expected"),
        ({"send": "x"}, "a GET sends no body; expected"),
        ({"headers": {"X": "secret://vault/x"}}, "there is no source of secrets 'vault'; expected secret://env/NAME"),
        ({"headers": {"X": "secret://env/"}}, "names no secret; expected secret://env/NAME"),
        ({"headers": {"X Y": "1"}}, "should match pattern"),
        ({"status": 42}, "greater than or equal to 100"),
        ({"method": "DELETE"}, "'GET', 'HEAD' or 'POST'"),
    ],
)
def test_bad_parameters_are_refused_with_what_was_expected(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        HttpParams.model_validate({"url": "http://shop", **params})
    problem = raised.value.errors()[0]["msg"]
    assert message in problem
    assert "geheim" not in problem
