"""Plays a short day on a real server and stores its histories, to be replayed by later code: `python -m tests.workflows.store_history NAME`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from gameday.commands import Verb
from tests.rigs.town import Town, town

HISTORIES = Path(__file__).parent / "histories"


async def store(name: str) -> None:
    async with town(Path(tempfile.mkdtemp()) / "home", "temporal", "worker", "agent") as place:
        passed = await place.begin(place.day(length="600ms"))
        await passed.result()
        await _keep(place, passed.id, f"{name}-passed")
        aborted = await place.frozen_day()
        await place.tell(aborted, Verb.NOTE, text="about to abort")
        await place.tell(aborted, Verb.HOLD)
        await place.tell(aborted, Verb.ABORT, reason="enough seen")
        await aborted.result()
        await _keep(place, aborted.id, f"{name}-aborted")


async def _keep(place: Town, run_id: str, name: str) -> None:
    client = await place.client()
    fault = place.record(run_id).faults()[0].fault_id
    for workflow_id, kind in ((run_id, "day"), (f"{run_id}-{fault}", "fault")):
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        text = history.to_json().replace(str(place.home), "/home/of/the/town")
        (HISTORIES / f"{name}-{kind}.json").write_text(text + "\n")


if __name__ == "__main__":
    asyncio.run(store(sys.argv[1]))
