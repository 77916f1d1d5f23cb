"""Writing a run's report, in a process of its own: drawing takes memory and the interpreter's lock, and a conductor has neither to spare."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from temporalio import activity

from activities.recorder import Recorder
from activities.store import RunStore
from gameday.errors import GamedayError
from gameday.orders import ReportOrder, ReportResult
from gameday.settings import load_settings


@dataclass
class Reporter:
    """The `report.write` activity: the report lies beside the store when it returns."""

    recorder: Recorder

    @activity.defn(name="report.write")
    async def write(self, order: ReportOrder) -> ReportResult:
        await self.recorder.written(20.0, order.run_id)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "worker.reporting", order.run_id, stdout=pipe, stderr=pipe)
        said, complained = await process.communicate()
        if process.returncode != 0:
            last = complained.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise GamedayError(f"the report could not be written: {last[0][:300]}")
        return ReportResult(path=said.decode().strip())


def main(run_id: str) -> None:
    """Writes the report of a run from the store, and prints its path."""
    from reports import postmortem

    settings = load_settings()
    store = RunStore(settings.store_url)
    record = store.read(run_id)
    print(postmortem.write(record, settings.home / "runs" / run_id, earlier=store.earlier(record.plan)))


if __name__ == "__main__":
    main(sys.argv[1])
