"""The conductor: workflows, observation, the record and its report."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from importlib.metadata import version

import httpx
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities import kinds
from activities.caller import Caller
from activities.notifiers.named import named
from activities.observe import Observer
from activities.probes.reading.reach import Reach
from activities.record import Records, Targets
from activities.recorder import Recorder
from activities.rehearse import Rehearsing
from activities.store import RunStore
from gameday.queues import CONDUCTOR_QUEUE
from gameday.settings import Settings
from worker import credentials
from worker.polling import agent_answers
from worker.reporting import Reporter
from workflows.by_hand import ByHand
from workflows.fault import Fault
from workflows.game_day import GameDay

WORKFLOWS = [GameDay, Fault, ByHand]
RUNNER = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("gameday", "pydantic", "pydantic_core"))
"""The sandbox of workflows, the same for worker and replayer."""


@contextlib.asynccontextmanager
async def conductor(client: Client, settings: Settings) -> AsyncIterator[Worker]:
    """A running conductor."""
    store, http = RunStore(settings.store_url), httpx.AsyncClient(timeout=None)  # noqa: S113  # each call has its limit
    caller = Caller(named(settings.notify, http), settings.home / "calls", store)
    recorder = Recorder(store, settings.home / "spool", caller.hear)
    known = credentials.of(client.service_client.config)
    records, targets = Records(recorder), Targets(settings, partial(_versions, client), partial(agent_answers, client), known)
    reach = Reach(settings.probes.allow)
    rehearsing = Rehearsing(store, kinds.probes(), reach)
    observer, reporter = Observer(recorder, kinds.probes(), reach), Reporter(recorder)
    worker = Worker(
        client,
        task_queue=CONDUCTOR_QUEUE,
        workflows=WORKFLOWS,
        activities=[records.write, records.analyze, targets.select, observer.observe, reporter.write, rehearsing.rehearse, rehearsing.find],
        workflow_runner=RUNNER,
        max_concurrent_activities=400,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=1),
    )
    beside = [asyncio.create_task(recorder.run()), asyncio.create_task(caller.run())]
    try:
        async with worker:
            yield worker
        with contextlib.suppress(Exception):
            await recorder.written(patience=5.0)
            await caller.settled(patience=2.0)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside, timeout=1.0)
        await observer.close()
        await http.aclose()


async def _versions(client: Client) -> dict[str, str]:
    """What conducts a run, for its record."""
    try:
        server = (await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=timedelta(seconds=2))).server_version
    except RPCError:
        server = "it did not say"
    return {"conductor": f"gameday {version('gameday')}", "Temporal server": server}
