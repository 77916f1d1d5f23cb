"""Fifty runs of four faults each, all on at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from activities.entry import Entry
from benchmarks.place import Sleepers, day, proof, warm_town
from benchmarks.table import Row
from gameday.plan import Plan
from tests.rigs.town import Town, begin

RUNS, EACH = 50, 4
AT_ONCE = 5
"""How many runs are started together; the next begin when their faults are on."""
LIMIT = 3.0


@dataclass
class Crowd:
    """The runs, and their faults that are on."""

    town: Town
    plans: list[Plan]
    on: list[Entry]
    started: str
    """How they came to be on, in words."""

    async def all_off(self, since: float, what: str, beside: str) -> Row:
        """The row that says when the last of them was proven off, counted from this moment."""
        await self.town.until(lambda: all(entry.marked("tombstone") for entry in self.on), "all are buried", 120)
        ended = sorted(proof(entry).buried - since for entry in self.on)
        return Row(
            f"{len(self.on)} faults in {RUNS} runs {what} at once → the last one verified",
            f"{ended[-1]:.1f} s",
            f"first {ended[0]:.2f} s, half {ended[len(ended) // 2]:.2f} s{beside}",
            f"{RUNS * EACH} faults under {LIMIT:g} s",
            len(self.on) == RUNS * EACH and ended[-1] < LIMIT,
        )


@asynccontextmanager
async def crowd() -> AsyncIterator[Crowd]:
    async with warm_town() as built:
        sleepers = Sleepers(built.home)
        sleepers.add(RUNS * EACH)
        try:
            yield await _started(built, sleepers)
        finally:
            sleepers.close()


async def _started(built: Town, sleepers: Sleepers) -> Crowd:
    client, began = await built.client(), time.time()
    plans = [built.day(text=day(sleepers.pid_files[place : place + EACH], "30m")) for place in range(0, RUNS * EACH, EACH)]
    for place in range(0, RUNS, AT_ONCE):
        await asyncio.gather(*(begin(client, made) for made in plans[place : place + AT_ONCE]))
        with contextlib.suppress(AssertionError):  # what is not on by then is said, and the others are ended all the same
            await built.until(partial(_are_on, built, min(place + AT_ONCE, RUNS) * EACH), "the faults are on", 8)
    with contextlib.suppress(AssertionError):  # one of a group may be late, and is waited for once
        await built.until(partial(_are_on, built, RUNS * EACH), "all are on", 60)
    on = [entry for entry in built.journal.live() if entry.marked("active")]
    said = f"{len(on)} faults of {RUNS} runs were on after {time.time() - began:.0f} s, started {AT_ONCE} runs at a time"
    await asyncio.sleep(5)  # the crowd of starting runs has settled
    lost = [entry for entry in on if entry.marked("tombstone")]
    if lost:
        said += f"; {len(lost)} of them ended by themselves within 5 s: {(lost[0].tombstone or {}).get('reason')}"
    return Crowd(built, plans, [entry for entry in on if entry not in lost], said)


def _are_on(built: Town, count: int) -> bool:
    return sum(entry.marked("active") for entry in built.journal.live()) == count
