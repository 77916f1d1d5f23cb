"""Who polls a task queue, as Temporal knows it: there is no registry of agents to keep."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from gameday.queues import host_queue

ANSWERS_WITHIN = timedelta(seconds=3)
LIVELY = 75.0
"""Seconds: a worker asks for work anew at least once a minute, and one that is gone stays listed for five. Source: Temporal's long poll."""
WORKFLOWS, ACTIVITIES = 1, 2
"""Kinds of task queue, as in temporal.api.enums.v1."""


@dataclass(frozen=True)
class Polled:
    """One queue: who polled it last, how many seconds ago; or why that cannot be known."""

    who: str = ""
    ago: float | None = None
    trouble: str = ""

    @property
    def is_polled(self) -> bool:
        return self.ago is not None and self.ago < LIVELY


async def polled(client: Client, queue: str, kind: int) -> Polled:
    request = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)  # type: ignore[arg-type]  # an enum's number
    try:
        answer = await client.workflow_service.describe_task_queue(request, timeout=ANSWERS_WITHIN)
    except RPCError as error:
        return Polled(trouble=error.message or "no answer")
    newest = max(answer.pollers, key=lambda each: each.last_access_time.ToMilliseconds(), default=None)
    if newest is None:
        return Polled()
    return Polled(newest.identity, max(time.time() - newest.last_access_time.ToMilliseconds() / 1000, 0.0))


async def agent_answers(client: Client, host: str) -> bool:
    """Whether a host's agent takes work; False where Temporal does not say."""
    return (await polled(client, host_queue(host), ACTIVITIES)).is_polled
