"""The agent of a host: puts faults on and takes them off there, and keeps them honest."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities import kinds, watchdog
from activities.host import HostActivities
from activities.journal import Journal
from activities.operators import Operators
from gameday.errors import GamedayError
from gameday.queues import host_queue, revert_queue
from gameday.settings import Settings
from worker import credentials
from worker.keeper import Keeper

BEATS = timedelta(seconds=1)
"""A sign of life is passed on as often, so that one who lives is not taken for dead."""
LEAVES = timedelta(seconds=5)
"""What is under way may take so long when the agent leaves."""
KEPT_TOMBSTONES = 30 * 86400.0
"""Seconds that the journal keeps how a fault ended."""

log = logging.getLogger(__name__)


def adopt(settings: Settings) -> Journal:
    """The start-up pass that needs no Temporal: what an earlier agent left on is watched again at once, so that its deadline holds.

    What the watchdog had not outlived comes off now: for a while nobody was there to end it, and nobody knows for how long.
    """
    journal = Journal.at(settings.home)
    if live := journal.live():
        if not watchdog.beats(journal.root):
            for entry in (each for each in live if each.due() is None):
                with contextlib.suppress(OSError):  # its lease ends it
                    entry.end("its watchdog had died, and its agent")
        watchdog.ensure(settings.home)
    journal.prune(KEPT_TOMBSTONES)
    return journal


@contextlib.asynccontextmanager
async def agent(client: Client, settings: Settings) -> AsyncIterator[None]:
    """A running agent, on a journal that `adopt` has looked through. When it ends, nothing that it put on stays on."""
    journal = Journal.at(settings.home)
    operators = Operators(settings.home)
    keeper = Keeper(client, settings, journal, operators)
    temporal = client.service_client.config.target_host
    known = credentials.of(client.service_client.config)
    host = HostActivities(settings, journal, kinds.of_hosts(), operators, temporal, known, armed=keeper.remember)
    operators.warm_up()
    injects = Worker(
        client,
        task_queue=host_queue(settings.host),
        activities=host.injecting(),
        max_heartbeat_throttle_interval=BEATS,
        graceful_shutdown_timeout=LEAVES,
    )
    reverts = Worker(
        client,
        task_queue=revert_queue(settings.host),
        activities=host.reverting(),
        max_concurrent_activities=400,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_heartbeat_throttle_interval=BEATS,
        graceful_shutdown_timeout=LEAVES,
    )
    async with reverts:
        keeping = asyncio.create_task(keeper.run())
        try:
            async with injects:
                yield
        finally:  # nothing new is put on from here
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await operators.quiet()
            await leave_nothing(journal, keeper)
    await operators.close()
    watchdog.dismiss(journal.root)


async def leave_nothing(journal: Journal, keeper: Keeper) -> None:
    """Takes off everything before the agent leaves; what cannot be proven gone stays with the watchdog."""
    live = [entry.fault_id for entry in journal.live()]
    if not live:
        return
    try:
        await keeper.take_off(live, "its agent was stopped")
    except GamedayError as error:
        log.warning("not everything could be taken off: %s", error)
