"""History events of a day whose fault is on for a minute, and for 24 hours, on Temporal's simulated clock."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import kinds
from benchmarks.place import day
from benchmarks.table import Result, Row
from gameday.fault import FaultOrder, FaultOutcome, FaultState, FaultStatus, ResolvedTarget
from gameday.loading import loads
from gameday.observation import ObserveOrder, ObserveResult
from gameday.orders import (
    CONDUCTOR_QUEUE,
    Analysis,
    AnalyzeOrder,
    ReportOrder,
    ReportResult,
    Resolution,
    ResolveOrder,
    RevertOrder,
    RevertResult,
    Selection,
    SelectOrder,
    WriteOrder,
    host_queue,
    revert_queue,
)
from gameday.plan import plan
from gameday.verdicts import Outcome
from tests.rigs.town import ADA
from worker.conductor import RUNNER, WORKFLOWS

HERE = "local"


@activity.defn(name="record.write")
async def write(order: WriteOrder) -> None:
    return None


@activity.defn(name="targets.select")
async def select(order: SelectOrder) -> Selection:
    return Selection(hosts=tuple((HERE,) for _ in order.faults))


@activity.defn(name="host.resolve")
async def resolve(order: ResolveOrder) -> Resolution:
    targets = tuple(ResolvedTarget(host=HERE, thing=fault.name, label=fault.name) for fault in order.faults)
    return Resolution(targets=targets, clock=datetime.now(UTC))


@activity.defn(name="observe")
async def observe(order: ObserveOrder) -> ObserveResult:
    """At once: an activity that is pending makes the simulated clock stand still. The real one costs the same events, however long it watches."""
    return ObserveResult(ended="over", steady=True, state=order.state)


@activity.defn(name="process.pause.inject")
async def inject(order: FaultOrder) -> FaultStatus:
    return FaultStatus(fault_id=order.fault_id, state=FaultState.ACTIVE, at=datetime.now(UTC))


async def _revert(order: RevertOrder) -> RevertResult:
    at = datetime.now(UTC)
    ended = [FaultStatus(fault_id=each, state=FaultState.ENDED, outcome=FaultOutcome.REVERTED, at=at) for each in order.faults]
    return RevertResult(statuses=tuple(ended))


@activity.defn(name="process.pause.revert")
async def revert(order: RevertOrder) -> RevertResult:
    return await _revert(order)


@activity.defn(name="host.revert")
async def revert_all(order: RevertOrder) -> RevertResult:
    return await _revert(order)


@activity.defn(name="analyze")
async def analyze(order: AnalyzeOrder) -> Analysis:
    return Analysis(judgements=(), outcome=Outcome.PASSED)


@activity.defn(name="report.write")
async def report(order: ReportOrder) -> ReportResult:
    return ReportResult(path="")


QUEUES: dict[str, list[Callable[..., Any]]] = {
    CONDUCTOR_QUEUE: [write, select, observe, analyze, report],
    host_queue(HERE): [resolve, inject],
    revert_queue(HERE): [revert, revert_all],
}


async def measure() -> Result:
    binary = Path(sys.executable).with_name("temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(binary), data_converter=pydantic_data_converter) as env:
        async with AsyncExitStack() as workers:
            for queue, activities in QUEUES.items():
                own = WORKFLOWS if queue == CONDUCTOR_QUEUE else []
                await workers.enter_async_context(Worker(env.client, task_queue=queue, workflows=own, activities=activities, workflow_runner=RUNNER))
            minute, whole_day = await _events(env, "1m"), await _events(env, "24h")
    row = Row(
        "history events of a day (GameDay + Fault) with its fault on for 1 min, for 24 h",
        f"{sum(minute[:2])} and {sum(whole_day[:2])}",
        f"{minute[0]} + {minute[1]} and {whole_day[0]} + {whole_day[1]}, in {minute[2]} and {whole_day[2]} of simulated time",
        "the same",
        minute[:2] == whole_day[:2],
    )
    return Result([row])


async def _events(env: WorkflowEnvironment, length: str) -> tuple[int, int, timedelta]:
    """One day. Returns the events of its GameDay and of its Fault, and how long it took on the simulated clock."""
    text = day([Path("/nobody.pid")], length).replace("PORT", "1").replace("GATE", "off").replace("max_targets: 10", "max_targets: 10, max_duration: 48h")
    made = plan(loads(text.encode(), kinds.catalogue()), kinds.catalogue(), ADA, datetime.now(UTC))
    began = await env.get_current_time()
    handle = await env.client.start_workflow("GameDay", made, id=made.run_id, task_queue=CONDUCTOR_QUEUE)
    result = await asyncio.wait_for(handle.result(), 120)
    assert result["outcome"] == "passed", result
    took = await env.get_current_time() - began
    parent = [event async for event in handle.fetch_history_events()]
    (child,) = [event.child_workflow_execution_started_event_attributes for event in parent if event.HasField("child_workflow_execution_started_event_attributes")]
    return len(parent), await _length(env.client, child.workflow_execution.workflow_id), timedelta(seconds=round(took.total_seconds()))


async def _length(client: Client, workflow_id: str) -> int:
    return len([event async for event in client.get_workflow_handle(workflow_id).fetch_history_events()])
