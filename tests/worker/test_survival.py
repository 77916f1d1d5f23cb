"""Nothing outlives its game day, whatever dies: rows of the fault-survival matrix, on a real Temporal server and real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.command.v1 import Command as CMD
from temporalio.api.command.v1 import FailWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1 import CommandType
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, RespondWorkflowTaskCompletedRequest
from temporalio.client import WorkflowExecutionStatus

from gameday.commands import Command, Verb
from gameday.event import EventKind
from gameday.queues import CONDUCTOR_QUEUE
from tests.rigs.town import ADA, DAY, Town, town
from worker import client as talking

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path / "home", "temporal", "worker", "agent") as built:
        yield built


async def test_the_conductor_is_killed_then_a_human_aborts(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("worker")
    asking = asyncio.create_task(place.tell(handle, Verb.ABORT, reason="enough"))
    await asyncio.sleep(0.5)
    place.start("worker")
    await place.until(lambda: place.is_clean, "reverted after the abort")
    assert not place.late()
    await asking
    result = await handle.result()
    assert result.outcome == "aborted" and Path(result.report).is_file()


async def test_the_conductor_is_killed_for_good_and_nobody_aborts(place: Town) -> None:
    """Its faults end by their leases; when a conductor comes back, the run goes on from there and ends with a report."""
    handle = await place.frozen_day()
    place.kill("worker")
    await place.until(lambda: place.is_clean, "it expired", seconds=60)
    assert not place.late()
    place.start("worker")
    result = await asyncio.wait_for(talking.outcome(handle, handle.id), 90)
    assert [story.outcome for story in place.record(result.run_id).faults()] == ["expired"]
    assert Path(result.report).is_file()


async def test_the_agent_is_killed_and_nobody_starts_it_again(place: Town) -> None:
    """The watchdog takes the fault off; no agent is there to prove it, and the day says so. The next agent proves it."""
    handle = await place.frozen_day()
    place.kill("agent")
    await place.until(lambda: place.is_clean, "the watchdog reverted", seconds=60)
    assert not place.late()
    await place.tell(handle, Verb.ABORT, reason="the agent is gone")
    result = await asyncio.wait_for(handle.result(), 120)
    assert result.outcome == "dirty" and "the agent of local gave no proof" in Path(result.report).read_text()
    place.start("agent")
    await place.until(lambda: place.record(result.run_id).faults()[0].outcome == "expired", "its proof")


async def test_the_agent_is_killed_and_started_again_and_the_fault_goes_on(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("agent")
    place.start("agent")
    await asyncio.sleep(20)  # longer than a lease: it was renewed by the new agent
    assert place.is_frozen
    await place.tell(handle, Verb.ABORT)
    await place.until(lambda: place.is_clean, "reverted after the abort")


async def test_the_watchdog_is_killed(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill_watchdog()
    await place.until(lambda: place.is_clean, "the agent noticed and reverted", seconds=60)
    assert not place.late()
    result = await handle.result()
    assert place.record(result.run_id).faults()[0].outcome == "reverted"
    assert "its watchdog had died" in Path(result.report).read_text()


async def test_temporal_is_away_for_longer_than_the_lease(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("temporal")
    await place.until(lambda: place.is_clean, "the fault expired on its own", seconds=60)
    assert not place.late()
    place.start("temporal")
    result = await asyncio.wait_for(talking.outcome(handle, handle.id), 90)
    record = place.record(result.run_id)
    assert [story.outcome for story in record.faults()] == ["expired"]
    assert not place.is_frozen, "never injected again"
    assert Path(result.report).is_file()


async def test_temporal_is_away_for_shorter_than_the_lease(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("temporal")
    await asyncio.sleep(4)
    assert place.is_frozen
    place.start("temporal")
    await place.client()
    await asyncio.sleep(1)
    await place.tell(handle, Verb.ABORT)
    await place.until(lambda: place.is_clean, "reverted after the abort")
    assert not place.late()


async def test_everything_is_killed_at_once_and_an_agent_alone_starts(place: Town) -> None:
    await place.frozen_day()
    place.kill("worker", "agent", "temporal")
    place.kill_watchdog()
    assert place.is_frozen, "only a kernel-held fault would have ended unaided"
    place.start("agent")
    await place.until(lambda: place.is_clean, "the agent's start took it off", seconds=60)


async def test_everything_is_killed_at_once_and_starts_again(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("worker", "agent", "temporal")
    place.kill_watchdog()
    place.start("temporal", "worker", "agent")
    await place.client()
    await place.tell(handle, Verb.ABORT)
    await place.until(lambda: place.is_clean, "reverted")
    result = await talking.outcome(handle, handle.id)
    assert result.outcome == "aborted" and Path(result.report).is_file()


@pytest.mark.parametrize("how", ["terminate", "cancel", "reset", "delete"])
async def test_the_parent_is_ended_from_outside(place: Town, how: str) -> None:
    handle = await place.frozen_day()
    if how == "terminate":
        await handle.terminate("by a test")
    elif how == "cancel":
        await handle.cancel()
    elif how == "delete":
        await _delete(place, handle.id)
    else:
        await _reset(place, handle.id)
    await place.until(lambda: place.is_clean, f"reverted after {how}", seconds=60)
    assert not place.late()
    (tombstone,) = (json.loads(path.read_bytes()) for path in place.journal.root.glob("f-*/tombstone"))
    assert tombstone["outcome"] == "reverted" and "lease" not in tombstone["reason"], "whoever notices is quicker than its lease"


async def test_the_parent_is_timed_out(place: Town) -> None:
    """Whoever starts the workflow by other means may give it a time limit."""
    made, client = place.day(), await place.client()
    await client.start_workflow("GameDay", made, id=made.run_id, task_queue=CONDUCTOR_QUEUE, execution_timeout=timedelta(seconds=20))
    await place.until(lambda: place.is_frozen, "the sleeper is frozen")
    await place.until(lambda: place.is_clean, "reverted after the time-out", seconds=60)
    described = await client.get_workflow_handle(made.run_id).describe()
    assert described.status is WorkflowExecutionStatus.TIMED_OUT


async def test_the_parent_fails(place: Town) -> None:
    """A conductor with a mistake in it: simulated by one that answers the next workflow task with the failure of the run."""
    handle = await place.frozen_day()
    place.kill("worker")
    client = await place.client()
    await handle.signal("abort", Command(verb=Verb.ABORT, id="any", actor=ADA))  # gives it something to do
    failed = False
    while not failed:
        poll = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=CONDUCTOR_QUEUE), identity="broken")
        task = await client.workflow_service.poll_workflow_task_queue(poll, timeout=timedelta(seconds=70))
        if not task.task_token:
            continue
        fail = CMD(
            command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
            fail_workflow_execution_command_attributes=FailWorkflowExecutionCommandAttributes(failure=Failure(message="a mistake")),
        )
        commands = [fail] if task.workflow_execution.workflow_id == handle.id else []
        failed = bool(commands)
        done = RespondWorkflowTaskCompletedRequest(task_token=task.task_token, identity="broken", commands=commands)
        await client.workflow_service.respond_workflow_task_completed(done)
    place.start("worker")
    await place.until(lambda: place.is_clean, "reverted after the failure", seconds=60)
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED


async def test_the_watchdog_is_frozen_and_the_agent_is_dead(place: Town) -> None:
    """An agent's start ends a watchdog that does not beat, and starts one that does."""
    await place.frozen_day()
    place.kill("agent", "worker", "temporal")
    beat = json.loads((place.journal.root / ".watchdog").read_bytes())
    os.kill(beat["pid"], signal.SIGSTOP)
    await asyncio.sleep(16)  # longer than the lease
    assert place.is_frozen, "nobody was there to take it off"
    place.start("agent")
    await place.until(lambda: place.is_clean, "the agent's start took it off", seconds=20)


