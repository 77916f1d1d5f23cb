"""The `prometheus` probe against a real Prometheus, and against servers that answer as none should."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic import ValidationError

from activities.probes.probe import Unknown
from activities.probes.prometheus import PrometheusParams, PrometheusProbe, fresh
from activities.probes.reading import prometheus_api
from tests.rigs.prometheus import Start
from tests.rigs.web import bare, saying, served, silence, until


def probe(http: httpx.AsyncClient, url: str, query: str = "up", **params: Any) -> PrometheusProbe:
    return PrometheusProbe(PrometheusParams.model_validate({"url": url, "query": query, **params}), http)


def api(result: Any, kind: str = "vector") -> Any:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"resultType": kind, "result": result}})

    return handler


def one(value: str, ago: float = 0.0) -> list[Any]:
    return [{"metric": {}, "value": [time.time() - ago, value]}]


@pytest.fixture
async def target() -> AsyncIterator[str]:
    """A metrics page with two series, as Prometheus wants the address of one."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text='queue{name="a"} 3\nqueue{name="b"} 4\n')

    async with served(metrics) as url:
        yield url.removeprefix("http://")


def scraping(target: str) -> dict[str, Any]:
    return {"scrape_configs": [{"job_name": "target", "scrape_interval": "200ms", "static_configs": [{"targets": [target]}]}]}


async def scraped(http: httpx.AsyncClient, server: str) -> None:
    while not (await http.get(f"{server}/api/v1/query", params={"query": "queue"})).json()["data"]["result"]:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def test_a_query_gives_one_number_or_the_reason_why_not(http: httpx.AsyncClient, target: str, prometheus_server: Start) -> None:
    server = prometheus_server(scraping(target))
    await scraped(http, server)
    assert await probe(http, server, "sum(queue)").sample() == 7
    assert await probe(http, f"{server}/", 'queue{name="a"}', stale_after="2s").sample() == 3
    assert await probe(http, server, "42").sample() == 42
    assert await probe(http, server, "sum(queue) * 100", unit="%").sample() == 7
    assert await probe(http, server, "sum(queue)", unit="KiB").sample() == 7 * 1024
    for query, reason in {
        "no_such_metric": "^the query finds no series$",
        "queue": r"^the query gives 2 series; aggregate them into one, such as by sum\(…\)$",
        "sum(queue) - sum(queue) / 0 * 0": "^the query gives nan, such as 0 / 0$",
        "sum(queue) / 0": "^the query gives inf$",
        'queue{name="a"}[1m]': r"^the query gives a range of values; apply a function to it, such as rate\(…\)$",
        '"text"': "^the query gives no number$",
        "sum(queue": 'refused the query: invalid parameter "query": .*parse error: unclosed left parenthesis$',
    }.items():
        with pytest.raises(Unknown, match=reason):
            await probe(http, server, query).sample()


async def test_prometheus_looks_back_no_further_than_the_answer_may_be_old(http: httpx.AsyncClient, target: str, prometheus_server: Start) -> None:
    """A page with time stamps of its own gets no mark of staleness: Prometheus would go on giving its last value for 5 minutes."""
    old = time.time() - 30

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text=f"queue 3 {old * 1000:.0f}\n")

    async with served(metrics) as url:
        server = prometheus_server(scraping(url.removeprefix("http://")))
        await scraped(http, server)
        assert await probe(http, server, "queue", stale_after="5m").sample() == 3
        with pytest.raises(Unknown, match=r"^the query finds no series$"):
            await probe(http, server, "queue", stale_after="20s").sample()


@pytest.mark.parametrize("query", ["up", " up ", "job:up:sum", 'up{job="a"}', 'up {job=~\'a{2}\', x!="\\"}"}', "up{}", "up{path=`/{id}`}"])
def test_a_plain_metric_is_bounded_on_any_version(query: str) -> None:
    assert fresh(query, "60000ms") == f"{query.strip()} and last_over_time({query.strip()}[60000ms])"


@pytest.mark.parametrize("query", ["sum(up)", "up[5m]", "up offset 5m", "up or vector(0)", 'up{a="b"} + up{a="c"}', "42", "-up", '"up"'])
def test_any_other_query_is_asked_as_it_is_written(query: str) -> None:
    assert fresh(query, "60000ms") == query


async def test_an_expression_is_bounded_by_the_parameter_of_the_api(http: httpx.AsyncClient) -> None:
    """Prometheus has it from 2.43 on; Debian's 2.42 does not know it."""
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        return web.json_response({"data": {"result": one("1")}})

    async with served(handler) as url:
        await probe(http, url, "sum(up)", stale_after="20s").sample()
    assert asked == [{"query": "sum(up)", "lookback_delta": "20000ms", "timeout": "10s"}]


