"""The scenario under way: its faults, each with its child workflow, and what has been seen of it so far."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from gameday.by_hand import Asked, Half
    from gameday.fault import FaultOrder, FaultOutcome, FaultState, FaultStatus, list_digest
    from gameday.observation import WatchState
    from gameday.orders import FaultLine
    from gameday.playbook import Fault as FaultSpec
    from gameday.playbook import Scenario, Until
    from gameday.probe import Baseline
    from gameday.record import Phase
    from workflows.by_hand import ByHand
    from workflows.fault import Fault
    from workflows.shield import reason_of


@dataclass
class LiveFault:
    """One fault of the scenario: its order, and what its workflow has told."""

    spec: FaultSpec
    order: FaultOrder
    state: FaultState = FaultState.PLANNED
    outcome: FaultOutcome | None = None
    active_at: datetime | None = None
    extra: timedelta = timedelta(0)
    handle: workflow.ChildWorkflowHandle[Fault, FaultStatus] | None = None
    satisfied: bool = False
    """What it lasts until has come while it was on."""
    asked_to_end: bool = False
    reason: str = ""
    """Why it ended, or was not put on."""
    hurried: bool = False
    """Whoever is to undo it has been told that the day ends early."""
    orphaned: bool = False
    """Its workflow ended without its result: terminated or never started. Its host still has it."""

    @property
    def was_started(self) -> bool:
        return self.handle is not None or self.state is not FaultState.PLANNED

    @property
    def is_on(self) -> bool:
        return self.state in (FaultState.ARMED, FaultState.ACTIVE)

    def can_stay(self, now: datetime) -> bool:
        """Whether more time would reach it: it is on, and nothing takes it off yet."""
        return self.is_on and not self.asked_to_end and (self.ends_at is None or now < self.ends_at)

    @property
    def asked(self) -> Asked | None:
        """What somebody is asked to do by hand now; None while that is nothing."""
        errand = self.order.errand
        half = {FaultState.ARMED: Half.DO, FaultState.REVERTING: Half.UNDO}.get(self.state)
        if errand is None or errand.by is None or half is None or self.handle is None or self.order.dry:
            return None
        return Asked(fault=self.order.name, half=half, text=errand.text(half), by=errand.by)

    @property
    def is_over(self) -> bool:
        return self.state is FaultState.ENDED or self.outcome is FaultOutcome.DIRTY

    @property
    def ends_at(self) -> datetime | None:
        return self.active_at + self.spec.duration + self.extra if self.active_at else None

    def heard(self, status: FaultStatus, now: datetime) -> None:
        """Takes over what the fault's workflow says."""
        if self.state is FaultState.ENDED:
            return
        if status.state is FaultState.ACTIVE:
            self.active_at = self.active_at or now
        self.state = status.state
        self.outcome = status.outcome or self.outcome
        self.reason = status.reason or self.reason

    async def play(self) -> None:
        """Starts the child and waits for its end; what went wrong with it is the day's error, its revert is its own."""
        self.state = FaultState.ARMED
        self.handle = await workflow.start_child_workflow(  # type: ignore[call-overload]  # both take an order and return a status
            ByHand.run if self.order.errand else Fault.run,
            self.order,
            id=f"{self.order.run_id}-{self.order.fault_id}",
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
        )
        if self.asked_to_end:
            await self.handle.signal(Fault.end_signal, "the scenario is over")
        elif self.extra:
            await self.handle.signal(Fault.extend_signal, self.extra.total_seconds())
        self.heard(await self.handle, workflow.now())

    def facts(self, status: FaultStatus | None = None) -> dict[str, JsonValue]:
        """What an event about this fault says of it."""
        about: dict[str, JsonValue] = {"name": self.order.name, "label": self.order.target.label, "kind": self.order.kind}
        if status is not None:
            about |= {"outcome": status.outcome, "reason": status.reason, "took_ms": status.took_ms, "off_at": status.at.isoformat()}
            about["proof"] = [line.model_dump() for line in status.proof]
        return about

    def line(self) -> FaultLine:
        return FaultLine(
            fault_id=self.order.fault_id,
            name=self.order.name,
            label=self.order.target.label,
            kind=self.order.kind,
            state=self.state,
            outcome=self.outcome,
            ends_at=self.ends_at,
            until=self.spec.until,
        )


