"""Operations on the journal from the agent's side: each in a process of its own, one kept warm so that a revert begins at once."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from activities.bare import bare_environment, bare_python
from gameday import errors
from gameday.errors import GamedayError, Unavailable
from gameday.orders import HEAD_START

T = TypeVar("T")

LANES = 2
"""How many batches of reverts are carried out at once; where one has waited for `NEXT_LANE` seconds there is one more."""
NEXT_LANE = 1.0
CROWD = 5
"""So many requests within `COURTESY` seconds are a crowd, until none has come for `GAP`."""
COURTESY = HEAD_START.total_seconds() - 1.5
"""Seconds that an answer is kept back for the others of a crowd at the most."""
GAP = 0.75
LINGERS = 1.0
"""Seconds that a lane waits for more."""
MOST = 16
"""Faults in one batch, from which on no other request joins it."""


@dataclass
class _Asked:
    """Faults that somebody asked to be taken off, and the answer for them."""

    reasons: Mapping[str, str]
    statuses: asyncio.Future[list[dict[str, Any]]]
    taken: bool = False

    def answer(self, found: list[dict[str, Any]] | Exception) -> None:
        if self.statuses.done():  # whoever asked has gone
            return
        if isinstance(found, Exception):
            self.statuses.set_exception(found)
        else:
            self.statuses.set_result(found)


@dataclass
class _Operation:
    """One process that carries requests out, one after the other (activities/operation.py)."""

    process: asyncio.subprocess.Process

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Has a request carried out.

        Raises:
            GamedayError: what the operation raised, by its own class.
        """
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin and stdout
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            await stdin.drain()
            said = await stdout.readline()
        except OSError:
            said = b""
        if not said.endswith(b"\n"):
            raise Unavailable("the operation was ended from outside; it is tried again")
        answer: dict[str, Any] = json.loads(said)
        if "error" in answer:
            cls = getattr(errors, answer["error"], GamedayError)
            raise cls(answer["message"]) if issubclass(cls, GamedayError) else GamedayError(answer["message"])
        return answer

    async def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        await self.process.wait()


