"""The till: sells an order, booked while a ledger answers in time, on trust while none does."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from demo.circuit import Circuit, Side

BOOKING_TIMEOUT = aiohttp.ClientTimeout(total=0.3)
"""How long a customer is made to wait for the ledger."""

PROBE_EVERY = 0.5
"""Seconds between two rounds of health checks."""

GIFT_CARD_EVERY = 100
"""One order in so many is a gift card. It needs the ledger at once, so it is never sold on trust."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What a customer wants to pay for."""

    number: int
    amount: int

    @property
    def is_gift_card(self) -> bool:
        """Whether it cannot be sold on trust. It depends on the number alone, so that every run is alike."""
        return self.number % GIFT_CARD_EVERY == 0


class Till:
    """Sells orders, and books later those that it sold on trust."""

    def __init__(self, session: aiohttp.ClientSession, ledgers: Mapping[Side, str], circuit: Circuit, credit: int):
        """Sets up a till with nothing to book.

        Args:
            session: For the calls to the ledgers.
            ledgers: Where each ledger is.
            circuit: Decides whether to wait, and for which ledger.
            credit: How many orders may be unbooked at a time. Beyond it the shop would sell blindly.
        """
        self.circuit = circuit
        self.unbooked: deque[Order] = deque()
        self._session = session
        self._ledgers = ledgers
        self._credit = credit

    async def sell(self, order: Order) -> int:
        """Sells an order and returns the HTTP status: 201 booked, 202 sold on trust, 503 not sold."""
        if not self.circuit.is_open and await self._book(order):
            return 201
        if order.is_gift_card or len(self.unbooked) >= self._credit:
            return 503
        self.unbooked.append(order)
        return 202

    async def keep_probing(self) -> None:
        """Checks the ledgers' health for ever, whenever the circuit wants to know it."""
        while True:
            await asyncio.gather(asyncio.sleep(PROBE_EVERY), self._probe())

    async def keep_booking(self) -> None:
        """Books for ever what was sold on trust, one by one, oldest first, while a ledger answers."""
        while True:
            if self.unbooked and not self.circuit.is_open and await self._book(self.unbooked[0]):
                self.unbooked.popleft()
            else:
                await asyncio.sleep(0.1)

    async def _probe(self) -> None:
        if not self.circuit.wants_probes:
            return
        ledger, standby = await asyncio.gather(self._is_well("ledger"), self._is_well("standby"))
        before = (self.circuit.is_open, self.circuit.active)
        self.circuit.probed({"ledger": ledger, "standby": standby})
        if before != (self.circuit.is_open, self.circuit.active):
            _log.info("booking with %s, %d orders unbooked", self.circuit.active, len(self.unbooked))

    async def _book(self, order: Order) -> bool:
        url = f"{self._ledgers[self.circuit.active]}/orders"
        body = {"order": order.number, "amount": order.amount}
        try:
            async with self._session.post(url, json=body, timeout=BOOKING_TIMEOUT) as answer:
                booked = answer.status == 201
        except (aiohttp.ClientError, TimeoutError):
            booked = False
        if booked:
            self.circuit.succeeded()
        else:
            self._note_failure()
        return booked

    def _note_failure(self) -> None:
        was_open = self.circuit.is_open
        self.circuit.failed()
        if self.circuit.is_open and not was_open:
            _log.warning("%s does not answer: selling on trust", self.circuit.active)

    async def _is_well(self, side: Side) -> bool:
        try:
            async with self._session.get(f"{self._ledgers[side]}/health", timeout=BOOKING_TIMEOUT) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
