"""What an idle conductor and agent keep in memory, before their first day and after one."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import psutil

from benchmarks.place import day
from benchmarks.table import Result, Row
from tests.rigs.town import Town, town

LIMIT_MB = 150
SETTLED = 4.0
"""Seconds after which a process counts as idle."""


async def measure() -> Result:
    with tempfile.TemporaryDirectory(prefix="gameday-bench-") as home:
        async with town(Path(home), "temporal", "worker", "agent") as built:
            await _served(built)
            rows = [_row(built, name, "idle, before its first day") for name in ("worker", "agent")]
            handle = await built.begin(built.day(text=day([built.home / "sleeper.pid"], "200ms")))
            await asyncio.wait_for(handle.result(), 90)
            await asyncio.sleep(SETTLED)
            rows += [_row(built, name, "idle, after a day") for name in ("worker", "agent")]
    return Result(rows)


async def _served(built: Town) -> None:
    """Both have come up; then they get time to settle."""
    await built.until(lambda: all(_mb(built.processes[name].pid)["Rss"] > 60 for name in ("worker", "agent")), "both are up")
    await asyncio.sleep(SETTLED)


def _row(built: Town, name: str, when: str) -> Row:
    process = psutil.Process(built.processes[name].pid)
    own = _mb(process.pid)
    helpers = [_mb(child.pid)["Pss"] for child in process.children(recursive=True)]
    beside = f"Pss {own['Pss']:.0f} MB" + (f"; {len(helpers)} waiting helper, Pss {sum(helpers):.0f} MB" if helpers else "")
    label = "conductor" if name == "worker" else name
    return Row(f"{label}, {when}", f"Rss {own['Rss']:.0f} MB", beside, f"under {LIMIT_MB} MB", own["Rss"] < LIMIT_MB)


def _mb(pid: int) -> dict[str, float]:
    """Source: proc_pid_smaps_rollup(5); sizes in MB of 10^6 bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(size.split()[0]) * 1024 / 1e6 for name, _, size in (line.partition(":") for line in lines)}
