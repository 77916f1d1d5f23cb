"""Operations on the journal from the agent's side: each in a process of its own, one kept warm so that a revert begins at once."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.bare import bare_environment, bare_python
from gameday import errors
from gameday.errors import GamedayError, Unavailable

LANES = 2
"""How many batches of reverts are carried out at once; after `NEXT_LANE` seconds of waiting there is one more."""
NEXT_LANE = 0.25
MOST = 16
"""Faults in one batch, from which on no other request joins it."""


@dataclass
class _Asked:
    """Faults that somebody asked to be taken off, and the answer for them."""

    reasons: Mapping[str, str]
    statuses: asyncio.Future[list[dict[str, Any]]]

    def answer(self, found: list[dict[str, Any]] | Exception) -> None:
        if self.statuses.done():  # whoever asked has gone
            return
        if isinstance(found, Exception):
            self.statuses.set_exception(found)
        else:
            self.statuses.set_result(found)


class Operators:
    """Performs requests (activities/operation.py) and keeps one process waiting for the next."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._spare: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._at_work: set[asyncio.Task[Any]] = set()
        self._asked: deque[_Asked] = deque()
        self._lanes = 0

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

    async def revert(self, reasons: Mapping[str, str]) -> list[dict[str, Any]]:
        """Takes faults off in a process of its own. Returns the status of each, in their order.

        Raises:
            GamedayError: as `perform`.
        """
        statuses: list[dict[str, Any]] = (await self.perform({"op": "revert", "reasons": dict(reasons)}))["statuses"]
        return statuses

    async def revert_together(self, reasons: Mapping[str, str]) -> list[dict[str, Any]]:
        """The same, where many runs may ask at once: they share few processes. What hangs in one holds up no single revert."""
        asked = _Asked(reasons, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._lanes < LANES:
            self._open_lane()
        else:
            asyncio.get_running_loop().call_later(NEXT_LANE, self._open_lane)
        return await asked.statuses

    def _open_lane(self) -> None:
        self._lanes += 1
        lane = asyncio.create_task(self._lane())
        self._at_work.add(lane)
        lane.add_done_callback(self._at_work.discard)

    async def _lane(self) -> None:
        """Takes what has been asked for, batch by batch, until nothing is left."""
        while self._asked:
            batch: list[_Asked] = []
            while self._asked and sum(len(asked.reasons) for asked in batch) < MOST:
                batch.append(self._asked.popleft())
            await self._carry_out(batch)
        self._lanes -= 1

    async def _carry_out(self, batch: Sequence[_Asked]) -> None:
        reasons = {fault_id: why for asked in batch for fault_id, why in asked.reasons.items()}
        try:
            statuses = {status["fault_id"]: status for status in await self.revert(reasons)}
            answers = [[statuses[fault_id] for fault_id in asked.reasons] for asked in batch]
        except Exception as error:  # noqa: BLE001  # each of those who asked is told
            for asked in batch:
                asked.answer(error)
            return
        for asked, answer in zip(batch, answers, strict=True):
            asked.answer(answer)

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

    async def quiet(self) -> None:
        """Waits until nothing is under way."""
        while self._at_work:
            await asyncio.wait(self._at_work)

    async def close(self) -> None:
        """Lets what is under way finish, and the spare go."""
        await self.quiet()
        if self._spare is not None:
            process = await self._spare
            self._spare = None
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
