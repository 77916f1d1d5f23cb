"""Where it is measured: a town of real processes, days on its sleepers, and the times that its journal and Temporal kept."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from activities.entry import Entry
from tests.rigs.town import Town, town

DAY = """
name: bench-day
objective: How long does it take?
sampling: {every: 1s, timeout: 500ms, baseline: 0s, baseline_samples: 1, steady_samples: 1}
probes:
  up: {tcp: {host: 127.0.0.1, port: PORT, measure: ok}}
steady_state: ['up = 100 %']
abort_when: ['up is unknown for 60s']
gates: {inject: GATE}
blast_radius: {max_targets: 10}
scenarios:
  - title: Sleepers freeze
    hypothesis: Nobody minds
    faults:
FAULTS
    expect: ['up > 10 %']
    afterwards: {steady_for: 0s, recover_within: 10s}
"""


def day(pid_files: Sequence[Path], length: str) -> str:
    """The text of a day that pauses each of these processes."""
    lines = [
        f"      - {{name: frozen-{number}, inject: process.pause, on: {{host: local, pid_file: {path}}}, for: {length}}}"
        for number, path in enumerate(pid_files, 1)
    ]
    return DAY.replace("FAULTS", "\n".join(lines))


@asynccontextmanager
async def warm_town() -> AsyncIterator[Town]:
    """Server (with its database file), conductor and agent, after one whole day: everything is imported and has worked once."""
    with tempfile.TemporaryDirectory(prefix="gameday-bench-") as home:
        async with town(Path(home), "temporal", "worker", "agent") as built:
            handle = await built.begin(built.day(text=day([built.home / "sleeper.pid"], "200ms")))
            await asyncio.wait_for(handle.result(), 90)
            yield built


@dataclass
class Sleepers:
    """Processes that do nothing, to be frozen."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    pid_files: list[Path] = field(default_factory=list)

    def add(self, count: int) -> None:
        for _ in range(count):
            process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            path = self.folder / f"sleeper-{process.pid}.pid"
            path.write_text(str(process.pid))
            self.processes.append(process)
            self.pid_files.append(path)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def entries(built: Town, run_id: str) -> list[Entry]:
    """What the host's journal holds of a run's faults that are on."""
    return [entry for entry in built.journal.live() if entry.run_id == run_id and entry.marked("active")]


@dataclass(frozen=True)
class Proof:
    """How one fault ended on its host, in seconds since the epoch. `own` is what the injector's revert and read-back took."""

    verified: float
    own: float
    buried: float

    @property
    def began(self) -> float:
        """When the revert's own work began."""
        return self.verified - self.own

    def stages(self) -> dict[str, float]:
        return {"revert begins": self.began, "verified": self.verified, "on disk": self.buried}


def proof(entry: Entry) -> Proof:
    status = entry.tombstone
    assert status is not None, f"{entry.fault_id} is still on"
    on_disk = (entry.folder / "tombstone").stat().st_ctime
    return Proof(datetime.fromisoformat(status["at"]).timestamp(), status["took_ms"] / 1000, on_disk)


async def stages(handle: WorkflowHandle[Any, Any], activity: str) -> dict[str, float]:
    """When the server accepted the last Update of a workflow, and scheduled and started an activity of it."""
    found: dict[str, float] = {}
    wanted = 0
    async for event in handle.fetch_history_events():
        at = event.event_time.ToNanoseconds() / 1e9
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            found["accepted"] = at
        if event.activity_task_scheduled_event_attributes.activity_type.name == activity:
            found["scheduled"], wanted = at, event.event_id
        if wanted and event.activity_task_started_event_attributes.scheduled_event_id == wanted:
            found["started"] = at
    return found
