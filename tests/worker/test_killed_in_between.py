"""Whoever dies while a fault is being armed, put on or taken off: the fault comes off in time, and the day ends with its report.

The operation is frozen at a named point, so that the kill falls between two of its steps, whatever the machine's speed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gameday.orders import DayResult
from tests.rigs.town import Town, town
from worker import client as talking

pytestmark = pytest.mark.timeout(180)
ALL = ("temporal", "worker", "agent")


async def _killed(tmp_path: Path, point: str, names: tuple[str, ...]) -> tuple[Town, DayResult]:
    """A day on which these die while an operation stands still at a point; what has died is started again."""
    async with town(tmp_path / "home", "temporal", "worker") as place:
        place.start("agent", failpoint=f"freeze@{point}:ONCE")
        handle = await place.begin(place.day(length="2s"))
        await place.until((place.home / "failpoint").exists, f"an operation stands at {point}")
        for name in names:
            if name == "watchdog":
                place.kill_watchdog()
            else:
                place.kill(name)
        place.start(*(name for name in ALL if name in names))
        result = await asyncio.wait_for(talking.outcome(handle, handle.id), 150)
        await place.until(lambda: place.is_clean, "nothing is left")
        return place, result


ENDS = {
    ("reverted", True): {"passed", "failed", "error"},
    ("expired", True): {"passed", "failed", "error"},
    ("reverted", False): {"error"},
    ("expired", False): {"error"},
    ("not-injected", False): {"stood-down"},
}
"""How a day may end by how its fault did, and whether that was on: failed where nobody could watch it."""
WHO = {"conductor": ("worker",), "agent": ("agent",), "watchdog": ("watchdog",), "server": ("temporal",), "all": (*ALL, "watchdog")}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("point", ["after_journal", "mid_inject", "mid_revert"])
async def test_who_is_killed_in_between(tmp_path: Path, point: str, who: str) -> None:
    place, result = await _killed(tmp_path, point, WHO[who])
    record = place.record(result.run_id)
    assert not place.late()
    (fault,) = record.faults()
    assert fault.outcome in ("reverted", "expired", "not-injected")
    assert str(result.outcome) in ENDS[fault.outcome, fault.active_at is not None], "what was on is told as on"
    assert Path(result.report).is_file()
