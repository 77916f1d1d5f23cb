"""A town whose processes serve, and what has been told of a run in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from gameday.commands import Actor, Verb
from gameday.errors import NotFound
from gameday.event import EventKind
from gameday.orders import DayResult, LiveState
from gameday.playbook import Role
from tests.rigs.town import DAY, Town, town
from tests.workflows.stand_ins import SETTINGS, StandIns, stand_ins
from worker import client as talking

TWO = DAY.replace("name: town-day", "name: two-scenarios") + (
    "  - title: Again\n    hypothesis: The same\n    faults:\n"
    "      - {name: second, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: 400ms}\n"
    "    afterwards: {steady_for: 0s, recover_within: 10s}\n"
)
ELSEWHERE = DAY.replace("{host: local, pid_file: PIDFILE}", "{host: east, process: shop}")
"""The same on a host that is only played."""
GATE = "{timeout: 60s}"
LINUS = Actor(id="os:linus", name="Linus", role=Role.RESPONDER)


@pytest.fixture
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town"), "temporal", "worker", "agent") as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town"), "temporal") as built:
        (built.home / "settings.toml").write_text(SETTINGS)
        built.start("worker", "agent")
        yield built


@pytest.fixture
async def shared(standing: Town) -> AsyncIterator[Town]:
    """The one town of a file whose tests kill nothing. What a test leaves running is aborted."""
    yield standing
    await abort_all(standing)


@pytest.fixture
async def played(shared: Town) -> AsyncIterator[StandIns]:
    async with stand_ins(await shared.client()) as hosts:
        yield hosts
        await abort_all(shared)


async def abort_all(place: Town) -> None:
    client = await place.client()
    async for run in client.list_workflows("WorkflowType = 'GameDay' AND ExecutionStatus = 'Running'"):
        handle = client.get_workflow_handle(run.id, result_type=DayResult)
        await place.tell(handle, Verb.ABORT, reason="the test is over")
        await handle.result()


class Door:
    """A port at which something listens, or not."""

    def __init__(self) -> None:
        self.port = 0
        self.server: asyncio.Server | None = None

    async def open(self) -> None:
        self.server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
            self.server = None


def kinds_of(place: Town, run_id: str) -> list[EventKind]:
    return [event.kind for event in place.record(run_id).events]


def told(place: Town, run_id: str) -> list[EventKind]:
    try:
        return kinds_of(place, run_id)
    except NotFound:
        return []


def active(place: Town, run_id: str) -> list[str]:
    """The names of the faults that have been on by now."""
    with contextlib.suppress(NotFound):
        return [event.text("name") for event in place.record(run_id).of(EventKind.FAULT_ACTIVE)]
    return []


async def sees(place: Town, run_id: str, holds: Callable[[LiveState], bool], what: str) -> LiveState:
    """The first live view of a run of which this holds."""
    for _ in range(600):
        state = await talking.look(await place.client(), run_id)
        if state is not None and holds(state):
            return state
        await asyncio.sleep(0.05)
    raise AssertionError(f"never seen: {what}")


async def at_gate(place: Town, run_id: str, name: str = "") -> LiveState:
    """Where a run is when it waits for a go (at the gate of this name)."""
    return await sees(place, run_id, lambda state: bool(state.gate) and name in ("", state.gate), f"the gate {name}")


async def all_on(place: Town, run_id: str) -> LiveState:
    """Where a run is when it knows that every fault of its scenario is on."""
    return await sees(place, run_id, lambda state: {fault.state for fault in state.faults} == {"active"}, "every fault is on")
