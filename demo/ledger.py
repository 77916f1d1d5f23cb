"""The ledger: books orders in PostgreSQL. Two run on one database, `ledger` (the primary) and `standby`.

POST /orders {"order": 7, "amount": 1250}   books an order, once, however often it is asked to
GET  /health                                whether the database answers
GET  /metrics                               for Prometheus
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, generate_latest
from psycopg_pool import AsyncConnectionPool

from demo.service import arguments, serve

# No transaction is ever open between two messages, so a ledger frozen by SIGSTOP holds no lock on any row. If one did,
# the stand-by would wait for the frozen primary whenever it booked the same order.
_CONNECTION = {"autocommit": True}

_BOOK = """
insert into orders (number, amount, booked_by) values (%s, %s, %s)
on conflict (number) do nothing
"""


class Ledger:
    """The books of the shop."""

    def __init__(self, database: str, name: str) -> None:
        """Sets up a pool of connections, still closed.

        Args:
            database: The connection string.
            name: Who books: `ledger` or `standby`.
        """
        self.pool = AsyncConnectionPool(database, min_size=2, max_size=4, kwargs=_CONNECTION, open=False, timeout=2)
        self.name = name
        self.registry = CollectorRegistry()
        self._bookings = Counter("ledger_bookings", "Orders asked to be booked.", ["outcome"], registry=self.registry)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Keeps the pool open while the application runs."""
        async with self.pool:
            yield

    async def book(self, request: web.Request) -> web.Response:
        """Books an order; to book it again changes nothing."""
        try:
            body = await request.json()
            number, amount = int(body["order"]), int(body["amount"])
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "expected {order: number, amount: number}"}, status=400)
        try:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(_BOOK, (number, amount, self.name))
        except psycopg.Error as error:
            self._bookings.labels("failed").inc()
            return web.json_response({"error": str(error)}, status=503)
        is_new = cursor.rowcount == 1
        self._bookings.labels("new" if is_new else "repeated").inc()
        return web.json_response({"order": number, "new": is_new}, status=201)

    async def health(self, _request: web.Request) -> web.Response:
        """Answers 200 if the database does, or 503."""
        try:
            async with self.pool.connection() as connection:
                await connection.execute("select 1")
        except psycopg.Error as error:
            return web.json_response({"error": str(error)}, status=503)
        return web.json_response({"status": "ok"})

    async def metrics(self, _request: web.Request) -> web.Response:
        """The counters, as text."""
        return web.Response(body=generate_latest(self.registry), content_type="text/plain")


def main() -> None:
    """Runs one ledger."""
    parser = arguments("ledger", __doc__)
    parser.add_argument("--database", required=True, help="PostgreSQL's connection string")
    options = parser.parse_args()
    ledger = Ledger(options.database, options.name)
    app = web.Application()
    app.cleanup_ctx.append(ledger.running)
    app.add_routes(
        [
            web.post("/orders", ledger.book),
            web.get("/health", ledger.health),
            web.get("/metrics", ledger.metrics),
        ]
    )
    serve(app, options.name, options.announce)


if __name__ == "__main__":
    main()
