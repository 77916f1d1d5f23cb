"""How a scenario's faults are taken off: all of a host at once, each with its proof; then steady state again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from gameday.event import EventKind
    from gameday.fault import FaultOutcome, FaultState, FaultStatus
    from gameday.observation import Attendance, Breach, ObserveResult, Purpose
    from gameday.orders import HEAD_START, EndedBy, Ending, RevertResult
    from gameday.plan import Plan
    from gameday.record import Phase
    from workflows import ask
    from workflows.attendance import Attended
    from workflows.fault import Fault
    from workflows.scenario import LiveFault, Now, hurry, tell_fault
    from workflows.shield import FAILURES, reason_of

SILENCE = timedelta(seconds=2)
"""How long the record is silent meanwhile at the most."""
AFTER_ABORT = timedelta(seconds=15)
"""How long recovery is watched at the most once the day has been ended early."""


class Recovery(Attended):
    """The recover phase, and what other phases share with it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.state = plan.empty_state()

    async def recover(self, now: Now) -> None:
        """Takes off what is still on, all faults of a host at once; each then proves its own revert. Then steady state again."""
        self.enter(now, Phase.RECOVER)
        for fault, task in now.waiting():
            task.cancel()
            if not self.interrupted:
                self.drop(now, fault, "the scenario was over before its moment")
        left = {fault.order.fault_id: fault for fault in now.faults if fault.was_started and not fault.is_over}
        reasons = {fault_id: self.why_off(now, fault)[:900] for fault_id, fault in left.items()}
        batches = ask.reverts([fault for fault in left.values() if not fault.order.errand], reasons)
        proven = await self.head_start(batches)
        now.wanted = []  # from here on the keepers take off what is left; before, their reason would stand in the place of the day's own
        if self.ending is not None:
            await hurry(left.values())  # before they are asked for the undo, so that they are told how long it is waited for
        await asyncio.gather(
            *(
                tell_fault(fault, Fault.ended_by_host, proven[fault_id])
                if fault_id in proven
                else tell_fault(fault, Fault.end_signal, reasons[fault_id])
                for fault_id, fault in left.items()
            )
        )
        await self.all_over(list(left.values()))
        await self.prove_orphans(now, batches)
        if now.watching is not None:
            now.watching.cancel()
            await asyncio.gather(now.watching, return_exceptions=True)
        await self.see_recovery(now)

    async def all_over(self, left: Sequence[LiveFault]) -> None:
        """Waits until each is proven gone, or said to be dirty. People have longer for that than hosts, unless the day ends early."""

        def over() -> bool:
            return all(fault.is_over or fault.orphaned for fault in left)

        by_hand = [fault for fault in left if fault.order.errand and not fault.hurried]
        if by_hand:
            await workflow.wait_condition(lambda: over() or (self.ending is not None and all(fault.handle or fault.orphaned for fault in by_hand)))
            await hurry(by_hand if not over() else ())
        await workflow.wait_condition(over)

    def why_off(self, now: Now, fault: LiveFault) -> str:
        """Why a fault that is still on is taken off now."""
        if self.ending is not None:
            return self.ending.reason
        if fault.satisfied and not now.skipped:
            return f"it lasts until {fault.spec.until}"
        return "skipped" if now.skipped else "the scenario is over"

    async def head_start(self, batches: Sequence[asyncio.Future[RevertResult]]) -> dict[str, FaultStatus]:
        """Lets the hosts revert before anything else is asked of the server; a host that does not answer holds nothing up.

        Returns:
            What is proven gone by then, by fault.
        """
        for patience in (SILENCE, HEAD_START - SILENCE):
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: all(batch.done() for batch in batches), timeout=patience)
            self.diary.waits = False
        answers = [batch.result() for batch in batches if batch.done() and not batch.cancelled() and not batch.exception()]
        return {status.fault_id: status for answer in answers for status in answer.statuses if status.outcome is not None}

    async def prove_orphans(self, now: Now, batches: Sequence[asyncio.Future[RevertResult]]) -> None:
        """A fault whose workflow was taken from it is proven by its host's answer to the batch, or is dirty."""
        orphans = {fault.order.fault_id: fault for fault in now.faults if fault.orphaned}
        if not orphans:
            return
        answers = await asyncio.gather(*batches, return_exceptions=True)
        for status in (status for answer in answers if isinstance(answer, RevertResult) for status in answer.statuses):
            fault = orphans.get(status.fault_id)
            if fault is not None and status.outcome is not None:
                fault.heard(status, workflow.now())
                self.diary.tell(EventKind.FAULT_ENDED, scenario=now.index, fault=status.fault_id, actor=None, **fault.facts(status))
        for fault in orphans.values():
            if not fault.is_over:
                fault.outcome = FaultOutcome.DIRTY
                problems = ["its workflow was ended from outside, and its host gives no proof"]
                self.diary.tell(EventKind.FAULT_DIRTY, scenario=now.index, fault=fault.order.fault_id, actor=None, **fault.facts(), problems=problems)

    async def see_recovery(self, now: Now) -> None:
        """Watches for steady state after the fault; an ended day is not held up for long."""
        if not self.plan.playbook.steady_state or not any(fault.active_at for fault in now.faults):
            return
        afterwards = now.scenario.afterwards
        length = afterwards.recover_within + afterwards.steady_for
        now.state = now.state.fresh()
        cut = self.ending is not None
        try:
            seeing = asyncio.create_task(self.sample(now, Purpose.RECOVER, min(length, AFTER_ABORT) if cut else length, ("steady",)))
            await workflow.wait_condition(lambda: seeing.done() or now.hurried or (self.ending is not None and not cut))
            if not seeing.done():
                seeing.cancel()  # skipped, or the day has been ended since: nobody waits for it any more
            self.state = (await seeing).state
        except FAILURES as error:
            workflow.logger.warning("recovery was not watched: %s", reason_of(error))
        self.heed_totals(now)

    def heed_totals(self, now: Now) -> bool:
        """Caps are the day's: one that is passed while nothing is on ends it too. Returns whether one is."""
        breach = self.plan.yardstick(now.baselines).spent(self.state, workflow.now())
        if breach is not None:
            self.breached(now, breach)
        return breach is not None

    def breached(self, now: Now, breach: Breach) -> None:
        """A guardrail ends the day, and the record says which sample, what was expected and what was seen."""
        if self.ending is None:
            self.diary.tell(EventKind.BREACH, scenario=now.index, **breach.model_dump(mode="json"))
        self.end(Ending(by=EndedBy.GUARDRAIL, reason=f"{breach.guardrail}: {breach.seen}"))

    def enter(self, now: Now, phase: Phase, length: timedelta | None = None) -> None:
        now.phase = phase
        until = workflow.now() + length if length is not None else None
        self.diary.tell(EventKind.PHASE_BEGAN, scenario=now.index, phase=phase, until=until.isoformat() if until else None)

    def drop(self, now: Now, fault: LiveFault, reason: str) -> None:
        """A fault that will not be put on, and why."""
        fault.reason = reason
        fault.state = FaultState.ENDED
        self.diary.tell(EventKind.FAULT_FAILED, scenario=now.index, fault=fault.order.fault_id, actor=None, **fault.facts(), reason=reason)

    async def sample(
        self, now: Now, purpose: Purpose, length: timedelta, return_on: tuple[str, ...] = (), attendance: Attendance | None = None
    ) -> ObserveResult:
        return await ask.observer(self.plan, now, purpose, length, return_on, attendance)
