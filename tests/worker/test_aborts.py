"""Abort, at every moment and through everything: rows of the fault-survival matrix, on a real Temporal server and real processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from gameday.commands import Verb
from gameday.errors import NotFound
from gameday.event import EventKind
from tests.rigs.town import DAY, ROOT, Town, town
from worker import client as talking

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path / "home", "temporal", "worker", "agent") as built:
        yield built


def told(place: Town, run_id: str, kind: EventKind) -> int:
    """How many events of a kind the record has by now."""
    try:
        return len(list(place.record(run_id).of(kind)))
    except NotFound:
        return 0


async def test_fifty_aborts_at_once_through_a_restart_of_the_server(place: Town) -> None:
    """One abort, one revert, and every caller is told something: also those whom nobody could answer at first."""
    handle = await place.frozen_day()
    place.kill("temporal")
    asking = [asyncio.create_task(place.tell(handle, Verb.ABORT, reason=f"caller {number}")) for number in range(50)]
    await asyncio.sleep(1)
    place.start("temporal")
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(answer, str) and answer for answer in answers), [answer for answer in answers if not isinstance(answer, str)]
    result = await asyncio.wait_for(talking.outcome(handle, handle.id), 90)
    assert result.outcome == "aborted" and place.is_clean
    assert told(place, handle.id, EventKind.ABORTED) == 1
    assert told(place, handle.id, EventKind.FAULT_ENDED) == 1
    assert "the run is over: aborted" in await place.tell(handle, Verb.ABORT, reason="late")


async def test_an_abort_that_no_conductor_answers_is_sent_as_a_signal_and_kept(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("worker")
    answer = await place.tell(handle, Verb.ABORT, reason="nobody there")
    assert "the abort is sent" in answer
    place.start("worker")
    result = await asyncio.wait_for(talking.outcome(handle, handle.id), 90)
    assert (result.outcome, result.reason) == ("aborted", "nobody there")
    assert place.is_clean


SLOW = DAY.replace(
    "{name: frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: LENGTH}",
    "{name: slow, inject: command, with: {name: slowly}, for: 60s}",
)


async def test_abort_during_inject_and_the_step_undoes_itself(tmp_path: Path) -> None:
    """The command has begun and is not done: it is ended, and what it did so far is undone. Its settings are younger than the agent."""
    lamp = tmp_path / "lamp"
    settings = tmp_path / "settings.toml"
    settings.write_text("")
    async with town(tmp_path / "home", "temporal", "worker") as place:
        place.environment["GAMEDAY_SETTINGS"] = str(settings)
        place.start("agent")
        await place.until(psutil.Process(place.processes["agent"].pid).children, "the agent is up: it has a process for operations")
        settings.write_text(
            f"[commands.slowly]\ndo = ['sh', '-c', 'touch {lamp}; sleep 30']\nundo = ['rm', '-f', '{lamp}']\ncheck = ['test', '-e', '{lamp}']\n"
        )
        handle = await place.begin(place.day(text=SLOW))
        await place.until(lamp.exists, "half of the change is made")
        await place.tell(handle, Verb.ABORT, reason="stop")
        result = await asyncio.wait_for(handle.result(), 120)
        assert result.outcome == "aborted"
        assert not lamp.exists() and not place.journal.live()
        assert told(place, handle.id, EventKind.FAULT_ACTIVE) == 0


async def test_abort_during_recover_reverts_nothing_a_second_time(place: Town) -> None:
    text = DAY.replace("steady_for: 0s, recover_within: 10s", "steady_for: 60s, recover_within: 60s")
    handle = await place.begin(place.day(length="500ms", text=text))
    await place.until(lambda: told(place, handle.id, EventKind.FAULT_ENDED) == 1, "the fault is off, recovery is watched")
    await place.tell(handle, Verb.ABORT, reason="seen enough")
    result = await asyncio.wait_for(handle.result(), 90)
    assert (result.outcome, result.reason) == ("aborted", "seen enough")
    assert told(place, handle.id, EventKind.FAULT_REVERTING) == told(place, handle.id, EventKind.FAULT_ENDED) == 1
    assert place.is_clean


async def test_abort_needs_no_store(place: Town) -> None:
    """`gameday abort` with the whole id, while the store is down and the settings are wrong: it reaches the run, and the fault comes off."""
    handle = await place.frozen_day()
    store = place.home / "gameday.db"
    store.rename(place.home / "away.db")
    store.mkdir()  # what is at its place now is no database
    (place.home / "settings.toml").write_text("hosts = [")
    environment = {**os.environ, "GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}"}
    argv = [sys.executable, "-m", "gameday", "abort", handle.id, "-r", "in the dark"]
    told = await asyncio.create_subprocess_exec(*argv, env=environment, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said, _ = await told.communicate()
    (place.home / "settings.toml").unlink()
    assert (told.returncode, said.decode()) == (0, "aborting: everything is taken off and read back\n")
    await place.until(lambda: place.is_clean, "reverted without a store", seconds=15)
    store.rmdir()
    (place.home / "away.db").rename(store)
    result = await asyncio.wait_for(handle.result(), 90)
    assert (result.outcome, result.reason) == ("aborted", "in the dark")
