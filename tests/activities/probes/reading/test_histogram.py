"""Quantiles of buckets: worked out by hand, and as the real Prometheus gives them."""

from __future__ import annotations

import asyncio
import math
import random
from typing import Any

import httpx
import pytest
from aiohttp import web

from activities.probes.reading.histogram import quantile
from tests.rigs.prometheus import Start
from tests.rigs.web import served

INF = math.inf
SPREAD = {0.1: 10.0, 0.5: 60.0, 1.0: 90.0, INF: 100.0}


@pytest.mark.parametrize(
    ("fraction", "buckets", "value"),
    [
        # rank 5 of the 10 in the first bucket, which begins at 0: 0.1 * 5 / 10
        (0.05, SPREAD, 0.05),
        # rank 50: 0.1 + 0.4 * (50 - 10) / 50
        (0.5, SPREAD, 0.42),
        # rank 75: 0.5 + 0.5 * (75 - 60) / 30
        (0.75, SPREAD, 0.75),
        # rank 90 is the last of its bucket
        (0.9, SPREAD, 1.0),
        # beyond the last finite bound: that bound
        (0.95, SPREAD, 1.0),
        (0.5, {1.0: 0.0, INF: 5.0}, 1.0),
        # a first bucket that ends below 0 has no beginning
        (0.2, {-1.0: 5.0, 0.0: 10.0, INF: 10.0}, -1.0),
        (0.75, {-1.0: 5.0, 0.0: 10.0, INF: 10.0}, -0.5),
        # counts that fall are taken as level
        (0.5, {1.0: 10.0, 2.0: 8.0, INF: 12.0}, 0.6),
        # empty buckets between: rank 5 of 10 in the third
        (0.5, {1.0: 0.0, 2.0: 0.0, 4.0: 10.0, INF: 10.0}, 3.0),
    ],
)
def test_by_hand(fraction: float, buckets: dict[float, float], value: float) -> None:
    assert quantile(fraction, buckets) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("buckets", [{}, {INF: 5.0}, {1.0: 5.0}, {1.0: 5.0, 2.0: 6.0}, {1.0: 0.0, INF: 0.0}])
def test_no_buckets_and_no_observations_have_no_quantile(buckets: dict[float, float]) -> None:
    assert quantile(0.5, buckets) is None


async def test_as_prometheus_gives_them(http: httpx.AsyncClient, prometheus_server: Start) -> None:
    histograms = [*_histograms(), SPREAD, {-1.0: 5.0, 0.0: 10.0, INF: 10.0}, {1.0: 10.0, 2.0: 8.0, INF: 12.0}, {1.0: 0.0, INF: 5.0}]
    page = "".join(
        f'h_bucket{{n="{n}",le="{"+Inf" if bound == INF else bound}"}} {count}\n'
        for n, buckets in enumerate(histograms)
        for bound, count in buckets.items()
    )

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text="# TYPE h histogram\n" + page)

    async with served(metrics) as target:
        job = {"job_name": "target", "scrape_interval": "200ms", "static_configs": [{"targets": [target.removeprefix("http://")]}]}
        server = prometheus_server({"scrape_configs": [job]})
        for fraction in (0.01, 0.25, 0.5, 0.9, 0.99):
            given = await _vector(http, server, f"histogram_quantile({fraction}, h_bucket)", len(histograms))
            for n, buckets in enumerate(histograms):
                assert quantile(fraction, buckets) == pytest.approx(given[str(n)], rel=1e-9), (fraction, buckets)


def _histograms() -> list[dict[float, float]]:
    """Thirty at random, always the same."""
    dice = random.Random(20)
    made = []
    for _ in range(30):
        bounds = sorted({round(dice.uniform(0.001, 10), 3) for _ in range(dice.randint(1, 12))})
        count, buckets = 0, {}
        for bound in [*bounds, INF]:
            count += dice.choice([0, 0, 1, 5, 300])
            buckets[bound] = float(count)
        buckets[INF] += 1
        made.append(buckets)
    return made


async def _vector(http: httpx.AsyncClient, server: str, query: str, size: int) -> dict[str, float]:
    """The values of a query by their label `n`, once all are there."""
    while True:
        answer: Any = (await http.get(f"{server}/api/v1/query", params={"query": query})).json()
        if len(answer["data"]["result"]) == size:
            return {one["metric"]["n"]: float(one["value"][1]) for one in answer["data"]["result"]}
        await asyncio.sleep(0.1)
