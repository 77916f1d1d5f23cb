"""Pictures of the main probes, drawn by a process of its own: drawing takes memory and the interpreter's lock.

`python -m worker.snapshot` reads what to draw line by line, and ends with its input: also when whoever began it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from activities.store import RunStore
from gameday.errors import GamedayError
from gameday.settings import load_settings

PATIENCE = 60.0
"""Seconds that one picture may take."""
IDLE = 60.0
"""Seconds after a picture that the process is kept for the next one: what it draws with takes seconds to import."""


class Painter:
    """Draws one picture at a time: a run that has phases in quick succession burdens its host no more than another."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._rest: asyncio.TimerHandle | None = None

    async def paint(self, run_id: str, scenario: int, path: Path) -> bool:
        """Draws the main probes of a scenario as they are now into a PNG file. False where there is nothing to show yet.

        Raises:
            GamedayError: it could not be drawn.
        """
        async with self._turn:
            if self._rest is not None:
                self._rest.cancel()
            try:
                answer = await asyncio.wait_for(self._ask([run_id, scenario, str(path)]), PATIENCE)
            except BaseException as error:
                self._end()  # what it would still say is no answer to the next question
                if isinstance(error, (TimeoutError, OSError, ValueError)):
                    raise GamedayError(f"the picture could not be drawn ({type(error).__name__})") from None
                raise
            self._rest = asyncio.get_running_loop().call_later(IDLE, self._end)
        if "problem" in answer:
            raise GamedayError(f"the picture could not be drawn: {answer['problem']}")
        return bool(answer["drawn"])

    async def _ask(self, what: list[object]) -> dict[str, object]:
        if self._process is None or self._process.returncode is not None:
            argv = (sys.executable, "-P", "-m", "worker.snapshot")
            self._process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        found: dict[str, object] = json.loads(await self._process.stdout.readline())
        return found

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._process = None

    async def close(self) -> None:
        """Ends the process, if there is one."""
        process = self._process
        if self._rest is not None:
            self._rest.cancel()
        self._end()
        if process is not None:
            await process.wait()


def main() -> None:
    """Draws what it is asked for from the store; makes no file where there is nothing to show."""
    from reports.snapshot import snapshot

    store = RunStore(load_settings().store_url)
    for line in sys.stdin:
        run_id, scenario, path = json.loads(line)
        try:
            drawn = snapshot(store.read(run_id), scenario)
            if drawn is not None:
                Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                Path(path).write_bytes(drawn)
            answer: dict[str, object] = {"drawn": drawn is not None}
        except Exception as error:  # noqa: BLE001  # whoever asked tells it; the next picture may be drawn all the same
            answer = {"problem": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
