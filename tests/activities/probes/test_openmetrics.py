"""The `openmetrics` probe on pages as services write them, good and bad."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from pydantic import ValidationError

from activities.probes import openmetrics
from activities.probes.openmetrics import OpenMetricsParams, OpenMetricsProbe
from activities.probes.probe import Unknown
from tests.rigs.prometheus import Start
from tests.rigs.web import bare, given_up, served, silence

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Page:
    """A metrics page that tests rewrite."""

    def __init__(self, text: str = "", content_type: str = TEXT) -> None:
        self.text, self.content_type, self.status, self.url = text, content_type, 200, ""

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self.text.encode(), headers={"Content-Type": self.content_type}, status=self.status)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page()
    async with served(page.answer) as page.url:
        yield page


class Clock:
    """Stands still until it is told to go on."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(openmetrics, "time", SimpleNamespace(monotonic=clock.monotonic, time=time.time))
    return clock


def probe(http: httpx.AsyncClient, url: str, metric: str, **params: Any) -> OpenMetricsProbe:
    return OpenMetricsProbe(OpenMetricsParams.model_validate({"url": url, "metric": metric, **params}), http)


async def read(reading: OpenMetricsProbe, page: Page, clock: Clock, *texts: str) -> float:
    """The last sample of several, a second apart; those before may be unknown."""
    for text in texts:
        page.text, clock.now = text, clock.now + 1
        try:
            value: float | Unknown = await reading.sample()
        except Unknown as unknown:
            value = unknown
    if isinstance(value, Unknown):
        raise value
    return value


REQUESTS = """\
# HELP http_requests_total All of them.
# TYPE http_requests_total counter
http_requests_total{{code="200",path="/a b"}} {ok}
http_requests_total{{code="500",path="/a b"}} {bad}
# TYPE http_requests_total_by_zone counter
http_requests_total_by_zone{{zone="x"}} 99
# TYPE queue gauge
queue{{name="a"}} 3
queue{{name="b"}} -1.5
# TYPE bare untyped
bare 7
"""


@pytest.mark.parametrize(
    ("metric", "labels", "value"),
    [
        ("http_requests_total", {}, 105),
        ("http_requests_total", {"code": "500"}, 5),
        ("http_requests_total", {"code": "200", "path": "/a b"}, 100),
        ("queue", {}, 1.5),
        ("queue", {"name": "b"}, -1.5),
        ("bare", {}, 7),
        # A code that was never answered, of a counter that knows codes: none so far.
        ("http_requests_total", {"code": "404"}, 0),
    ],
)
async def test_a_value_is_summed_over_the_series_that_match(
    http: httpx.AsyncClient, page: Page, metric: str, labels: dict[str, str], value: float
) -> None:
    page.text = REQUESTS.format(ok=100, bad=5)
    assert await probe(http, page.url, metric, labels=labels).sample() == value


@pytest.mark.parametrize(
    ("metric", "labels", "reason"),
    [
        ("no_such", {}, r"^the page has no metric no_such \(it is text/plain\)$"),
        ("http_requests", {"status": "500"}, r"^no series of http_requests has a label 'status'$"),
        ("queue", {"name": "c"}, r'^the page has no series queue\{name="c"\}$'),
    ],
)
async def test_what_is_not_on_the_page_is_unknown(http: httpx.AsyncClient, page: Page, metric: str, labels: dict[str, str], reason: str) -> None:
    page.text = REQUESTS.format(ok=100, bad=5)
    with pytest.raises(Unknown, match=reason):
        await probe(http, page.url, metric, labels=labels).sample()


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=1.0.0", "text/plain;version=0.0.4"])
async def test_both_formats_read_the_same(http: httpx.AsyncClient, page: Page, clock: Clock, accept: str) -> None:
    registry = CollectorRegistry()
    errors = Counter("http_errors", "…", registry=registry)
    requests = Counter("http_requests", "…", ["code"], registry=registry)
    Gauge("http_open", "…", registry=registry).set(4)
    seconds = Histogram("http_seconds", "…", ["path"], buckets=[0.1, 0.5], registry=registry)
    encoder, page.content_type = choose_encoder(accept)
    probes = {
        "value": probe(http, page.url, "http_errors_total"),
        "declared": probe(http, page.url, "http_requests_total"),
        "gauge": probe(http, page.url, "http_open"),
        "rate": probe(http, page.url, "http_errors_total", measure="rate"),
        "ratio": probe(http, page.url, "http_errors_total", over={"metric": "http_requests_total"}),
        "quantile": probe(http, page.url, "http_seconds", quantile=0.5),
        "count": probe(http, page.url, "http_seconds_count"),
    }

    async def round_() -> dict[str, float | str]:
        page.text, clock.now = encoder(registry).decode(), clock.now + 2
        values: dict[str, float | str] = {}
        for name, reading in probes.items():
            try:
                values[name] = await reading.sample()
            except Unknown as unknown:
                values[name] = str(unknown)
        return values

    one = "this needs two scrapes within 10s, and there is one"
    assert await round_() == {"value": 0, "declared": 0, "gauge": 4, "count": 0, "rate": one, "ratio": one, "quantile": one}
    errors.inc(3)
    requests.labels("200").inc(9)
    requests.labels("500").inc(3)
    for observed in (0.05, 0.05, 0.2, 0.4):
        seconds.labels("/a").observe(observed, {"trace": "1"})
    # The median is the second of four: the upper end of the first bucket.
    assert await round_() == {"value": 3, "declared": 12, "gauge": 4, "count": 4, "rate": 1.5, "ratio": 0.25, "quantile": 0.1}