async def _delete(place: Town, workflow_id: str) -> None:
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

    client = await place.client()
    request = DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=WorkflowExecution(workflow_id=workflow_id))
    await client.workflow_service.delete_workflow_execution(request)


async def _reset(place: Town, workflow_id: str) -> None:
    """Back to its first task: the new run knows nothing of the fault, and has its own to come."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest, TerminateWorkflowExecutionRequest

    client = await place.client()
    execution = WorkflowExecution(workflow_id=workflow_id)
    reset = ResetWorkflowExecutionRequest(
        namespace="default", workflow_execution=execution, reason="test", workflow_task_finish_event_id=4, request_id="r"
    )
    await client.workflow_service.reset_workflow_execution(reset)
    end = TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=execution, reason="and then ended")
    await client.workflow_service.terminate_workflow_execution(end)


@pytest.mark.parametrize("point", ["kill9@after_journal:ONCE", "kill9@mid_inject:ONCE", "kill9@after_inject:ONCE", "freeze@mid_inject:ONCE"])
async def test_the_operation_dies_or_freezes_during_inject(tmp_path: Path, point: str) -> None:
    """The retry adopts or resumes: one fault exists, and it comes off."""
    assert await _played(tmp_path, point) == ("passed", 1)


@pytest.mark.parametrize("point", ["kill9@mid_inject", "freeze@mid_inject"])
async def test_every_operation_dies_or_freezes_during_inject(tmp_path: Path, point: str) -> None:
    """Nothing is applied late: what was begun is taken back, and the day says that it was no day as planned."""
    assert await _played(tmp_path, point) == ("error", 0)


async def _played(tmp_path: Path, point: str) -> tuple[str, int]:
    """How a day ended whose agent has this failpoint, and how often its fault was on."""
    async with town(tmp_path / "home", "temporal", "worker") as place:
        place.start("agent", failpoint=point)
        handle = await place.begin(place.day(length="3s"))
        result = await asyncio.wait_for(handle.result(), 120)
        await place.until(lambda: place.is_clean, "nothing is left")
        return str(result.outcome), len(list(place.record(result.run_id).of(EventKind.FAULT_ACTIVE)))


async def test_the_agent_is_frozen_past_its_lease_and_continued(place: Town) -> None:
    """It was fenced: the watchdog ended the fault, and what the agent does late changes nothing."""
    handle = await place.frozen_day()
    place.processes["agent"].send_signal(signal.SIGSTOP)
    await place.until(lambda: place.is_clean, "the watchdog reverted", seconds=60)
    assert not place.late()
    place.processes["agent"].send_signal(signal.SIGCONT)
    result = await asyncio.wait_for(handle.result(), 90)
    assert place.is_clean
    assert [story.outcome for story in place.record(result.run_id).faults()] == ["expired"]


async def test_two_runs_want_the_same_target(place: Town) -> None:
    first = await place.frozen_day()
    second = await place.begin(place.day())
    result = await second.result()
    assert result.outcome == "stood-down"
    failed = place.record(result.run_id).first(EventKind.FAULT_FAILED)
    assert failed is not None and f"held by the fault 'frozen' of run {first.id}" in failed.text("reason")
    assert place.is_frozen, "the first run's fault is its own"
    await place.tell(first, Verb.ABORT)
    await place.until(lambda: place.is_clean, "reverted")


STUCK = DAY.replace(
    "{name: frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: LENGTH}",
    "{name: stuck, inject: command, with: {name: flip}, for: 300ms}",
)


async def test_the_targets_own_service_refuses_the_revert(tmp_path: Path) -> None:
    """Retried for ever: the day ends dirty and says so, the claim stays; once the service is mended the fault comes off by itself."""
    state = tmp_path / "state"
    state.mkdir()
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f"[commands.flip]\ndo = ['touch', '{state}/on']\n"
        f"undo = ['sh', '-c', 'test -e {state}/mended && rm -f {state}/on']\ncheck = ['test', '-e', '{state}/on']\n"
    )
    async with town(tmp_path / "home", "temporal", "worker") as place:
        place.environment["GAMEDAY_SETTINGS"] = str(settings)
        place.start("agent")
        handle = await place.begin(place.day(text=STUCK))
        result = await asyncio.wait_for(handle.result(), 120)
        assert (result.outcome, result.exit_code) == ("dirty", 6)
        dirty = place.record(result.run_id).first(EventKind.FAULT_DIRTY)
        assert dirty is not None and "the undo of 'flip' failed with status 1" in str(dirty.data["problems"])
        assert place.journal.live(), "the claim on the target stays"
        (state / "mended").touch()
        await place.until(lambda: not place.journal.live(), "it came off once the service was mended")
        assert not (state / "on").exists()


async def test_a_journal_entry_that_was_tampered_with_is_never_executed(place: Town) -> None:
    """Where nobody had read it before, nobody knows any more what is to be undone: the target is left to people, the day ends dirty and says so."""
    handle = await place.frozen_day()
    beat = json.loads((place.journal.root / ".watchdog").read_bytes())
    os.kill(int(beat["pid"]), signal.SIGSTOP)  # it has read it, and would end it as it was
    (entry,) = place.journal.live()
    path = entry.folder / "entry"
    path.write_bytes(path.read_bytes().replace(b"process.pause", b"process.paus3"))
    await place.tell(handle, Verb.ABORT, reason="stop")
    result = await asyncio.wait_for(handle.result(), 120)
    assert (result.outcome, result.exit_code) == ("dirty", 6)
    dirty = place.record(result.run_id).first(EventKind.FAULT_DIRTY)
    assert dirty is not None and "it is never executed. Look at the target by hand" in str(dirty.data["problems"])
    assert place.is_frozen and place.journal.live()
    place.sleeper.send_signal(signal.SIGCONT)
