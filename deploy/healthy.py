"""Says whether this container serves: exit status 0 when Temporal saw a process of this machine's name poll its queue lately.

    python healthy.py worker|agent|watchdog

It proves the connection, the credentials, and that work is fetched; of a conductor also that its store answers, of a watchdog that it
beats. Not that each activity works: that is `gameday doctor`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gameday.errors import GamedayError
from gameday.settings import Settings, load_settings

if TYPE_CHECKING:
    from temporalio.api.enums.v1 import TaskQueueType

FRESH = timedelta(seconds=100)
"""A poll waits for up to a minute, and is seen when it begins."""
SILENT = 5.0
"""Seconds without a beat after which nothing watches."""


def problem(role: str) -> str:
    """What is wrong, in words; empty when nothing is. Imports where it uses them: it runs every few seconds."""
    settings = load_settings()
    if role == "watchdog":
        from activities import watchdog

        age = watchdog.heartbeat(settings.home / "journal")
        return "" if age is not None and age < SILENT else f"nothing watches {settings.home / 'journal'}"

    from temporalio.api.enums.v1 import TaskQueueType

    from gameday.queues import CONDUCTOR_QUEUE, revert_queue

    if role == "worker":
        from activities.store import RunStore

        RunStore(settings.store_url).list(1)
        return asyncio.run(polled(settings, CONDUCTOR_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW))
    if role == "agent":  # by its queue for reverts, which nothing can fill
        return asyncio.run(polled(settings, revert_queue(settings.host), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY))
    return f"{role!r} is no role; expected worker, agent or watchdog"


async def polled(settings: Settings, queue: str, kind: TaskQueueType.ValueType) -> str:
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
    from temporalio.service import RPCError

    from worker.connection import connect

    client = await connect(settings.home, patience=2.0)
    request = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    try:
        answer = await client.workflow_service.describe_task_queue(request, timeout=timedelta(seconds=5))
    except RPCError as error:
        return f"Temporal does not say who polls {queue}: {error.message}"
    ours = f"@{socket.gethostname()}"
    polls = [each.last_access_time.ToDatetime(UTC) for each in answer.pollers if each.identity.endswith(ours)]
    if not polls:
        return f"nobody here ({ours}) polls the queue {queue}"
    age = datetime.now(UTC) - max(polls)
    return f"the last poll of the queue {queue} was {age.total_seconds():.0f} s ago" if age > FRESH else ""


def main() -> int:
    try:
        found = problem(sys.argv[1] if len(sys.argv) == 2 else "")
    except GamedayError as error:
        found = str(error)
    print(f"not healthy: {found}" if found else "healthy", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    # At once: threads of the client that end together with the interpreter can abort it, and so spoil the answer.
    os._exit(main())