HISTOGRAM = """\
# TYPE latency_seconds histogram
latency_seconds_bucket{{path="/a",le="0.1"}} {0}
latency_seconds_bucket{{path="/a",le="0.5"}} {1}
latency_seconds_bucket{{path="/a",le="1"}} {2}
latency_seconds_bucket{{path="/a",le="+Inf"}} {3}
latency_seconds_bucket{{path="/b",le="0.1"}} 1000000
latency_seconds_bucket{{path="/b",le="0.5"}} 1000000
latency_seconds_bucket{{path="/b",le="1"}} 1000000
latency_seconds_bucket{{path="/b",le="+Inf"}} 1000000
"""


@pytest.mark.parametrize(("fraction", "value"), [(0.05, 0.05), (0.5, 0.42), (0.75, 0.75), (0.95, 1.0)])
async def test_a_quantile_is_of_the_window(http: httpx.AsyncClient, page: Page, clock: Clock, fraction: float, value: float) -> None:
    """Ten, fifty, thirty and ten observations fall into the buckets within the window: the values of test_histogram.py."""
    reading = probe(http, page.url, "latency_seconds", quantile=fraction)
    before, after = HISTOGRAM.format(5000, 5000, 5000, 6000), HISTOGRAM.format(5010, 5060, 5090, 6100)
    assert await read(reading, page, clock, before, after) == pytest.approx(value, rel=1e-12)
    named = probe(http, page.url, "latency_seconds_bucket", quantile=fraction, unit="ms")
    assert await read(named, page, clock, before, after) == pytest.approx(value / 1000, rel=1e-12)


async def test_a_quantile_is_the_number_that_prometheus_gives(http: httpx.AsyncClient, page: Page, prometheus_server: Start) -> None:
    page.text = HISTOGRAM.format(50_000, 60_000, 70_000, 80_000)
    reading = probe(http, page.url, "latency_seconds", quantile=0.7, window="15m")
    with pytest.raises(Unknown):
        await reading.sample()
    job = {"job_name": "target", "scrape_interval": "200ms", "static_configs": [{"targets": [page.url.removeprefix("http://")]}]}
    server = prometheus_server({"scrape_configs": [job]})
    await _instant(http, server, "count_over_time(latency_seconds_count[1m]) >= 0 or vector(1)")
    await _instant(http, server, 'latency_seconds_bucket{path="/a",le="+Inf"} == 80000')
    page.text = HISTOGRAM.format(50_013, 60_057, 70_081, 80_100)
    ours = await reading.sample()
    await _instant(http, server, 'latency_seconds_bucket{path="/a",le="+Inf"} == 80100')
    theirs = await _instant(http, server, "histogram_quantile(0.7, sum by (le) (increase(latency_seconds_bucket[5m])))")
    # rank 70 of 100: 0.5 + 0.5 * (70 - 57) / (81 - 57)
    assert ours == pytest.approx(0.5 + 0.5 * 13 / 24, rel=1e-12)
    assert theirs == pytest.approx(ours, rel=1e-9)


async def _instant(http: httpx.AsyncClient, server: str, query: str) -> float:
    """The value of a query, once there is one."""
    while True:
        answer: Any = (await http.get(f"{server}/api/v1/query", params={"query": query})).json()
        if answer["data"]["result"]:
            return float(answer["data"]["result"][0]["value"][1])
        await asyncio.sleep(0.1)


