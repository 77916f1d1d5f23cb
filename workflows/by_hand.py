"""One fault that is done by hand: somebody is asked to do it and later to undo it, and each half is waited for until they say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import JsonValue

    from gameday.by_hand import BY_HAND, NOBODY_ASKED, Done, Errand, Half, word_of
    from gameday.event import EventKind
    from gameday.fault import DIRTY_AFTER, FaultOrder, FaultOutcome, FaultState, FaultStatus, StepProof
    from gameday.units import format_duration
    from workflows.fault import Fault

HALF_DONE = "it may be half done: undo whatever there is of it"
"""Said with the undo of what nobody has said to be done."""


@workflow.defn
class ByHand(Fault):
    """A fault with a person in the place of a host. Nothing of it is on any machine: no lease, no journal, and no proof but their word."""

    @workflow.init
    def __init__(self, order: FaultOrder) -> None:
        super().__init__(order)
        self.asked: dict[Half, datetime] = {}
        self.words: dict[Half, tuple[str, datetime, dict[str, JsonValue]]] = {}
        """By half: whose word it is that it is done (nobody's where nobody was asked), and since when."""
        self.hurried_at: datetime | None = None

    @workflow.run
    async def run(self, order: FaultOrder) -> FaultStatus:
        return await super().run(order)

    @property
    def errand(self) -> Errand:
        assert self.order.errand is not None  # the day starts this workflow for no other order
        return self.order.errand

    async def arm_and_inject(self) -> None:
        """It is on from the moment that somebody says so. Silence means that it is not, as far as anybody knows."""
        self.tell(EventKind.FAULT_ARMED)
        self.ask(Half.DO, self.errand.do)
        await self.heard(Half.DO, lambda: self.ending is not None)
        if Half.DO in self.words:
            self.status = self.done(Half.DO)
            self.tell_active(self.status)
            await self.say(self.status)
        elif self.ending is None:
            silence = f"nobody said within {format_duration(self.errand.do_within)} that it was done"
            self.tell(EventKind.FAULT_FAILED, reason=silence)
            self.end(silence)

    async def try_revert(self, reason: str) -> FaultStatus:
        """Also where nobody has said that it was done: nobody knows, and it may be half done."""
        self.ask(Half.UNDO, self.errand.undo if self.status else f"{self.errand.undo} ({HALF_DONE})")
        waiting = FaultStatus(fault_id=self.order.fault_id, state=FaultState.REVERTING, at=workflow.now())
        if Half.UNDO not in self.words:
            await self.say(waiting)
            await self.heard(Half.UNDO, lambda: False)
        if Half.UNDO in self.words:
            return self.undone(reason)
        problem = f"{self.errand.by} has not said that it is undone: {self.errand.undo}"
        return waiting.model_copy(update={"at": workflow.now(), "problems": (problem,)})

    async def revert_for_ever(self, reason: str) -> FaultStatus:
        await workflow.wait_condition(lambda: Half.UNDO in self.words)
        return self.undone(reason)

    def ask(self, half: Half, text: str) -> None:
        """Asks for one half. Of nobody in a dry run, nor for the undo of what was never asked for: that is done as soon as it is asked."""
        self.note_hurry()
        nobody = self.order.dry or (half is Half.UNDO and Half.DO not in self.asked)
        self.asked[half] = workflow.now()
        if nobody:
            self.words[half] = ("", workflow.now(), {})
        else:
            self.tell(EventKind.FAULT_ASKED, which=(half,), what=half, text=text, until=self.deadline(half).isoformat())

    def deadline(self, half: Half) -> datetime:
        """Until when its word is waited for. A day that ends early is held up no longer by people than by a host that proves nothing."""
        asked = self.asked[half]
        if half is Half.DO:
            return asked + self.errand.do_within
        usual = asked + self.errand.undo_within
        return usual if self.hurried_at is None else min(usual, max(asked, self.hurried_at) + DIRTY_AFTER)

    async def heard(self, half: Half, cut: Callable[[], bool]) -> None:
        """Until somebody says that it is done, or it is cut short, or its deadline is over, which may come nearer meanwhile."""
        while half not in self.words and not cut():
            self.note_hurry()
            hurried, left = self.must_hurry, self.deadline(half) - workflow.now()
            if left <= timedelta(0):
                return
            try:
                await workflow.wait_condition(lambda: half in self.words or cut() or self.must_hurry != hurried, timeout=left)  # noqa: B023
            except TimeoutError:
                continue

    @property
    def must_hurry(self) -> bool:
        return self.hurried_at is not None or workflow.cancellation_reason() is not None

    def note_hurry(self) -> None:
        """Since when it is so; the wait for a word that was under way is woken by it."""
        if self.must_hurry and self.hurried_at is None:
            self.hurried_at = workflow.now()

    def done(self, half: Half) -> FaultStatus:
        """That a half is done, and whose word it is: there is no other proof."""
        name, at, _ = self.words[half]
        said, state = (f"{name} says done: {self.errand.text(half)}", word_of(name)) if name else (NOBODY_ASKED, NOBODY_ASKED)
        return FaultStatus(
            fault_id=self.order.fault_id,
            state=FaultState.ACTIVE if half is Half.DO else FaultState.ENDED,
            at=at,
            took_ms=max(at - self.asked[half], timedelta(0)) / timedelta(milliseconds=1),
            proof=(StepProof(step=BY_HAND, before="–", after=said, state=state),),
            active_at=at if half is Half.DO else None,
        )

    def undone(self, reason: str) -> FaultStatus:
        """Not injected, where it never came to a word that it was done."""
        if self.status is None and Half.DO in self.words:  # said when its undo was being asked for already
            self.status = self.done(Half.DO)
            self.tell_active(self.status)
        outcome = FaultOutcome.NOT_INJECTED if self.status is None else FaultOutcome.REVERTED
        return self.done(Half.UNDO).model_copy(update={"outcome": outcome, "reason": reason})

    def tell(self, kind: EventKind, at: datetime | None = None, *, which: tuple[str, ...] = (), actor: str | None = None, **data: object) -> None:
        """Each fact with whom it is asked of; that a half is done, under the name of whoever said it."""
        half = {EventKind.FAULT_ACTIVE: Half.DO, EventKind.FAULT_ENDED: Half.UNDO}.get(kind)
        if half in self.words:
            actor, said = self.words[half][0] or None, self.words[half][2]
            data |= {"said": said} if said else {}
        super().tell(kind, at, which=which, actor=actor, **data, by=self.errand.by)

    @workflow.signal(name="done")
    def done_signal(self, done: Done) -> None:
        """The first word stays. That something is done which nobody has asked for yet means nothing."""
        if done.half is Half.DO or done.half in self.asked:
            self.words.setdefault(done.half, (done.by, workflow.now(), done.said))

    @workflow.signal(name="hurry")
    def hurry_signal(self, reason: str) -> None:
        """The day ends early: it waits no longer for people than it must."""
        self.hurried_at = self.hurried_at or workflow.now()
