"""Checkout: takes the customers' orders and has them booked by a ledger, or sells them on trust (see demo/till.py).

POST /checkout {"order": 7, "amount": 1250}   201 booked, 202 sold on trust, 503 not sold
GET  /health                                  whether checkout itself is up
GET  /metrics                                 for Prometheus; only POST /checkout counts as a request
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from demo.circuit import Circuit, Side
from demo.service import arguments, serve
from demo.till import Order, Till

CREDIT = 400
"""Orders sold on trust and not yet booked: eight seconds' worth at 50 a second, so that the stand-by can take over in
time, but an outage that no stand-by helps against soon shows."""

# Fine enough around the healthy few milliseconds and around the 300 ms of a timeout to tell a p99 from them.
_BUCKETS = [0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25]
_BUCKETS += [0.3, 0.325, 0.35, 0.4, 0.5, 0.6, 0.75, 1.0, 1.5, 2.0]

_OUTCOMES = {201: "booked", 202: "accepted", 503: "refused"}


class Metrics:
    """What Prometheus sees of checkout."""

    def __init__(self, till: Till) -> None:
        """Registers the metrics; the two gauges read the till whenever they are asked for."""
        self.registry = registry = CollectorRegistry()
        self._requests = Counter("http_requests", "Requests answered, by status.", ["code"], registry=registry)
        self._errors = Counter("http_errors", "Requests answered with a 5xx status.", registry=registry)
        self._orders = Counter("orders", "Orders sold, booked or on trust.", registry=registry)
        self._times = Histogram("http_request_duration_seconds", "Time taken.", buckets=_BUCKETS, registry=registry)
        degraded = Gauge("checkout_degraded", "1 while checkout waits for no ledger.", registry=registry)
        degraded.set_function(lambda: float(till.circuit.is_open))
        unbooked = Gauge("checkout_unbooked_orders", "Orders sold on trust and still to be booked.", registry=registry)
        unbooked.set_function(lambda: float(len(till.unbooked)))

    def count(self, status: int, seconds: float) -> None:
        """Counts one answer."""
        self._requests.labels(str(status)).inc()
        self._times.observe(seconds)
        if status >= 500:
            self._errors.inc()
        elif status < 300:
            self._orders.inc()


class Checkout:
    """The HTTP side of the till."""

    def __init__(self, ledgers: Mapping[Side, str], credit: int) -> None:
        """Sets up checkout for these ledgers; `running` starts it."""
        self._ledgers = ledgers
        self._credit = credit

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Runs the till and its two background tasks while the application runs."""
        # Idle connections are dropped here before the other end drops them, which might be during a request.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=10)
        async with aiohttp.ClientSession(connector=connector) as session:
            self.till = Till(session, self._ledgers, Circuit(), self._credit)
            self.metrics = Metrics(self.till)
            tasks = [asyncio.create_task(self.till.keep_probing()), asyncio.create_task(self.till.keep_booking())]
            yield
            for task in tasks:
                task.cancel()

    async def sell(self, request: web.Request) -> web.Response:
        """Answers POST /checkout."""
        began = time.perf_counter()
        try:
            body = await request.json()
            order = Order(int(body["order"]), int(body["amount"]))
        except (ValueError, KeyError, TypeError):
            status, answer = 400, {"error": "expected {order: number, amount: number}"}
        else:
            status = await self.till.sell(order)
            answer = {"order": str(order.number), "status": _OUTCOMES[status]}
        self.metrics.count(status, time.perf_counter() - began)
        return web.json_response(answer, status=status)

    async def health(self, _request: web.Request) -> web.Response:
        """Answers GET /health."""
        return web.json_response({"status": "ok"})

    async def expose(self, _request: web.Request) -> web.Response:
        """Answers GET /metrics."""
        return web.Response(body=generate_latest(self.metrics.registry), content_type="text/plain")


def main() -> None:
    """Runs checkout."""
    parser = arguments("checkout", __doc__)
    parser.add_argument("--ledger", required=True, help="URL of the primary ledger, or of the proxy before it")
    parser.add_argument("--standby", required=True, help="URL of the stand-by, or of the proxy before it")
    parser.add_argument("--credit", type=int, default=CREDIT, help="how many orders may be unbooked at a time")
    options = parser.parse_args()
    checkout = Checkout({"ledger": options.ledger, "standby": options.standby}, options.credit)
    app = web.Application()
    app.cleanup_ctx.append(checkout.running)
    app.add_routes(
        [
            web.post("/checkout", checkout.sell),
            web.get("/health", checkout.health),
            web.get("/metrics", checkout.expose),
        ]
    )
    serve(app, options.name, options.announce)


if __name__ == "__main__":
    main()
