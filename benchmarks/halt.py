"""Two hundred faults taken off by the lever."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from benchmarks.crowd import crowd
from benchmarks.table import Result
from gameday.halt import Halt
from worker import lever


async def measure() -> Result:
    async with crowd() as all_on:
        client, sent = await all_on.town.client(), time.time()
        halt = Halt(actor="Ada", actor_id="os:ada", reason="measured", at=datetime.now(UTC).isoformat())
        pulled = await lever.pull(client, halt, [all_on.town.settings.host])
        row = await all_on.all_off(sent, "halted", f"; every host had answered and every run been told after {time.time() - sent:.1f} s")
        await lever.release(client, "Ada", "measured")
    told = sum(each == "told to end" for each in pulled.runs.values())
    return Result([row], [all_on.started, f"halted: {told} runs told to end"])