@pytest.mark.parametrize(("ago", "reason"), [(90, "as of 90 s ago$"), (-90, "as of 90 s ahead of this machine's clock$")])
async def test_an_answer_of_another_time_is_refused(http: httpx.AsyncClient, ago: float, reason: str) -> None:
    async with served(api(one("1", ago))) as url:
        with pytest.raises(Unknown, match=reason):
            await probe(http, url).sample()
        assert await probe(http, url, stale_after="2m").sample() == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda: api([]), "^the query finds no series$"),
        (lambda: api(one("NaN")), "^the query gives nan"),
        (lambda: api(one("many")), "^the query gives no number$"),
        (lambda: api([{"metric": {}}]), "^the query gives no number$"),
        (lambda: api(["x"]), "^the query gives no number$"),
        (lambda: api({"x": 1}), "^the query gives no number$"),
        (lambda: api(None), "^the query gives no number$"),
        (lambda: api([{"metric": {}, "value": [time.time(), "1"]}] * 2), "^the query gives 2 series"),
    ],
)
async def test_an_answer_that_is_no_number_says_why(http: httpx.AsyncClient, answer: Any, reason: str) -> None:
    async with served(answer()) as url:  # made now: an answer has its time
        with pytest.raises(Unknown, match=reason):
            await probe(http, url).sample()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, "<html>", "is no JSON$"),
        (200, "[]", "is not Prometheus' API$"),
        (200, "{}", "is not Prometheus' API$"),
        (200, '{"data": null}', "is not Prometheus' API$"),
        (200, "[" * 100_000, "is (no JSON|not Prometheus' API)$"),
        (503, "down for repair", "refused the query: status 503$"),
        (422, json.dumps({"status": "error", "error": 'many "words" here'}), 'refused the query: many "words" here$'),
        (302, "", "refused the query: status 302$"),
    ],
)
async def test_junk_says_why(http: httpx.AsyncClient, status: int, body: str, reason: str) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, text=body, headers={"Location": "/elsewhere"})

    async with served(handler) as url:
        with pytest.raises(Unknown, match=reason):
            await probe(http, url).sample()
    assert asked == ["/api/v1/query"], "asked once, and nothing else"


async def test_what_speaks_no_http_is_unknown(http: httpx.AsyncClient, closed_port: int) -> None:
    with pytest.raises(Unknown, match=rf"^127\.0\.0\.1:{closed_port} refused the connection$"):
        await probe(http, f"http://127.0.0.1:{closed_port}").sample()
    async with bare(saying(b"")) as server:
        with pytest.raises(Unknown, match=r"broke the connection off$"):
            await probe(http, server.url).sample()


async def test_a_server_that_hangs_holds_one_thread_until_it_answers(http: httpx.AsyncClient) -> None:
    async with bare(silence) as server:
        reading = probe(http, server.url)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reading.sample(), 0.5)
        for _ in range(3):
            with pytest.raises(Unknown, match=r"^the query before this one has not been answered yet$"):
                await reading.sample()
        await until(lambda: server.opened == 1)
        assert len(_threads()) == 1
        await server.stop()
        await until(lambda: not _threads())
        with pytest.raises(Unknown, match=r"refused the connection$"):
            await reading.sample()


async def test_a_server_that_never_answers_is_given_up(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_api, "TIMEOUT_S", 0.2)
    async with bare(silence) as server:
        with pytest.raises(Unknown, match=r"did not answer in time$"):
            await probe(http, server.url).sample()
        await until(lambda: server.open == 0)


async def test_a_server_that_answers_in_drops_is_given_up(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    monkeypatch.setattr(prometheus_api, "TIMEOUT_S", 0.5)
    async with bare(dripping) as server:
        with pytest.raises(Unknown, match=r"^the answer did not end in time$"):
            await probe(http, server.url).sample()
        await until(lambda: server.open == 0)


async def test_a_server_that_answers_without_end_is_given_up(http: httpx.AsyncClient) -> None:
    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    async with bare(flooding) as server:
        with pytest.raises(Unknown, match=r"^the answer is larger than 8 MiB$"):
            await probe(http, server.url).sample()
        await until(lambda: server.open == 0)


async def test_secrets_are_sent_and_proxies_are_not_followed(http: httpx.AsyncClient, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer s3cret"
        return web.json_response({"data": {"result": one("1")}})

    monkeypatch.setenv("PROMETHEUS_TOKEN", "s3cret")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    async with served(handler) as url:
        assert await probe(http, url, headers={"Authorization": "Bearer secret://env/PROMETHEUS_TOKEN"}).sample() == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"url": "http://prometheus:9090/?x=1"}, "a base URL has no query; expected"),
        ({"url": "prometheus:9090"}, "this is no http address; expected"),
        ({"query": ""}, "at least 1 character"),
        ({"stale_after": "0s"}, "greater than or equal to"),
    ],
)
def test_bad_parameters_are_refused_with_what_was_expected(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PrometheusParams.model_validate({"url": "http://prometheus", "query": "up", **params})
    assert message in raised.value.errors()[0]["msg"]


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prometheus-probe")]