async def test_a_rate_survives_a_restart_of_the_service(http: httpx.AsyncClient, page: Page, clock: Clock) -> None:
    reading = probe(http, page.url, "http_requests_total", measure="rate")
    texts = [REQUESTS.format(ok=ok, bad=bad) for ok, bad in [(100, 5), (104, 5), (2, 0), (6, 1)]]
    assert await read(reading, page, clock, *texts) == pytest.approx((4 + 2 + 5) / 3)


async def test_a_scrape_that_failed_is_a_gap_and_not_a_zero(http: httpx.AsyncClient, page: Page, clock: Clock) -> None:
    reading = probe(http, page.url, "http_requests_total", measure="rate")
    await read(reading, page, clock, REQUESTS.format(ok=100, bad=5), REQUESTS.format(ok=101, bad=5))
    page.status = 503
    with pytest.raises(Unknown, match=r"answered 503$"):
        await read(reading, page, clock, REQUESTS.format(ok=101, bad=5))
    page.status = 200
    assert await read(reading, page, clock, REQUESTS.format(ok=110, bad=5)) == pytest.approx(10 / 3)
    clock.now += 60
    with pytest.raises(Unknown, match=r"two scrapes"):
        await read(reading, page, clock, REQUESTS.format(ok=999, bad=5))


async def test_no_requests_have_no_errors_and_no_latency(http: httpx.AsyncClient, page: Page, clock: Clock) -> None:
    ratio = probe(http, page.url, "http_requests_total", labels={"code": "500"}, over={"metric": "http_requests_total"})
    with pytest.raises(Unknown, match=r"^no http_requests_total in the last 10s$"):
        await read(ratio, page, clock, REQUESTS.format(ok=1, bad=1), REQUESTS.format(ok=1, bad=1))
    quantile = probe(http, page.url, "latency_seconds", quantile=0.5)
    with pytest.raises(Unknown, match=r"^nothing was observed in the last 10s$"):
        await read(quantile, page, clock, HISTOGRAM.format(1, 2, 3, 4), HISTOGRAM.format(1, 2, 3, 4))


@pytest.mark.parametrize(
    ("text", "content_type", "params", "reason"),
    [
        ("", TEXT, {}, r"^the page has no metric x_total \(it is text/plain\)$"),
        ("<html>x_total</html>", "text/html", {}, r"no metric x_total \(it is text/html\)$"),
        ("x_total", TEXT, {}, "cannot be read as metrics"),
        ("x_total{a=b} 1\n", TEXT, {}, "cannot be read as metrics"),
        ("x_total one\n", TEXT, {}, "cannot be read as metrics"),
        ("\xff\xfe", "text/plain; charset=latin-1", {}, "no metric x_total"),
        ("# TYPE x counter\nx_total 1\n", OPENMETRICS, {}, "cannot be read as metrics"),  # broken off before the end
        ("x_total NaN\n", TEXT, {}, "^x_total is not a finite number$"),
        ("x_total +Inf\n", TEXT, {}, "^x_total is not a finite number$"),
        ("# TYPE x_total counter\nx_total -1\n", TEXT, {}, "^the counter x_total is below 0$"),
        ("x_total 1\nx_total 2\n", TEXT, {}, "^the page has a series of x_total twice$"),
        ("# TYPE x_total gauge\nx_total 1\n", TEXT, {"measure": "rate"}, "^x_total is a gauge, and a rate needs a counter$"),
        ("x_total 1 1000000000000\n", TEXT, {}, "^stale: .* gives it as of [0-9]+ s ago$"),
        ("# TYPE x counter\nx_total 1 1000000000\n# EOF\n", OPENMETRICS, {}, "^stale: "),
        ("x_total_bucket 1\n", TEXT, {"quantile": 0.5}, "two scrapes"),
        ('x_total_bucket{le="wide"} 1\n', TEXT, {"quantile": 0.5}, "no bound that is a number"),
        ("x_total_bucket 1\n", TEXT, {"metric": "x_total", "quantile": 0.5, "labels": {"path": "/"}}, "has a label 'path'"),
    ],
)
async def test_a_page_that_gives_no_number_says_why(
    http: httpx.AsyncClient, page: Page, text: str, content_type: str, params: dict[str, Any], reason: str
) -> None:
    page.text, page.content_type = text, content_type
    with pytest.raises(Unknown, match=reason):
        await probe(http, page.url, **{"metric": "x_total", **params}).sample()


