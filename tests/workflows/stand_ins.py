"""Agents that only play: to a day they are hosts as others, and nothing is changed anywhere. They can be slow, or prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import Worker

from gameday.fault import FaultOrder, FaultOutcome, FaultState, FaultStatus, ResolvedTarget
from gameday.orders import Resolution, ResolveOrder, RevertOrder, RevertResult
from gameday.queues import host_queue, revert_queue

HOSTS = ("east", "north", "west")
SETTINGS = "".join(f"[hosts.{host}]\nlabels = {{app = 'shop'}}\n" for host in HOSTS)


@dataclass
class StandIns:
    """What the played hosts do, and how many faults they have had on at once."""

    proves: bool = True
    """Whether what is taken off is proven to be off."""
    quick: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, an inject takes as long as it stays so."""
    on: set[str] = field(default_factory=set)
    most: int = 0

    @activity.defn(dynamic=True)
    async def answer(self, args: Sequence[RawValue]) -> Resolution | FaultStatus | RevertResult:
        verb = activity.info().activity_type.rpartition(".")[2]
        read, payload = activity.payload_converter(), args[0].payload
        if verb == "resolve":
            return self._resolve(read.from_payload(payload, ResolveOrder))
        if verb == "inject":
            return await self._inject(read.from_payload(payload, FaultOrder))
        return self._revert(read.from_payload(payload, RevertOrder))

    def _resolve(self, order: ResolveOrder) -> Resolution:
        found = tuple(ResolvedTarget(host=order.host, thing=str(fault.on), label=order.host) for fault in order.faults)
        return Resolution(targets=found, clock=datetime.now(UTC))

    async def _inject(self, order: FaultOrder) -> FaultStatus:
        await self.quick.wait()
        self.on.add(order.fault_id)
        self.most = max(self.most, len(self.on))
        return FaultStatus(fault_id=order.fault_id, state=FaultState.ACTIVE, at=datetime.now(UTC))

    def _revert(self, order: RevertOrder) -> RevertResult:
        if self.proves:
            self.on -= set(order.faults)
        elif order.forever:
            raise ApplicationError("it is still on", type="NotReverted", category=ApplicationErrorCategory.BENIGN)
        state, outcome, problems = (FaultState.ENDED, FaultOutcome.REVERTED, ()) if self.proves else (FaultState.REVERTING, None, ("it is still on",))
        now = datetime.now(UTC)
        return RevertResult(
            statuses=tuple(
                FaultStatus(fault_id=fault, state=state, outcome=outcome, reason=order.reason, at=now, problems=problems) for fault in order.faults
            )
        )


@asynccontextmanager
async def stand_ins(client: Client) -> AsyncIterator[StandIns]:
    """The hosts of SETTINGS, played."""
    played = StandIns()
    played.quick.set()
    async with AsyncExitStack() as workers:
        for queue in (name(host) for host in HOSTS for name in (host_queue, revert_queue)):
            await workers.enter_async_context(Worker(client, task_queue=queue, activities=[played.answer]))
        yield played
