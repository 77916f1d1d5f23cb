"""The reception: a payload is read, kept, and acknowledged; its work is done afterwards, so that Slack never waits for a run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from control_room.beside import Beside
from control_room.desk import Desk, is_urgent
from control_room.inbox import Inbox
from control_room.payloads import Payload, Submission, read

MOST_AT_ONCE = 100
"""How many are worked on at the same time; the others wait, acknowledged and on disk. What is urgent waits for none."""

log = logging.getLogger(__name__)


class Reception:
    def __init__(self, inbox: Inbox, desk: Desk) -> None:
        self._inbox, self._desk = inbox, desk
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._working = Beside()

    def take(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Takes one payload in. Returns what Slack is answered with it, None for nothing but that it has come.

        Raises:
            Junk: Slack sends nothing like it.
        """
        payload = read(kind, body)
        if payload is None or not self._desk.heeds(payload):
            return None
        if isinstance(payload, Submission):
            wrong = self._desk.objections(payload)
            if wrong:  # the dialog stays open, and comes again with another hash
                return {"response_action": "errors", "errors": wrong}
        payload = self._desk.named(payload)
        if self._inbox.take(payload):
            self._begin(payload, 0.0)
        return None

    def take_up(self) -> None:
        """What an earlier process took in and did not end."""
        for payload, age in self._inbox.left():
            log.warning("%s of %s is worked on again, after %.0f s", type(payload).__name__, payload.who.user, age)
            self._begin(payload, age)

    def _begin(self, payload: Payload, age: float) -> None:
        self._working.begin(self._work(payload, age))

    async def _work(self, payload: Payload, age: float) -> None:
        async with contextlib.nullcontext() if is_urgent(payload) else self._room:
            await self._desk.work(payload, age)
        self._inbox.done(payload)

    async def close(self, patience: float) -> None:
        """Waits so many seconds for what is being worked on; the rest is worked on by the next process."""
        await self._working.settled(patience)
        await self._working.end()
