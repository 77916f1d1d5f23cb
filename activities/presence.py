"""Whether somebody with authority is there, by the store: so that a watched run's history does not grow."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime

from activities.store import RunStore
from gameday.observation import Attendance

LOOK = 2.0
"""Seconds between two looks."""
PATIENCE = 5.0
"""Seconds that the store may take."""

log = logging.getLogger(__name__)


class Roll:
    """Who is there. The clocks of those who follow may be wrong: after the first look only what is new counts, as of now."""

    def __init__(self, store: RunStore, run_id: str, order: Attendance) -> None:
        self._store, self._run_id, self._order = store, run_id, order
        self._known: dict[str, datetime] | None = None
        self._looked = False
        self.name: str | None = None
        self.at: datetime | None = None

    async def call(self) -> None:
        """Looks again and again. A store that does not answer shows nobody."""
        with ThreadPoolExecutor(1, "presence") as looking:  # one that hangs takes none of the threads that write the record
            try:
                while True:
                    await self._look(looking)
                    await asyncio.sleep(LOOK)
            finally:
                looking.shutdown(wait=False, cancel_futures=True)

    async def _look(self, looking: Executor) -> None:
        """Whatever keeps the store from answering: nobody is known to be there."""
        try:
            asked = asyncio.get_running_loop().run_in_executor(looking, self._store.presence, self._run_id)
            self._take(await asyncio.wait_for(asked, PATIENCE))
        except Exception as error:  # noqa: BLE001  # see above
            log.warning("who is there cannot be seen: %s", str(error) or type(error).__name__)
        finally:
            self._looked = True

    def _take(self, found: dict[str, datetime]) -> None:
        counts = {name: at for name, at in found.items() if not self._order.names or name in self._order.names}
        now = datetime.now(UTC)
        for name, at in counts.items():
            if self._known is None and self._order.since < at <= now:
                self._show(name, at)
            elif self._known is not None and self._known.get(name) != at:
                self._show(name, now)
        self._known = counts

    def _show(self, name: str, at: datetime) -> None:
        if self.at is None or at > self.at:
            self.name, self.at = name, at

    def is_over(self, now: datetime) -> bool:
        """Whether nobody has been there for as long as nobody need be."""
        return self._looked and now >= max(self._order.until, self.at + self._order.within if self.at else self._order.until)

    @property
    def was_asked_for(self) -> bool:
        """Somebody shows after it was asked whether anybody is still there."""
        return self._order.asked and self.at is not None
