"""History events of a day whose fault is on for a minute, and for 24 hours, on Temporal's simulated clock."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import kinds
from benchmarks.place import day
from benchmarks.table import Result, Row
from gameday.fault import FaultOrder, FaultOutcome, FaultState, FaultStatus, ResolvedTarget
from gameday.loading import loads
from gameday.observation import ObserveOrder, ObserveResult, Purpose
from gameday.orders import (
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
)
from gameday.plan import plan
from gameday.queues import CONDUCTOR_QUEUE, host_queue, revert_queue
from gameday.units import parse_duration
from gameday.verdicts import Outcome
from tests.rigs.town import ADA
from worker.conductor import RUNNER, WORKFLOWS
from workflows import ask

HERE = "local"
TASKS = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
}


@activity.defn(name="record.write")
async def write(_: WriteOrder) -> None:
    return None


@activity.defn(name="targets.select")
async def select(order: SelectOrder) -> Selection:
    return Selection(hosts=tuple((HERE,) for _ in order.faults))


@activity.defn(name="host.resolve")
async def resolve(order: ResolveOrder) -> Resolution:
    targets = tuple(ResolvedTarget(host=HERE, thing=fault.name, label=fault.name) for fault in order.faults)
    return Resolution(targets=targets, clock=datetime.now(UTC))


class Observing:
    """The observer, one activity a phase as the real one is. While it is pending the simulated clock stands still, so it moves the clock itself."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env
        self.length = timedelta()

    @activity.defn(name="observe")
    async def observe(self, order: ObserveOrder) -> ObserveResult:
        if order.purpose is Purpose.WATCH:
            await self._env.sleep(self.length + timedelta(seconds=1))
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
async def analyze(_: AnalyzeOrder) -> Analysis:
    return Analysis(judgements=(), outcome=Outcome.PASSED)


@activity.defn(name="report.write")
async def report(_: ReportOrder) -> ReportResult:
    return ReportResult(path="")


QUEUES: dict[str, list[Callable[..., Any]]] = {
    CONDUCTOR_QUEUE: [write, select, analyze, report],
    host_queue(HERE): [resolve, inject],
    revert_queue(HERE): [revert, revert_all],
}


async def measure() -> Result:
    binary = Path(sys.executable).with_name("temporal-test-server")
    async with AsyncExitStack() as stack:
        env = await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(binary), data_converter=pydantic_data_converter)
        await stack.enter_async_context(env)
        observing = Observing(env)
        ask.PATIENCE = timedelta(days=3)  # type: ignore[attr-defined]  # a clock that is moved by hours leaves no time for heartbeats
        for queue, activities in QUEUES.items():
            own, more = (WORKFLOWS, [observing.observe]) if queue == CONDUCTOR_QUEUE else ([], [])
            await stack.enter_async_context(
                Worker(env.client, task_queue=queue, workflows=own, activities=[*activities, *more], workflow_runner=RUNNER)
            )
        minute, whole_day = await _patiently(env, observing, "1m"), await _patiently(env, observing, "24h")
    row = Row(
        "history events of GameDay + Fault, the fault on for 1 min and for 24 h (without those of workflow tasks, which batch as they come)",
        f"{minute.facts} and {whole_day.facts}",
        f"with workflow tasks {minute.all} and {whole_day.all}; simulated time {minute.took} and {whole_day.took}",
        "the same",
        minute.facts == whole_day.facts,
    )
    return Result([row])


@dataclass(frozen=True)
class Length:
    """The events of one day and its fault: those that say something, and all; and how long it took on the simulated clock."""

    facts: int
    all: int
    took: timedelta


async def _patiently(env: WorkflowEnvironment, observing: Observing, length: str) -> Length:
    """The simulated server now and then refuses a workflow task for good ("invalid history builder state"): then another day is played."""
    observing.length = parse_duration(length)
    for _ in range(4):
        with contextlib.suppress(TimeoutError):
            return await _day(env, length)
    raise TimeoutError(f"no day with a fault of {length} came to its end on the simulated server")


async def _day(env: WorkflowEnvironment, length: str) -> Length:
    text = day([Path("/nobody.pid")], length).replace("PORT", "1").replace("GATE", "off").replace("{max_targets: 10}", "{max_duration: 48h}")
    made = plan(loads(text.encode(), kinds.catalogue()), kinds.catalogue(), ADA, datetime.now(UTC))
    handle = await env.client.start_workflow("GameDay", made, id=made.run_id, task_queue=CONDUCTOR_QUEUE)
    result = await asyncio.wait_for(handle.result(), 20)
    assert result["outcome"] == "passed", result
    events = [event async for event in handle.fetch_history_events()]
    took = events[-1].event_time.ToDatetime() - events[0].event_time.ToDatetime()
    children = [event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id for event in events]
    for child in filter(None, children):
        events += [event async for event in env.client.get_workflow_handle(child).fetch_history_events()]
    facts = [event for event in events if event.event_type not in TASKS]
    return Length(len(facts), len(events), timedelta(seconds=round(took.total_seconds())))
