"""Reverts of many runs share few processes, and one that hangs or dies holds up nobody for long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities import operators as module
from activities.operators import Operators
from gameday.errors import Unavailable

# Stands in for an operation: it answers with its own pid as the reason. A fault called hang is never answered, one called die ends it.
PROGRAM = """
import json, os, sys
while line := sys.stdin.readline():
    faults = json.loads(line)["reasons"]
    if "hang" in faults:
        sys.stdin.read()  # until nobody wants its answer any more
        break
    if "die" in faults:
        os._exit(1)
    print(json.dumps({"statuses": [{"fault_id": each, "reason": str(os.getpid())} for each in faults]}), flush=True)
"""


@pytest.fixture
async def operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Operators]:
    monkeypatch.setattr(module, "bare_python", lambda _: [sys.executable, "-S", "-c", PROGRAM])
    monkeypatch.setattr(module, "NEXT_LANE", 0.05)
    built = Operators(tmp_path)
    yield built
    for task in [*built._at_work]:
        task.cancel()
    await built.close()


async def off(operators: Operators, *faults: str) -> set[str]:
    """Takes faults off. Returns the processes that did it."""
    return {status["reason"] for status in await operators.revert_together(dict.fromkeys(faults, "the test says so"))}


async def test_what_comes_one_after_the_other_is_done_by_one_process(operators: Operators) -> None:
    used = [await off(operators, f"f-{number}") for number in range(4)]
    assert len(set.union(*used)) == 1


async def test_what_comes_at_once_shares_few_processes(operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEXT_LANE", 60.0)
    monkeypatch.setattr(module, "COURTESY", 0.2)
    used = await asyncio.gather(*(off(operators, f"f-{number}", f"g-{number}") for number in range(30)))
    assert len(set.union(*used)) <= module.LANES


async def test_what_hangs_in_every_lane_holds_up_no_other(operators: Operators) -> None:
    """What is in one batch with it waits for its fault's own revert, which shares its process with none."""
    hanging = []
    for _ in range(module.LANES):
        hanging.append(asyncio.create_task(off(operators, "hang")))
        await asyncio.sleep(0)
        while not operators._asked.empty():  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.01)
    assert len(await off(operators, "f-1")) == 1
    for task in hanging:
        assert not task.done()
        task.cancel()


async def test_a_process_that_dies_is_told_and_replaced(operators: Operators) -> None:
    with pytest.raises(Unavailable, match="ended from outside"):
        await off(operators, "die")
    assert len(await off(operators, "f-1")) == 1


async def test_an_answer_waits_for_a_crowd_but_not_for_ever(operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GAP", 60.0)
    monkeypatch.setattr(module, "COURTESY", 0.5)
    asked = [asyncio.create_task(off(operators, f"f-{number}")) for number in range(module.CROWD)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert all(len(each) == 1 for each in await asyncio.gather(*asked))


async def test_whoever_waits_for_quiet_waits_for_no_idle_lane(operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGERS", 1000.0)
    await off(operators, "f-1")
    await operators.close()
    assert len(await off(operators, "f-2")) == 1, "and takes off what comes after it"
    await operators.close()
