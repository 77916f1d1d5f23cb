"""How long the brakes take where nobody presses a button, or nobody is there to heed it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from benchmarks.place import day, entries, proof, warm_town
from benchmarks.table import Result, Row, spread
from gameday.commands import Command, Verb
from gameday.event import EventKind
from tests.rigs.town import ADA, Town
from worker import client as talking

ROUNDS = 10
EVERY = 1.0
"""Seconds between two ticks of the days (benchmarks/place.py)."""
BACK_LIMIT = 3.0


async def measure() -> Result:
    async with warm_town() as built:
        breached = [await _breached(built) for _ in range(ROUNDS)]
        decided, off = [each[0] for each in breached], [each[1] for each in breached]
        back = [await _abandoned(built) for _ in range(ROUNDS)]
    return Result(
        [
            Row("breach seen → the day ends", spread([each * 1000 for each in decided]), "", f"one tick ({EVERY:g} s)", max(decided) < EVERY),
            Row("breach seen → the fault verified as reverted", spread([each * 1000 for each in off])),
            Row(
                "abort while no conductor lives → reverted, counted from the new one's start",
                spread(back, "s"),
                "its imports are in it",
                f"under {BACK_LIMIT:g} s",
                max(back) < BACK_LIMIT,
            ),
        ]
    )


@asynccontextmanager
async def _door() -> AsyncIterator[tuple[int, asyncio.Server]]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], server


async def _breached(built: Town) -> tuple[float, float]:
    """From the tick that was bad: to the day's end being told, and to the proof that the fault is off, in seconds."""
    async with _door() as (port, server):
        text = day([built.home / "sleeper.pid"], "5m").replace("port: PORT", f"port: {port}").replace("up is unknown for 60s", "up < 50 %")
        handle = await built.begin(built.day(text=text))
        await built.until(lambda: bool(entries(built, handle.id)), "the fault is on")
        (entry,) = entries(built, handle.id)
        await asyncio.sleep(2 * EVERY)
        server.close()
        await handle.result()
    record = built.record(handle.id)
    breach, aborted = record.first(EventKind.BREACH), record.first(EventKind.ABORTED)
    assert breach and aborted, f"{handle.id} was not ended by its guardrail"
    seen = datetime.fromisoformat(breach.text("at"))
    return (aborted.at - seen).total_seconds(), proof(entry).verified - seen.timestamp()


async def _abandoned(built: Town) -> float:
    """The conductor is killed, somebody aborts, another conductor comes: from its start to the proof."""
    handle = await built.begin(built.day(text=day([built.home / "sleeper.pid"], "5m")))
    await built.until(lambda: bool(entries(built, handle.id)), "the fault is on")
    (entry,) = entries(built, handle.id)
    built.kill("worker")
    await talking.send(await built.client(), handle.id, Command(verb=Verb.ABORT, id=handle.id, actor=ADA, reason="measured"))
    back = time.time()
    built.start("worker")
    await handle.result()
    return max(proof(entry).verified - back, 0.0)
