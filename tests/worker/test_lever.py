"""The lever: everything off, and nothing new until it is released, whoever is dead."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from activities import halted
from gameday.errors import Refused
from gameday.event import EventKind
from gameday.halt import EVERYWHERE, HERE
from tests.rigs.town import ROOT, Town, town
from worker import lever

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path / "home", "temporal", "worker", "agent") as built:
        yield built


async def gameday(place: Town, *words: str) -> tuple[int, str, str]:
    """The real command, in this home; its exit status and what it said."""
    environment = os.environ | {"GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}"}
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gameday", *words, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe)
    said, complained = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode or 0, said.decode(), complained.decode()


def refused(place: Town, scope: str) -> bool:
    return (place.journal.root / f".halted-{scope}").exists()


async def test_halt_with_every_conductor_dead_takes_everything_off_and_lets_nothing_begin(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("worker")
    code, said, _ = await gameday(place, "halt", "-r", "smoke in the hall", "--json")
    told: dict[str, Any] = json.loads(said)
    assert code == 0 and place.is_clean
    assert [status["outcome"] for status in told["hosts"]["local"]["statuses"]] == ["reverted"]
    assert told["runs"] == {handle.id: "told to end"}
    assert refused(place, EVERYWHERE)
    with pytest.raises(Refused, match="smoke in the hall"):
        await place.begin(place.day())
    code, said, _ = await gameday(place, "halt", "-r", "again")
    assert code == 0 and "it was halted already" in said and "smoke in the hall" in said and "nothing was on" in said
    code, said, _ = await gameday(place, "doctor")
    assert "all game days are halted by" in said and "gameday halt --release" in said
    place.start("worker")
    result = await asyncio.wait_for(handle.result(), 90)
    assert result.outcome == "aborted" and "smoke in the hall" in result.reason
    assert place.record(handle.id).first(EventKind.ABORTED)
    code, said, _ = await gameday(place, "halt", "--release")
    assert code == 0 and "smoke in the hall" in said
    await place.until(lambda: not refused(place, EVERYWHERE), "the host hears of the release")
    assert (await (await place.begin(place.day(length="300ms"))).result()).outcome == "passed"
    assert await gameday(place, "halt", "--release") == (0, "nothing is halted; nothing was changed\n", "")


async def test_a_host_that_was_not_there_heeds_the_lever_when_it_is_back(place: Town) -> None:
    handle = await place.frozen_day()
    place.kill("agent")
    code, said, _ = await gameday(place, "halt", "-r", "smoke")
    assert code == 5 and "no agent took it" in said
    place.start("agent")
    await place.until(lambda: place.is_clean and refused(place, EVERYWHERE), "the agent has heard of it")
    result = await asyncio.wait_for(handle.result(), 90)
    assert result.outcome == "aborted"
    await lever.release(await place.client(), "Ada", "over")


async def test_one_host_is_halted_with_no_control_plane_at_all(place: Town) -> None:
    await place.frozen_day()
    place.kill("temporal", "worker", "agent")
    place.kill_watchdog()
    code, said, _ = await gameday(place, "halt", "--local", "-r", "smoke")
    assert code == 0 and place.is_clean
    assert "1 fault off, read back" in said and refused(place, HERE)
    with pytest.raises(Refused, match=r"smoke; `gameday halt --local --release`"):
        halted.refuse(place.journal.root)
    assert await gameday(place, "halt", "--local", "--release") == (0, "local takes faults again\n", "")
    halted.refuse(place.journal.root)


async def test_halt_without_temporal_halts_this_machine_and_says_what_is_left_to_do(place: Town) -> None:
    await place.frozen_day()
    place.kill("temporal")
    code, said, complained = await gameday(place, "halt", "-r", "smoke")
    assert code == 5 and place.is_clean and refused(place, HERE)
    assert "`gameday halt --local` on every other host" in complained
    assert "1 fault off, read back" in said
    place.start("temporal")
    await gameday(place, "halt", "--local", "--release")
