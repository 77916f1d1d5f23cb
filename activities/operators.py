"""Operations on the journal from the agent's side: each in a process of its own, one kept warm so that a revert begins at once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from activities.bare import bare_environment, bare_python
from gameday import errors
from gameday.errors import GamedayError, Unavailable


class Operators:
    """Performs requests (activities/operation.py) and keeps one process waiting for the next."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._spare: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._at_work: set[asyncio.Task[dict[str, Any]]] = set()

    def warm_up(self) -> None:
        if self._spare is None:
            self._spare = asyncio.create_task(self._start())

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *bare_python("activities.operation"),
            str(self._home),
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.DEVNULL,
            env=bare_environment(),
            start_new_session=True,
            limit=16 * 1024 * 1024,
        )

    async def perform(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carries out a request to its end, also when the caller is cancelled meanwhile.

        Raises:
            GamedayError: what the operation raised, by its own class.
        """
        work = asyncio.create_task(self._perform(request))
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        return await asyncio.shield(work)

    async def _perform(self, request: dict[str, Any]) -> dict[str, Any]:
        spare, self._spare = self._spare, None
        process = await (spare or self._start())
        if process.returncode is not None:
            process = await self._start()
        self.warm_up()
        said, _ = await process.communicate(json.dumps(request).encode() + b"\n")
        if not said:
            raise Unavailable(f"the operation was ended from outside (exit {process.returncode}); it is tried again")
        answer: dict[str, Any] = json.loads(said)
        if "error" in answer:
            cls = getattr(errors, answer["error"], GamedayError)
            raise cls(answer["message"]) if issubclass(cls, GamedayError) else GamedayError(answer["message"])
        return answer

    async def close(self) -> None:
        """Lets what is under way finish, and the spare go."""
        if self._at_work:
            await asyncio.wait(self._at_work)
        if self._spare is not None:
            process = await self._spare
            self._spare = None
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
