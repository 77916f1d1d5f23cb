"""The floor under an abort: a bare Update whose handler starts an activity on another worker. `python -m benchmarks.floor workflows|activities`."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker

from gameday.settings import Settings
from worker.connection import connect

QUEUE, OTHER_QUEUE = "floor", "floor-other"


@activity.defn
async def touch() -> float:
    """Returns when it began, in seconds since the epoch."""
    return time.time()


@workflow.defn
class Floor:
    """Waits for its one Update, and returns when the activity that it started began."""

    def __init__(self) -> None:
        self.touched: workflow.ActivityHandle[float] | None = None

    @workflow.run
    async def run(self) -> float:
        await workflow.wait_condition(lambda: self.touched is not None)
        assert self.touched is not None  # waited for
        return await self.touched

    @workflow.update
    async def abort(self) -> str:
        self.touched = workflow.start_activity(touch, task_queue=OTHER_QUEUE, start_to_close_timeout=timedelta(seconds=10))
        return "aborting"


async def serve(role: str) -> None:
    client = await connect(Settings().home, patience=30)
    if role == "workflows":
        from worker.conductor import RUNNER

        await Worker(client, task_queue=QUEUE, workflows=[Floor], workflow_runner=RUNNER).run()
    else:
        await Worker(client, task_queue=OTHER_QUEUE, activities=[touch]).run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
