"""One notifier's notices, on their way: in order, each tried again until it is taken, refused for good or too old. Others are not waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from activities.notifiers.notifier import Notifier, NotSent
from activities.outbox import Document, Outbox
from gameday.notice import Notice

TIMEOUT = 10.0
"""Seconds that one try may take."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the next try: doubled each time."""
GIVEN_UP = 24 * 3600.0
"""Seconds after which a notice is of no use any more."""

log = logging.getLogger(__name__)


class Delivery:
    """A notifier with its outbox. `clock` and `sleep` are handed in."""

    def __init__(self, name: str, notifier: Notifier, outbox: Outbox, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self.name, self.outbox, self.wake = name, outbox, asyncio.Event()
        self._notifier, self._clock, self._sleep = notifier, clock, sleep

    async def take(self, notice: Notice) -> None:
        """Keeps a notice for its notifier, if it is for such; a second delivery is the same one."""
        if notice.about in self._notifier.about:
            await asyncio.to_thread(self.outbox.put, notice.run_id, notice.about, notice.id, notice.model_dump_json())
            self.wake.set()

    async def send(self) -> None:
        """Sends what waits."""
        for document in await asyncio.to_thread(self.outbox.waiting):
            await self._send(document)
            await asyncio.to_thread(self.outbox.done, document)

    async def _send(self, document: Document) -> None:
        try:
            notice = Notice.model_validate_json(document.text)
        except ValueError:
            log.error("%s cannot be read: %s is not told", document.name, self.name)
            return
        pause, said = FIRST_PAUSE, False
        about = f"{self.name} about {notice.about} of {notice.run_id}"
        while self._clock() - document.since < GIVEN_UP:
            failure = await self._try(notice)
            if failure is None:
                return
            if failure.final:
                log.error("a call to %s is refused for good: %s", about, failure)
                return
            if not said:
                log.warning("a call to %s is tried again until it is taken: %s", about, failure)
            said = True
            await self._sleep(min(max(pause, failure.after or 0.0), GIVEN_UP))
            pause = min(pause * 2, LONGEST_PAUSE)
        log.error("a call to %s is given up: nobody took it in %g h", about, GIVEN_UP / 3600)

    async def _try(self, notice: Notice) -> NotSent | None:
        try:
            await asyncio.wait_for(self._notifier.send(notice), TIMEOUT)
        except NotSent as failure:
            return failure
        except TimeoutError:
            return NotSent(f"no answer in {TIMEOUT:g} s")
        except Exception as error:  # noqa: BLE001  # a notifier's own mistake ends no other call; its text may hold what is secret
            return NotSent(f"the notifier failed: {type(error).__name__}")
        return None
