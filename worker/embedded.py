"""Temporal for one command: the one that is configured or up already, else a tree of our own for as long as it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from temporalio.client import Client

from gameday.errors import Unavailable
from gameday.settings import Settings
from worker.connection import at_hand, connect, embedded

COMES_UP_WITHIN = 45.0


@dataclass
class Reached:
    """A client, and whether the tree behind it was brought up for this command. `leave` lets it go on without us."""

    client: Client
    ours: bool
    leave: bool = False


@contextlib.asynccontextmanager
async def temporal(settings: Settings) -> AsyncIterator[Reached]:
    """Reaches Temporal, bringing it up first where nothing else is there; what was brought up is stopped again, in order.

    Raises:
        Unavailable: nothing answers, or it did not come up.
    """
    if at_hand(settings.home):
        yield Reached(await connect(settings.home), ours=False)
        return
    process = await _bring_up(settings)
    reached = None
    try:
        reached = Reached(await connect(settings.home, COMES_UP_WITHIN), ours=True)
        yield reached
    finally:
        if reached is None or not reached.leave:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await process.wait()


async def _bring_up(settings: Settings) -> asyncio.subprocess.Process:
    """Starts `gameday up` in a session of its own, so that a Ctrl-C at the terminal does not reach it, and waits for its address."""
    (settings.home / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    log = settings.home / "logs" / "up.log"
    argv = [sys.executable, "-P", "-m", "gameday", "up", "--leave-when-idle"]
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    deadline = asyncio.get_running_loop().time() + COMES_UP_WITHIN
    while embedded(settings.home) is None:
        if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
            said = log.read_text(errors="replace").strip().splitlines()
            raise Unavailable(f"`gameday up` did not come up: {said[-1] if said else 'it said nothing'} (log: {log})")
        await asyncio.sleep(0.05)
    return process
