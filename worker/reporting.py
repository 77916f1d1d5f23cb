"""Writing a run's report, in a process of its own: drawing takes memory and the interpreter's lock, and a conductor has neither to spare."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from temporalio import activity

from activities.recorder import Recorder
from activities.store import RunStore
from gameday.orders import ReportOrder, ReportResult
from gameday.settings import load_settings
from worker.afterwards import write_report


@dataclass
class Reporter:
    """The `report.write` activity: the report lies beside the store when it returns."""

    recorder: Recorder

    @activity.defn(name="report.write")
    async def write(self, order: ReportOrder) -> ReportResult:
        await self.recorder.written(20.0, order.run_id)
        return ReportResult(path=await write_report(order.run_id))


def main(run_id: str) -> None:
    """Writes the report of a run from the store, and prints its path."""
    from reports import postmortem

    settings = load_settings()
    store = RunStore(settings.store_url)
    record = store.read(run_id)
    print(postmortem.write(record, settings.home / "runs" / run_id, earlier=store.earlier(record.plan)))


if __name__ == "__main__":
    main(sys.argv[1])