class Operators:
    """Has requests carried out, and keeps one process waiting for the next."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._spare: asyncio.Task[_Operation] | None = None
        self._at_work: set[asyncio.Task[Any]] = set()
        self._asked: asyncio.Queue[_Asked | None] = asyncio.Queue()  # None: no lane needs to wait any more
        self._lanes = self._idle = 0
        self._helped_at = 0.0
        self._arrivals: deque[float] = deque(maxlen=CROWD)

    def warm_up(self) -> None:
        if self._spare is None:
            self._spare = asyncio.create_task(self._start())

    async def _start(self) -> _Operation:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *bare_python("activities.operation"),
            str(self._home),
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.DEVNULL,
            env=bare_environment(),
            start_new_session=True,
            limit=16 * 1024 * 1024,
        )
        return _Operation(process)

    async def _taken(self) -> _Operation:
        """The process that waits; another one waits in its place from now on."""
        spare, self._spare = self._spare, None
        operation = await (spare or self._start())
        if operation.process.returncode is not None:
            operation = await self._start()
        self.warm_up()
        return operation

    async def perform(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carries out a request in a process of its own, to its end, also when the caller is cancelled meanwhile.

        Raises:
            GamedayError: what the operation raised, by its own class.
        """
        return await asyncio.shield(self._work(self._perform(request)))

    async def _perform(self, request: dict[str, Any]) -> dict[str, Any]:
        operation = await self._taken()
        try:
            return await operation.ask(request)
        finally:
            self._work(operation.leave())

    def _work(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return task

    async def revert(self, reasons: Mapping[str, str]) -> list[dict[str, Any]]:
        """Takes faults off in a process of its own. Returns the status of each, in their order.

        Raises:
            GamedayError: as `perform`.
        """
        statuses: list[dict[str, Any]] = (await self.perform(_reverting(reasons)))["statuses"]
        return statuses

    async def revert_together(self, reasons: Mapping[str, str]) -> list[dict[str, Any]]:
        """The same, where many runs may ask at once: they share few processes. What hangs in one holds up no single revert."""
        loop = asyncio.get_running_loop()
        asked = _Asked(reasons, loop.create_future())
        self._asked.put_nowait(asked)
        if self._lanes < LANES and not self._idle:
            self._open_lane()
        loop.call_later(NEXT_LANE, self._help, asked)
        self._arrivals.append(loop.time())
        statuses = await asked.statuses
        await self._crowd_is_served()
        return statuses

    async def _crowd_is_served(self) -> None:
        """While many runs ask at once, no answer hurries back: what a run does after it would hold up the reverts of the others."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + COURTESY
        while self._is_crowded(now := loop.time()) and now < latest:  # noqa: ASYNC110  # what is waited for is that nobody comes any more
            await asyncio.sleep(0.05)

    def _is_crowded(self, now: float) -> bool:
        return len(self._arrivals) == CROWD and self._arrivals[0] > now - COURTESY and self._arrivals[-1] > now - GAP

    def _help(self, asked: _Asked) -> None:
        """One more lane where this still waits, if there has been none for as long."""
        now = asyncio.get_running_loop().time()
        if not asked.taken and now >= self._helped_at + NEXT_LANE:
            self._helped_at = now
            self._open_lane()
        if not asked.taken:
            asyncio.get_running_loop().call_later(NEXT_LANE, self._help, asked)

    def _open_lane(self) -> None:
        self._lanes += 1
        self._work(self._lane())

    async def _lane(self) -> None:
        """Takes what has been asked for, batch by batch, until nothing more comes."""
        operation: _Operation | None = None
        try:
            while batch := await self._batch():
                try:
                    operation = operation or await self._taken()
                    _tell(batch, (await operation.ask(_reverting(_reasons(batch))))["statuses"])
                except Exception as error:  # noqa: BLE001  # each of those who asked is told, and the next batch has a process of its own
                    self._dismiss(operation)
                    operation = None
                    for asked in batch:
                        asked.answer(error)
        finally:
            self._lanes -= 1
            self._dismiss(operation)
            if not self._asked.empty():  # asked for while this lane was about to leave
                self._open_lane()

    async def _batch(self) -> list[_Asked]:
        """What has been asked for; waits a moment for it, since a process that is there costs less than the next."""
        self._idle += 1
        try:
            first = await asyncio.wait_for(self._asked.get(), LINGERS)
        except TimeoutError:
            return []
        finally:
            self._idle -= 1
        batch = [first] if first else []
        while batch and not self._asked.empty() and sum(len(asked.reasons) for asked in batch) < MOST:
            batch += filter(None, [self._asked.get_nowait()])
        for asked in batch:
            asked.taken = True
        return batch

    def _dismiss(self, operation: _Operation | None) -> None:
        if operation is not None:
            self._work(operation.leave())

    async def quiet(self) -> None:
        """Waits until nothing is under way."""
        for _ in range(self._idle):
            self._asked.put_nowait(None)
        while self._at_work:
            await asyncio.wait(self._at_work)

    async def close(self) -> None:
        """Lets what is under way finish, and the spare go."""
        await self.quiet()
        if self._spare is not None:
            operation = await self._spare
            self._spare = None
            await operation.leave()


def _reverting(reasons: Mapping[str, str]) -> dict[str, Any]:
    return {"op": "revert", "reasons": dict(reasons)}


def _reasons(batch: Sequence[_Asked]) -> dict[str, str]:
    return {fault_id: why for asked in batch for fault_id, why in asked.reasons.items()}


def _tell(batch: Sequence[_Asked], statuses: Sequence[dict[str, Any]]) -> None:
    found = {status["fault_id"]: status for status in statuses}
    answers = [[found[fault_id] for fault_id in asked.reasons] for asked in batch]
    for asked, answer in zip(batch, answers, strict=True):
        asked.answer(answer)
