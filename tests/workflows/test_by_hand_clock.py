"""How long people are waited for, on a server whose clock skips to what comes next: minutes pass at once."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from gameday.by_hand import PLACE, Done, Errand, Half
from gameday.event import Event, EventKind
from gameday.fault import FaultOrder, FaultOutcome, FaultStatus, ResolvedTarget
from gameday.orders import WriteOrder
from gameday.queues import CONDUCTOR_QUEUE
from worker.conductor import RUNNER
from workflows.by_hand import ByHand

pytestmark = pytest.mark.timeout(60)
Handle = WorkflowHandle[ByHand, FaultStatus]
DO, UNDO = Done(half=Half.DO, by="Linus"), Done(half=Half.UNDO, by="Linus")


class Waiting:
    """Faults that are done by hand, one after the other, each with what it told."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self.env, self.events = env, list[Event]()

    @activity.defn(name="record.write")
    async def write(self, order: WriteOrder) -> None:
        self.events += order.events

    async def begin(self) -> Handle:
        order = FaultOrder(
            fault_id="f-1",
            run_id="run",
            scenario=0,
            name="cable-out",
            kind="manual",
            target=ResolvedTarget(host=PLACE, thing="cable-out", label="by hand, Linus"),
            duration=timedelta(hours=2),
            cap=timedelta(hours=3),
            errand=Errand(do="Pull the cable", undo="Plug it back in", by="Linus"),
        )
        return await self.env.client.start_workflow(ByHand.run, order, id="run-f-1", task_queue=CONDUCTOR_QUEUE)

    async def passes(self, minutes: float) -> None:
        await self.env.sleep(timedelta(minutes=minutes))

    def minutes(self, kind: EventKind) -> list[float]:
        """When it was told, from the beginning."""
        first = self.events[0].at
        return [round((event.at - first) / timedelta(minutes=1), 1) for event in self.events if event.kind is kind]


@pytest.fixture
async def waiting() -> AsyncIterator[Waiting]:
    binary = Path(sys.executable).with_name("temporal-test-server")
    env = await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(binary), data_converter=pydantic_data_converter)
    async with env:
        found = Waiting(env)
        async with Worker(env.client, task_queue=CONDUCTOR_QUEUE, workflows=[ByHand], activities=[found.write], workflow_runner=RUNNER):
            yield found


async def test_what_is_asked_is_waited_for_ten_minutes_and_its_undo_for_five(waiting: Waiting) -> None:
    handle = await waiting.begin()
    await waiting.passes(60)
    assert waiting.minutes(EventKind.FAULT_ASKED) == [0, 10]
    assert waiting.minutes(EventKind.FAULT_FAILED) == [10] and waiting.minutes(EventKind.FAULT_DIRTY) == [15]
    await handle.signal(ByHand.done_signal, UNDO)
    assert (await handle.result()).outcome is FaultOutcome.NOT_INJECTED


async def test_its_time_begins_with_the_word_that_it_is_done(waiting: Waiting) -> None:
    handle = await waiting.begin()
    await waiting.passes(8)
    await handle.signal(ByHand.done_signal, DO)
    await waiting.passes(119)
    assert waiting.minutes(EventKind.FAULT_ACTIVE) == [8] and waiting.minutes(EventKind.FAULT_REVERTING) == []
    await waiting.passes(2)
    assert waiting.minutes(EventKind.FAULT_REVERTING) == [128]
    await handle.signal(ByHand.done_signal, UNDO)
    result = await handle.result()
    assert (result.outcome, result.reason) == (FaultOutcome.REVERTED, "its time was over (7200 s)")


@pytest.mark.parametrize("before", [True, False], ids=["before it ends", "while its undo is waited for"])
async def test_a_day_that_ends_early_waits_half_a_minute(waiting: Waiting, before: bool) -> None:
    handle = await waiting.begin()
    await handle.signal(ByHand.done_signal, DO)
    if before:
        await handle.signal(ByHand.hurry_signal, "abort")
        await handle.signal(ByHand.end_signal, "abort")
    else:
        await handle.signal(ByHand.end_signal, "it lasts until mitigated")
        await waiting.passes(2)
        await handle.signal(ByHand.hurry_signal, "abort")
    await waiting.passes(1)
    assert waiting.minutes(EventKind.FAULT_DIRTY) == [0.5 if before else 2.5]
    await handle.signal(ByHand.done_signal, UNDO)
    assert (await handle.result()).outcome is FaultOutcome.REVERTED


async def test_a_cancelled_one_asks_for_its_undo_and_goes_on_until_it_is_done(waiting: Waiting) -> None:
    """So does the server when its day is terminated."""
    handle = await waiting.begin()
    await handle.signal(ByHand.done_signal, DO)
    await waiting.passes(1)
    await handle.cancel()
    await waiting.passes(60)
    assert waiting.minutes(EventKind.FAULT_ASKED) == [0, 1] and waiting.minutes(EventKind.FAULT_DIRTY) == [1.5]
    await handle.signal(ByHand.done_signal, UNDO)
    result = await handle.result()
    assert (result.outcome, result.reason) == (FaultOutcome.REVERTED, "cancelled")


async def test_a_word_for_the_wrong_half_proves_nothing(waiting: Waiting) -> None:
    """That it is undone before anybody asked for that; that it is done when its undo was asked for by then: it was on, and still is."""
    handle = await waiting.begin()
    await handle.signal(ByHand.done_signal, UNDO)
    await waiting.passes(11)
    await handle.signal(ByHand.done_signal, DO)
    await waiting.passes(60)
    assert waiting.minutes(EventKind.FAULT_DIRTY) == [15] and waiting.minutes(EventKind.FAULT_ENDED) == []
    await handle.signal(ByHand.done_signal, UNDO)
    result = await handle.result()
    assert result.outcome is FaultOutcome.REVERTED and waiting.minutes(EventKind.FAULT_ACTIVE) == [11]
