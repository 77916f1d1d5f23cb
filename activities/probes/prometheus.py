"""`prometheus`: one number out of an instant query.

    {prometheus: {url: 'http://127.0.0.1:9090', query: 'sum(rate(http_errors_total[15s])) / sum(rate(http_requests_total[15s]))', unit: ratio}}
    {prometheus: {url: …, query: 'max(queue_length)', stale_after: 30s, headers: {Authorization: 'Bearer secret://env/PROMETHEUS_TOKEN'}}}

The query must come to one series or a scalar: no series, several, and NaN are unknown. `unit` is what the query's value counts in (default count).

What is older than `stale_after` (60 s) is no answer: Prometheus is told to look back no further (it would go back 5 minutes), and an answer
that carries an older time is refused. Two things are outside of that: a range, such as `[5m]`, looks back as far as it says; and Prometheus
before 2.43, or a server that only resembles it, bounds a query that is one plain metric, but not a metric within an expression.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from activities.probes.probe import Probe, Unknown
from activities.probes.reading.params import BaseUrl, Headers, revealed
from activities.probes.reading.reach import Reach
from activities.probes.reading.web import place
from activities.secrets import hide
from gameday.catalogue import ProbeParams
from gameday.model import Duration, Text

if TYPE_CHECKING:
    import httpx

    from activities.probes.reading.prometheus_api import Server

MOST_POINTS = 10_000
"""Readings in one range query. Prometheus gives 11,000 at the most."""
_PLAIN = re.compile(r"""[a-zA-Z_:][a-zA-Z0-9_:]*(\s*\{([^"'`{}]|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|`[^`]*`)*\})?""")
"""A metric with or without matchers, and nothing else."""


class PrometheusParams(ProbeParams):
    """Which server is asked for what. `unit` says what the query's value counts in (default count)."""

    url: BaseUrl
    """The base URL of the server, such as http://127.0.0.1:9090."""
    query: Text
    """PromQL that comes to one series or a scalar."""
    stale_after: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(days=1))] = timedelta(seconds=60)
    """How old a measurement may be."""
    headers: Headers = Field(default_factory=dict)
    """Headers of the request; values may hold secrets, such as `Bearer secret://env/TOKEN`."""


class PrometheusProbe(Probe[PrometheusParams]):
    """Asks a Prometheus for one number."""

    kind = "prometheus"
    Params = PrometheusParams

    def __init__(self, params: PrometheusParams, http: httpx.AsyncClient) -> None:
        super().__init__(params, http)
        self._running: Future[Any] | None = None

    async def sample(self) -> float:
        if self._running is not None and not self._running.done():
            raise Unknown("the query before this one has not been answered yet")
        headers = revealed(self.params.headers)
        self._running = _in_thread(lambda: self._ask(headers))
        result = await asyncio.wrap_future(self._running)
        return self._number(result) * self.params.measured_in().scale

    async def past(self, start: datetime, end: datetime, step: timedelta) -> list[tuple[datetime, float]]:
        """By range queries, each of as many points as Prometheus gives at once."""
        headers, found = revealed(self.params.headers), list[tuple[datetime, float]]()
        while start < end:
            upto = min(start + MOST_POINTS * step, end)
            found += await asyncio.wrap_future(_in_thread(partial(self._ask_past, headers, start, upto - step, step)))
            start = upto
        return found

    def _ask_past(self, headers: dict[str, str], start: datetime, end: datetime, step: timedelta) -> list[tuple[datetime, float]]:
        result = self._server(headers).query_range(fresh(self.params.query, self._longest), start, end, step, {"lookback_delta": self._longest})
        scale = self.params.measured_in().scale
        return [(datetime.fromtimestamp(at, UTC), value * scale) for at, value in _series(result) if math.isfinite(value)]

    def _ask(self, headers: dict[str, str]) -> Any:
        """The result of the query, as the API gives it; in the thread, where the import of the library hurts nobody."""
        return self._server(headers).query(fresh(self.params.query, self._longest), {"lookback_delta": self._longest})

    def _server(self, headers: dict[str, str]) -> Server:
        from activities.probes.reading.prometheus_api import Server

        return Server(self.params.url, headers, self.reach or Reach(), lambda said: hide(said, self.params.headers.values()))

    @property
    def _longest(self) -> str:
        """How far back Prometheus looks, in its own words."""
        return f"{self.params.stale_after // timedelta(milliseconds=1)}ms"

    def _number(self, result: Any) -> float:
        at, value = _single(result)
        apart = time.time() - at
        if abs(apart) > self.params.stale_after.total_seconds():
            side = f"{apart:.0f} s ago" if apart > 0 else f"{-apart:.0f} s ahead of this machine's clock"
            raise Unknown(f"stale: {place(self.params.url)} answered as of {side}")
        if not math.isfinite(value):
            raise Unknown(f"the query gives {value}" + (", such as 0 / 0" if math.isnan(value) else ""))
        return value


def fresh(query: str, longest: str) -> str:
    """A plain metric's query, so that it gives only what was measured within `longest`; any other query as it is.

    The metric itself stays on the left, since it alone knows when a series has ended.
    """
    query = query.strip()
    return f"{query} and last_over_time({query}[{longest}])" if _PLAIN.fullmatch(query) else query


def _in_thread(ask: Callable[[], Any]) -> Future[Any]:
    """Runs a blocking call in a thread of its own: one that hangs uses up none that others need, and does not keep the process from ending."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:  # noqa: BLE001  # it is raised where the future is awaited
            future.set_exception(error)

    future.set_running_or_notify_cancel()
    threading.Thread(target=run, name="prometheus-probe", daemon=True).start()
    return future


def _series(result: Any) -> list[tuple[float, float]]:
    """Times and values of a range's result that is one series, or none."""
    if isinstance(result, list) and len(result) > 1:
        raise Unknown(f"the query gives {len(result)} series; aggregate them into one, such as by sum(…)")
    try:
        return [(float(at), float(value)) for at, value in result[0]["values"]] if result else []
    except (TypeError, ValueError, KeyError):
        raise Unknown("the query gives no numbers") from None


def _single(result: Any) -> tuple[float, float]:
    """Time and value of a result that is one series, or a scalar."""
    if isinstance(result, list) and not result:
        raise Unknown("the query finds no series")
    if isinstance(result, list) and isinstance(result[0], dict):
        if len(result) > 1:
            raise Unknown(f"the query gives {len(result)} series; aggregate them into one, such as by sum(…)")
        if "values" in result[0]:
            raise Unknown("the query gives a range of values; apply a function to it, such as rate(…)")
        result = result[0].get("value")
    try:
        at, value = result
        return float(at), float(value)
    except (TypeError, ValueError):
        raise Unknown("the query gives no number") from None
