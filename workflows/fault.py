"""One fault, with a revert that nothing can take from it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from gameday.event import Event, EventKind, event_id
    from gameday.fault import DIRTY_AFTER, FaultOrder, FaultOutcome, FaultState, FaultStatus
    from gameday.orders import RevertOrder, RevertResult, WriteOrder
    from gameday.queues import CONDUCTOR_QUEUE, host_queue, revert_queue
    from workflows.shield import FAILURES, reason_of, shielded

NOT_RETRIED = ("BadInput", "Refused", "FaultEnded", "TargetTaken", "InjectFailed", "NotFound", "SettingsError")
"""Failures of an inject that trying again would not mend. Temporal matches names, not parents."""


RECORD_PATIENCE = timedelta(minutes=2)
"""How long an end waits for its last facts to be written. The recorder keeps what the store does not take."""


HEARTBEAT = timedelta(seconds=10)
"""Silence after which the host's agent counts as gone: what it had begun is given to the next."""
ONE_TRY = timedelta(seconds=10)
"""What the last try to revert may take beyond its patience, so that its host can still say what is the matter."""


@workflow.defn
class Fault:
    """Arms and injects, holds until the time, the end signal or the lease, then reverts, for ever if need be."""

    @workflow.init
    def __init__(self, order: FaultOrder) -> None:
        self.order = order
        self.ending: str | None = None
        self.extra = timedelta(0)
        self.status: FaultStatus | None = None
        self.proven: FaultStatus | None = None
        self.outbox: list[Event] = []

    @workflow.run
    async def run(self, order: FaultOrder) -> FaultStatus:
        recording = asyncio.create_task(self.record())
        try:
            if self.ending is None:
                await self.arm_and_inject()
                await self.hold()
        except FAILURES as error:
            self.end(reason_of(error))
        status = await shielded(self.revert())
        await shielded(self.written(recording))
        return status

    async def arm_and_inject(self) -> None:
        self.tell(EventKind.FAULT_ARMED)
        inject = workflow.start_activity(
            self.activity("inject"),
            self.order,
            result_type=FaultStatus,
            task_queue=host_queue(self.order.target.host),
            schedule_to_start_timeout=timedelta(seconds=10),
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3, non_retryable_error_types=NOT_RETRIED),
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
        )
        try:
            await workflow.wait_condition(lambda: inject.done() or self.ending is not None)
            if not inject.done():
                inject.cancel()
                return
            self.status = await inject
        except ActivityError as error:
            self.tell(EventKind.FAULT_FAILED, reason=reason_of(error)[:900])
            self.end(f"inject failed: {reason_of(error)}")
            return
        self.tell_active(self.status)
        await self.say(self.status)

    def host_time(self, status: FaultStatus | None) -> datetime:
        """When its host did it: that may have been a while ago, while nobody could be told."""
        began = (self.status.at if self.status else None) or workflow.info().start_time
        return min(max(status.at, began), workflow.now()) if status else workflow.now()

    def tell_active(self, status: FaultStatus) -> None:
        at = status.active_at or workflow.now()
        self.tell(EventKind.FAULT_ACTIVE, at, took_ms=status.took_ms, proof=[line.model_dump() for line in status.proof])

    async def hold(self) -> None:
        began = workflow.now()
        while self.ending is None:
            left = began + self.order.duration + self.extra - workflow.now()
            if left <= timedelta(0):
                return self.end(f"its time was over ({(self.order.duration + self.extra).total_seconds():g} s)")
            extra = self.extra
            try:
                await workflow.wait_condition(lambda: self.ending is not None or self.extra != extra, timeout=left)  # noqa: B023
            except TimeoutError:
                continue
        return None

    async def revert(self) -> FaultStatus:
        """Until it is proven. Unproven after 30 s it is said to be dirty, so that the day can end; this goes on."""
        reason = (self.ending or "ended")[:900]
        self.tell(EventKind.FAULT_REVERTING, self.host_time(self.proven), reason=reason)
        status = self.proven or await self.try_revert(reason)
        if status.outcome is None:
            dirty = status.model_copy(update={"outcome": FaultOutcome.DIRTY})
            self.tell(EventKind.FAULT_DIRTY, problems=list(status.problems))
            await self.say(dirty)
            status = await self.revert_for_ever(reason)
        if self.status is None and status.active_at is not None:  # the word of it was lost with its agent
            self.tell_active(status)
        self.tell(
            EventKind.FAULT_ENDED,
            self.host_time(status),
            outcome=status.outcome,
            reason=status.reason,
            took_ms=status.took_ms,
            off_at=status.at.isoformat(),
            proof=[line.model_dump() for line in status.proof],
        )
        return status

    async def try_revert(self, reason: str) -> FaultStatus:
        order = RevertOrder(faults=(self.order.fault_id,), reason=reason, patience=DIRTY_AFTER - ONE_TRY)
        try:
            result: RevertResult = await workflow.execute_activity(
                self.activity("revert"),
                order,
                result_type=RevertResult,
                task_queue=revert_queue(self.order.target.host),
                schedule_to_close_timeout=DIRTY_AFTER,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2)),
            )
        except ActivityError as error:
            problem = f"the agent of {self.order.target.host} gave no proof: {reason_of(error)}"
            return FaultStatus(fault_id=self.order.fault_id, state=FaultState.REVERTING, at=workflow.now(), problems=(problem[:900],))
        return result.statuses[0]

    async def revert_for_ever(self, reason: str) -> FaultStatus:
        """Retried by the server, which costs no history."""
        result: RevertResult = await workflow.execute_activity(
            self.activity("revert"),
            RevertOrder(faults=(self.order.fault_id,), reason=reason, patience=timedelta(seconds=5), forever=True),
            result_type=RevertResult,
            task_queue=revert_queue(self.order.target.host),
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15)),
        )
        return result.statuses[0]

    def activity(self, verb: str) -> str:
        """The activity's name: the kind's own, so that Temporal's UI reads well; a sealed scenario's gives nothing away."""
        return f"fault.{verb}" if self.order.sealed else f"{self.order.kind}.{verb}"

    def end(self, reason: str) -> None:
        """The first reason stays."""
        self.ending = self.ending or reason

    @workflow.signal(name="end")
    def end_signal(self, reason: str) -> None:
        self.end(reason)

    @workflow.signal(name="extend")
    def extend_signal(self, seconds: float) -> None:
        self.extra += timedelta(seconds=seconds)

    @workflow.signal(name="ended-by-host")
    def ended_by_host(self, status: FaultStatus) -> None:
        """Its host took it off and proved it: with all others of its run, or by itself (keeper, watchdog)."""
        if status.outcome not in (None, FaultOutcome.DIRTY):
            self.proven = self.proven or status
        self.end(status.reason or "ended by its host")

    async def say(self, status: FaultStatus) -> None:
        """Tells the day; a day that is over needs no telling."""
        parent = workflow.info().parent
        if parent is None:
            return
        try:
            await workflow.get_external_workflow_handle(parent.workflow_id).signal("fault-changed", status)
        except Exception as error:  # noqa: BLE001  # the day may have ended: its faults go on to their proof
            workflow.logger.info("the day was not told: %s", reason_of(error))

    def tell(self, kind: EventKind, at: datetime | None = None, *, which: tuple[str, ...] = (), actor: str | None = None, **data: object) -> None:
        """A fact for the record. `which` tells apart what can happen more than once to one fault."""
        order = self.order
        facts = {"name": order.name, "label": order.target.label, "kind": order.kind, **data}
        self.outbox.append(
            Event.model_validate(
                {
                    "id": event_id(order.run_id, kind, order.fault_id, workflow.info().run_id, *which),
                    "run_id": order.run_id,
                    "at": at or workflow.now(),
                    "kind": kind,
                    "scenario": order.scenario,
                    "fault": order.fault_id,
                    "actor": actor,
                    "data": facts,
                }
            )
        )

    async def record(self) -> None:
        """Writes what was told, beside the work and never in its way: a server's timer may take a second, so nothing is gathered by time."""
        while True:
            await workflow.wait_condition(lambda: bool(self.outbox))
            batch = tuple(self.outbox)
            await shielded(write_events(WriteOrder(events=batch)))
            del self.outbox[: len(batch)]

    async def written(self, recording: asyncio.Task[None]) -> None:
        """The day waits for this fault: a record that cannot be written does not keep it for ever."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: not self.outbox, timeout=RECORD_PATIENCE)
        recording.cancel()


async def write_events(order: WriteOrder) -> None:
    """Hands events to the record, until they are taken."""
    await workflow.execute_activity(
        "record.write",
        order,
        task_queue=CONDUCTOR_QUEUE,
        start_to_close_timeout=timedelta(seconds=20),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5)),
    )
