"""From `gameday run` to the first fault on, beside Chaos Toolkit on the same work."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from itertools import pairwise
from pathlib import Path

from activities.entry import Entry
from benchmarks import rival
from benchmarks.help import GAMEDAY, dearest
from benchmarks.place import Sleepers, day, warm_town
from benchmarks.table import Result, Row, spread
from gameday.event import EventKind
from gameday.record import RunRecord
from tests.rigs.town import Town

ROUNDS = 12
LIMIT = 0.6


async def measure() -> Result:
    """The day's baseline is one sample, so that its own pre-check is as short as one can be; it is shown, and subtracted."""
    ours: list[dict[str, float]] = []
    theirs: list[float] = []
    program = await asyncio.to_thread(rival.installed)
    async with warm_town() as built:
        sleepers = Sleepers(built.home)
        playbook = built.home / "bench.yaml"
        playbook.write_text(_text(built))
        try:
            for _ in range(ROUNDS + 1):
                ours.append(await _run(built, playbook))
                if program is not None:
                    began, frozen = await asyncio.to_thread(rival.freeze, program, built.home, sleepers)
                    theirs.append(frozen - began)
            imports = dearest(_argv(playbook), environment=_environment(built))
        finally:
            sleepers.close()
    del ours[0], theirs[:1]
    took = [at["the fault is on"] - at["exec"] - (at["pre-check is over"] - at["the server has the run"]) for at in ours]
    beside = f"which records nothing durably: {spread(theirs, 's')}" if theirs else "not measured (pip could not install it)"
    row = Row(
        "gameday run → first fault on, on a warm server, the playbook's own pre-check excluded",
        spread(took, "s"),
        f"Chaos Toolkit, {beside}",
        f"median under {LIMIT} s",
        statistics.median(took) < LIMIT,
    )
    steps = ", ".join(f"{after} +{statistics.median((at[after] - at[before]) * 1000 for at in ours):.0f}" for before, after in pairwise(ours[0]))
    notes = [f"of `gameday run`, median ms of each step: {steps}", f"its imports, the dearest with all that they import: {imports}"]
    return Result([row], notes)


def _text(built: Town) -> str:
    return day([built.home / "sleeper.pid"], "300ms").replace("PORT", str(built.port)).replace("GATE", "off")


def _argv(playbook: Path) -> list[str]:
    return [str(GAMEDAY), "run", str(playbook)]


def _environment(built: Town) -> dict[str, str]:
    return {**os.environ, "GAMEDAY_HOME": str(built.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{built.port}"}


async def _run(built: Town, playbook: Path) -> dict[str, float]:
    """One day, followed to its end. Returns when it came to what, in order."""
    before = _known(built)
    began = time.time()
    process = await asyncio.to_thread(
        subprocess.run, _argv(playbook), env=_environment(built), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    (folder,) = _known(built) - before
    entry = Entry(folder, (built.home / "keys" / "journal").read_bytes())
    record = built.record(entry.run_id)
    return {
        "exec": began,
        "the server has the run": _at(record, EventKind.RUN_STARTED),
        "pre-check is over": [*record.of(EventKind.PHASE_BEGAN)][1].at.timestamp(),
        "the fault's workflow has begun": _at(record, EventKind.FAULT_ARMED),
        "the fault is journaled": entry.data["armed_wall"],
        "the fault is on": (folder / "active").stat().st_ctime,
    }


def _known(built: Town) -> set[Path]:
    return {path.parent for path in built.journal.root.glob("f-*/entry")}


def _at(record: RunRecord, kind: EventKind) -> float:
    event = record.first(kind)
    assert event is not None, f"the record has no {kind}"
    return event.at.timestamp()