@dataclass
class Now:
    """Where the scenario is."""

    index: int
    scenario: Scenario
    state: WatchState
    phase: Phase | None = None
    faults: list[LiveFault] = field(default_factory=list)
    playing: list[asyncio.Task[None]] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    baselines: tuple[Baseline, ...] = ()
    skipped: bool = False
    hurried: bool = False
    """Skipped when its faults were off, or going off: what is left of it is not waited for."""
    revealed: bool = False
    armed: bool = False
    judged: bool = False
    """Analyze is over: what follows is its debrief, and a break."""
    watching: asyncio.Task[None] | None = None
    side: list[asyncio.Task[None]] = field(default_factory=list)
    seed: int = 0
    """Of the choice among candidates."""

    @property
    def digest(self) -> str:
        """Of exactly what would be touched, in which way; empty while nothing has been found."""
        return list_digest(fault.order for fault in self.faults) if self.faults else ""

    @property
    def longest(self) -> timedelta:
        """How long the longest fault that is on may be on."""
        return max((fault.spec.duration + fault.extra for fault in self.faults if fault.is_on), default=timedelta(0))

    @property
    def together(self) -> int:
        """How many faults may be on now: each from the moment that it is armed to the proof that it is off."""
        return sum(fault.was_started and not fault.is_over for fault in self.faults)

    @property
    def length(self) -> timedelta:
        """How long the scenario is observed by its plan, from its first inject."""
        extra = max((fault.extra for fault in self.faults), default=timedelta(0))
        if self.scenario.observe is not None:
            return self.scenario.observe + extra
        return max((end for _, end in self.scenario.spans().values()), default=timedelta(0)) + extra

    def waiting(self) -> list[tuple[LiveFault, asyncio.Task[None]]]:
        """The faults whose moment has not come, each with its task."""
        return [(fault, task) for fault, task in zip(self.faults, self.playing, strict=False) if fault.state is FaultState.PLANNED]

    def named(self, name: str) -> list[LiveFault]:
        return [fault for fault in self.faults if fault.spec.name == name]

    def heard(self, status: FaultStatus, now: datetime) -> None:
        for fault in self.faults:
            if fault.order.fault_id == status.fault_id:
                fault.heard(status, now)

    def found(self, what: Until, at: datetime) -> None:
        """Detected, or mitigated: ends what lasts until that and was on then. One that comes later waits for its own."""
        for fault in self.faults:
            if fault.spec.until is what and fault.active_at and fault.active_at <= at:
                fault.satisfied = True

    @property
    def awaited(self) -> tuple[Until, ...]:
        """The findings that a fault, also one still to come, waits for; the observer records the others and goes on."""
        return tuple(sorted({fault.spec.until for fault in self.faults if fault.spec.until and not (fault.satisfied or fault.is_over)}))

    @property
    def satisfied(self) -> int:
        """How many of its faults have had what they last until."""
        return sum(fault.satisfied for fault in self.faults)

    @property
    def all_over(self) -> bool:
        """Nothing is on any more, or nothing has a reason to be, and nothing will be put on."""
        return all(fault.is_over or fault.satisfied for fault in self.faults)

    def extend(self, by: timedelta) -> None:
        for fault in self.faults:
            if fault.is_on:
                fault.extra += by
                if fault.handle is not None:
                    self.side.append(asyncio.create_task(tell_fault(fault, Fault.extend_signal, by.total_seconds())))


async def hurry(faults: Iterable[LiveFault]) -> None:
    """Says of what is done by hand that the day ends early."""
    told = [fault for fault in faults if fault.order.errand and fault.handle and not fault.hurried]
    for fault in told:
        fault.hurried = True
    await asyncio.gather(*(tell_fault(fault, ByHand.hurry_signal, "the day ends early") for fault in told))


async def tell_fault(fault: LiveFault, signal: object, argument: object) -> None:
    """Signals a fault's workflow; one that has ended needs no telling."""
    if fault.handle is None:
        fault.asked_to_end = fault.asked_to_end or signal is not Fault.extend_signal
        return
    try:
        await fault.handle.signal(signal, argument)  # type: ignore[call-overload]  # one of Fault's own signals
    except Exception as error:  # noqa: BLE001  # it has ended, and that is what was wanted
        workflow.logger.info("%s was not told: %s", fault.order.fault_id, reason_of(error))
