"""Fifty runs of four faults each, aborted at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial

from temporalio.client import WorkflowHandle

from benchmarks.place import Sleepers, day, proof, warm_town
from benchmarks.table import Result, Row
from gameday.commands import Command, Verb
from gameday.orders import DayResult
from tests.rigs.town import ADA, Town, begin
from worker import client as talking

RUNS, EACH = 50, 4
AT_ONCE = 5
"""How many runs are started together; the next begin when their faults are on."""
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
    client, began = await built.client(), time.time()
    plans = [built.day(text=day(sleepers.pid_files[place : place + EACH], "30m")) for place in range(0, RUNS * EACH, EACH)]
    handles: list[WorkflowHandle[object, DayResult]] = []
    for place in range(0, RUNS, AT_ONCE):
        handles += await asyncio.gather(*(begin(client, made) for made in plans[place : place + AT_ONCE]))
        with contextlib.suppress(AssertionError):  # what is not on by then is said, and the others are aborted all the same
            await built.until(partial(_are_on, built, len(handles) * EACH), "the faults are on", 8)
    on = [entry for entry in built.journal.live() if entry.marked("active")]
    started = f"{len(on)} faults of {len(handles)} runs were on after {time.time() - began:.0f} s, started {AT_ONCE} runs at a time"
    await asyncio.sleep(5)  # the crowd of starting runs has settled
    lost = [entry for entry in on if entry.marked("tombstone")]
    on = [entry for entry in on if entry not in lost]
    if lost:
        started += f"; {len(lost)} of them ended by themselves within 5 s: {(lost[0].tombstone or {}).get('reason')}"
    sent = time.time()
    answers = await asyncio.gather(
        *(talking.send(client, made.run_id, Command(verb=Verb.ABORT, id=made.run_id, actor=ADA, reason="measured")) for made in plans)
    )
    answered = time.time() - sent
    await built.until(lambda: all(entry.marked("tombstone") for entry in on), "all are buried", 120)
    ended = sorted(proof(entry).buried - sent for entry in on)
    signalled = sum("sent" in answer.text for answer in answers)
    row = Row(
        f"{len(on)} faults in {RUNS} runs aborted at once → the last one verified",
        f"{ended[-1]:.1f} s",
        f"first {ended[0]:.2f} s, half {ended[len(ended) // 2]:.2f} s; the last caller had its answer after {answered:.1f} s",
        f"{RUNS * EACH} faults under {LIMIT:g} s",
        len(on) == RUNS * EACH and ended[-1] < LIMIT,
    )
    note = f"aborting {RUNS} runs: {signalled} Updates had no answer in 2 s, so that their abort was sent as a Signal as well"
    return Result([row], [started, note] if signalled else [started])


def _are_on(built: Town, count: int) -> bool:
    return sum(entry.marked("active") for entry in built.journal.live()) == count
