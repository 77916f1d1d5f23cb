"""A run's diary: facts are told at once and written beside the work, never in its way."""

from __future__ import annotations

import asyncio
from collections import Counter

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from gameday.event import Event, EventKind, event_id
    from gameday.orders import WriteOrder
    from gameday.plan import Plan
    from workflows.fault import RECORD_PATIENCE, write_events
    from workflows.shield import shielded


class Diary:
    """Tells and writes the events of one run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._outbox: list[Event] = []
        self._counts: Counter[str] = Counter()
        self._opened = False
        self._writing: asyncio.Task[None] | None = None
        self.waits = False
        """Nothing is written for now, since what is urgent has the server for itself."""

    def start(self) -> None:
        self._writing = asyncio.create_task(self._write())

    def tell(self, kind: EventKind, /, scenario: int | None = None, fault: str | None = None, actor: str | None = None, **data: object) -> None:
        self._counts[kind] += 1
        self._outbox.append(
            Event.model_validate(
                {
                    "id": event_id(self._plan.run_id, kind, "day", self._counts[kind]),
                    "run_id": self._plan.run_id,
                    "at": workflow.now(),
                    "kind": kind,
                    "scenario": scenario,
                    "fault": fault,
                    "actor": actor,
                    "data": data,
                }
            )
        )

    async def written(self) -> bool:
        """Waits until all that was told is written. Returns False when patience ran out."""
        try:
            await workflow.wait_condition(lambda: not self._outbox, timeout=RECORD_PATIENCE)
        except TimeoutError:
            return False
        return True

    async def _write(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._outbox) and not self.waits)
            await asyncio.sleep(0)  # no timer: all that is told in one step goes together, and what is told during a write goes with the next
            batch = tuple(self._outbox)
            await shielded(write_events(WriteOrder(events=batch, plan=None if self._opened else self._plan)))
            self._opened = True
            del self._outbox[: len(batch)]
