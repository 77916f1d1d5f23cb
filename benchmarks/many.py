"""Fifty runs of four faults each, aborted at once."""

from __future__ import annotations

import asyncio
import time

from benchmarks.place import Sleepers, day, entries, proof, warm_town
from benchmarks.table import Result, Row
from gameday.commands import Command, Verb
from tests.rigs.town import ADA, Town
from worker import client as talking

RUNS, EACH = 50, 4
LIMIT = 3.0


async def measure() -> Result:
    async with warm_town() as built:
        sleepers = Sleepers(built.home)
        sleepers.add(RUNS * EACH)
        try:
            return await _measure(built, sleepers)
        finally:
            sleepers.close()


async def _measure(built: Town, sleepers: Sleepers) -> Result:
    client = await built.client()
    groups = [sleepers.pid_files[place : place + EACH] for place in range(0, RUNS * EACH, EACH)]
    plans = [built.day(text=day(group, "30m")) for group in groups]
    handles = await asyncio.gather(*(talking.start(client, made) for made in plans))
    await built.until(lambda: len([entry for entry in built.journal.live() if entry.marked("active")]) == RUNS * EACH, "all are frozen", 180)
    on = [entry for made in plans for entry in entries(built, made.run_id)]
    await asyncio.sleep(5)  # the crowd of starting runs has settled
    sent = time.time()
    answers = await asyncio.gather(
        *(talking.send(client, made.run_id, Command(verb=Verb.ABORT, id=made.run_id, actor=ADA, reason="measured")) for made in plans)
    )
    answered = time.time() - sent
    await built.until(lambda: all(entry.marked("tombstone") for entry in on), "all are buried", 120)
    ended = sorted(proof(entry).buried - sent for entry in on)
    signalled = sum("sent" in answer.text for answer in answers)
    await asyncio.wait_for(asyncio.gather(*(handle.result() for handle in handles)), 400)
    row = Row(
        f"{RUNS * EACH} faults in {RUNS} runs aborted at once → the last one verified",
        f"{ended[-1]:.1f} s",
        f"first {ended[0]:.2f} s, half {ended[len(ended) // 2]:.2f} s; the last caller had its answer after {answered:.1f} s",
        f"under {LIMIT:g} s",
        ended[-1] < LIMIT,
    )
    notes = [f"aborting {RUNS} runs: {signalled} of {RUNS} Updates took over 2 s, so that their abort was sent as a Signal as well"] if signalled else []
    return Result([row], notes)
