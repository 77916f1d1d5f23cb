"""The shop's customers: so many orders a second, whether or not checkout keeps up (an open loop)."""

from __future__ import annotations

import argparse
import asyncio
import collections
import logging
import random

import aiohttp

from demo.identity import introduce, leave_with_parent

MAX_IN_FLIGHT = 200
"""Customers waiting at a time. With more, the next one leaves at once and is only counted."""

TIMEOUT = aiohttp.ClientTimeout(total=2.0)
"""How long a customer waits."""

REPORT_EVERY = 5.0

_log = logging.getLogger(__name__)


class Load:
    """Sends orders at a steady rate, and lives through every failure."""

    def __init__(self, session: aiohttp.ClientSession, checkout: str, rate: float, first: int) -> None:
        """Sets up a load.

        Args:
            session: For the calls to checkout.
            checkout: Where checkout is.
            rate: Orders a second.
            first: The number of the first order; each one after it has the next.
        """
        self._session = session
        self._url = f"{checkout}/checkout"
        self._interval = 1 / rate
        self._next = first
        self._in_flight: set[asyncio.Task[None]] = set()
        self._outcomes: collections.Counter[str] = collections.Counter()

    async def run(self) -> None:
        """Sends orders for ever."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            await asyncio.sleep(max(0.0, due - clock()))
            self._send()
            # After a pause of this process the missed orders are lost: a burst of them would be a fault of our making.
            due = max(due + self._interval, clock() - self._interval)

    async def report(self) -> None:
        """Logs every few seconds what became of the orders."""
        while True:
            await asyncio.sleep(REPORT_EVERY)
            summary = ", ".join(f"{outcome}: {count}" for outcome, count in sorted(self._outcomes.items()))
            _log.info("order %d; %s", self._next - 1, summary)
            self._outcomes.clear()

    def _send(self) -> None:
        number, self._next = self._next, self._next + 1
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            self._outcomes["turned away"] += 1
            return
        task = asyncio.create_task(self._order(number))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _order(self, number: int) -> None:
        body = {"order": number, "amount": random.randint(100, 10_000)}
        try:
            async with self._session.post(self._url, json=body, timeout=TIMEOUT) as answer:
                await answer.read()  # else the connection cannot be used again
                self._outcomes[str(answer.status)] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self._outcomes[type(error).__name__] += 1


async def _main(checkout: str, rate: float, first: int) -> None:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=10)
    async with aiohttp.ClientSession(connector=connector) as session:
        load = Load(session, checkout, rate, first)
        await asyncio.gather(load.run(), load.report(), leave_with_parent())


def main() -> None:
    """Runs the load until it is killed; it has nothing to tidy up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", required=True, help="checkout's URL")
    parser.add_argument("--rate", type=float, default=50.0, help="orders a second")
    parser.add_argument("--first", type=int, default=1, help="the number of the first order")
    options = parser.parse_args()
    introduce("load")
    asyncio.run(_main(options.checkout, options.rate, options.first))


if __name__ == "__main__":
    main()