async def test_a_page_that_is_no_text_is_unknown(http: httpx.AsyncClient) -> None:
    async def binary(request: web.Request) -> web.Response:
        return web.Response(body=b"x_total 1\n\xff\xfe", content_type="text/plain")

    async with served(binary) as url:
        with pytest.raises(Unknown, match=r"cannot be read as metrics"):
            await probe(http, url, "x_total").sample()


async def test_a_counter_without_its_ending_is_found_by_its_name(http: httpx.AsyncClient, page: Page) -> None:
    page.text = "# TYPE logins counter\nlogins 12\n"
    assert await probe(http, page.url, "logins").sample() == 12


async def test_a_summary_has_its_quantiles_as_values(http: httpx.AsyncClient, page: Page) -> None:
    page.text = '# TYPE gc summary\ngc{quantile="0.5"} 0.25\ngc{quantile="0.9"} 0.5\ngc_sum 8\ngc_count 20\n'
    assert await probe(http, page.url, "gc", labels={"quantile": "0.9"}, unit="s").sample() == 0.5
    assert await probe(http, page.url, "gc_count").sample() == 20


async def test_a_histogram_without_its_last_bucket_has_no_quantile(http: httpx.AsyncClient, page: Page, clock: Clock) -> None:
    reading = probe(http, page.url, "x", quantile=0.5)
    with pytest.raises(Unknown, match=r"^its buckets lack "):
        await read(reading, page, clock, 'x_bucket{le="1"} 1\n', 'x_bucket{le="1"} 2\n')


async def test_one_page_too_large_is_not_read(http: httpx.AsyncClient, page: Page) -> None:
    page.text = "# filler\n" * (1024 * 1024)
    with pytest.raises(Unknown, match=r"answered more than 8192 KiB$"):
        await probe(http, page.url, "x").sample()


async def test_more_series_than_anyone_means_are_refused(http: httpx.AsyncClient, page: Page) -> None:
    page.text = "".join(f'x{{n="{n}"}} 1\n' for n in range(10_001))
    with pytest.raises(Unknown, match=r"^x has more than 10000 series; narrow it down by labels$"):
        await probe(http, page.url, "x").sample()


async def test_a_service_that_is_down_or_hangs_is_unknown_and_leaves_no_connection(http: httpx.AsyncClient, closed_port: int) -> None:
    with pytest.raises(Unknown, match=r"refused the connection$"):
        await probe(http, f"http://127.0.0.1:{closed_port}/metrics", "x").sample()
    async with bare(silence) as server:
        await given_up(probe(http, server.url, "x").sample(), server)


@pytest.mark.parametrize(
    ("params", "unit"),
    [
        ({}, "count"),
        ({"unit": "MiB"}, "MiB"),
        ({"quantile": 0.99}, "s"),
        ({"quantile": 0.99, "unit": "B"}, "B"),
        ({"measure": "rate"}, "/s"),
        ({"over": {"metric": "y"}}, "ratio"),
        ({"over": {"metric": "y"}, "unit": "%"}, "%"),
    ],
)
def test_units(params: dict[str, Any], unit: str) -> None:
    assert OpenMetricsParams.model_validate({"url": "http://shop", "metric": "x", **params}).measured_in().name == unit


@pytest.mark.parametrize("params", [{"measure": "rate", "unit": "s"}, {"over": {"metric": "y"}, "unit": "count"}, {"unit": "parsec"}])
def test_units_that_do_not_fit_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"; expected "):
        OpenMetricsParams.model_validate({"url": "http://shop", "metric": "x", **params}).measured_in()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metric": "a b"}, "should match pattern"),
        ({"quantile": 1}, "less than 1"),
        ({"quantile": 0.5, "measure": "rate"}, "'quantile' does not belong to 'measure: rate'; expected 'measure: quantile'"),
        ({"measure": "quantile"}, "'measure: quantile' lacks 'quantile'; expected"),
        ({"measure": "ratio"}, "'measure: ratio' lacks 'over'; expected"),
        ({"quantile": 0.5, "over": {"metric": "y"}}, "'over' does not belong to 'measure: quantile'; expected"),
        ({"window": "10s"}, "a value has no window; expected"),
        ({"measure": "rate", "window": "1h"}, "less than or equal to"),
        ({"measure": "increase"}, "'value', 'rate', 'ratio' or 'quantile'"),
    ],
)
def test_bad_parameters_are_refused_with_what_was_expected(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        OpenMetricsParams.model_validate({"url": "http://shop", "metric": "x", **params})
    assert message in raised.value.errors()[0]["msg"]
