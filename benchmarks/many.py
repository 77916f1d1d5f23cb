"""Two hundred faults aborted at once."""

from __future__ import annotations

import asyncio
import time

from benchmarks.crowd import RUNS, crowd
from benchmarks.table import Result
from gameday.commands import Command, Verb
from tests.rigs.town import ADA
from worker import client as talking


async def measure() -> Result:
    async with crowd() as all_on:
        client, sent = await all_on.town.client(), time.time()
        answers = await asyncio.gather(
            *(talking.send(client, made.run_id, Command(verb=Verb.ABORT, id=made.run_id, actor=ADA, reason="measured")) for made in all_on.plans)
        )
        row = await all_on.all_off(sent, "aborted", f"; the last caller had its answer after {time.time() - sent:.1f} s")
    signalled = sum("sent" in answer.text for answer in answers)
    note = f"aborting {RUNS} runs: {signalled} Updates had no answer in 2 s, so that their abort was sent as a Signal as well"
    return Result([row], [all_on.started, *([note] if signalled else [])])
