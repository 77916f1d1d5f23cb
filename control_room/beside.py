"""Work that goes on beside whatever began it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Beside:
    """Tasks that are held until they are done, so that none is lost, and that are ended before what they work on is closed."""

    def __init__(self) -> None:
        self._tasks = set[asyncio.Task[None]]()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self, patience: float) -> None:
        """Waits for what goes on, so many seconds at the most."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=patience)

    async def end(self) -> None:
        """Cancels what goes on, and waits until it has ended."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
