"""What people can tell a day, what they can ask it, and what the keeper can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pydantic import JsonValue

    from gameday.by_hand import Asked, Done
    from gameday.commands import URGENT, Actor, Answer, Command, Moment, may_decide, meant, refusal
    from gameday.event import EventKind
    from gameday.language import Clock
    from gameday.limits import Gate
    from gameday.model import one_line
    from gameday.orders import EndedBy, Ending, LiveState, WantsAnswer
    from gameday.plan import Plan, role_of
    from gameday.playbook import Until
    from gameday.record import Phase
    from gameday.verdicts import Outcome
    from workflows.by_hand import ByHand
    from workflows.diary import Diary
    from workflows.scenario import Now, tell_fault


T = TypeVar("T")


class Interrupted(Exception):
    """The day ends, or the scenario is skipped: leave the phase."""


class Commands:
    """The state that commands change, and the waiting that heeds it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.diary = Diary(plan)
        self.now: Now | None = None
        self.ending: Ending | None = None
        self.ended = False
        self.held: datetime | None = None
        self.gate: str | None = None
        self.gate_until: datetime | None = None
        self.gate_since = plan.started_at
        self.rest_until: datetime | None = None
        self.rest_since = plan.started_at
        self.went: str | None = None
        self.go_said: dict[str, JsonValue] = {}
        self.handed_to = ""
        self.ready: set[str] = set()
        self.ticked: set[int] = set()
        self.outcomes: list[Outcome] = []
        self.outcome: Outcome | None = None
        self.real = False
        self.passing_on: set[asyncio.Task[None]] = set()
        self.turned_away: set[str] = set()
        """The ids of those whose abort was refused where no answer could tell them so."""

    @workflow.update(name="command")
    async def command(self, command: Command) -> Answer:
        """Latches one command; the answer does not wait for its work."""
        self.hear(command)
        answer: Answer = getattr(self, f"on_{command.verb}")(command)
        return answer

    def hear(self, command: Command) -> None:
        """Somebody has said something: for those who keep account of who is there."""

    def on_here(self, command: Command) -> Answer:
        counts = may_decide(self.known(command.actor), self.moment())
        return Answer(text=f"{self.name_of(command.actor)} is there" + ("" if counts else "; the day waits for somebody who may decide"))

    @command.validator
    def may(self, command: Command) -> None:
        reason = self.refuses(command)
        if reason is not None:
            raise ApplicationError(reason, type="Refused", non_retryable=True)

    def refuses(self, command: Command) -> str | None:
        """Why a command is not accepted now, or None when it is."""
        return refusal(command.model_copy(update={"actor": self.known(command.actor)}), self.moment())

    @workflow.signal(name="abort")
    def abort_signal(self, command: Command) -> None:
        """An abort, or a real incident, as the same command: for when an Update gets no answer. One refused is on the record, once a person."""
        if self.ended or command.verb not in URGENT:
            return
        reason = self.refuses(command)
        if reason is None:
            getattr(self, f"on_{command.verb}")(command)
        elif command.actor.id not in self.turned_away:
            self.turned_away.add(command.actor.id)
            self.tell(EventKind.REFUSED, command, verb=command.verb, reason=one_line(reason, 900))

    @workflow.query(name="wants")
    def wants(self) -> WantsAnswer:
        """The faults that this run still wants; asked by the keeper of every host."""
        return WantsAnswer(faults=tuple(self.now.wanted) if self.now else ())

    @workflow.query(name="view")
    def view(self) -> LiveState:
        now = self.now
        return LiveState(
            run_id=self.plan.run_id,
            playbook=self.plan.playbook.name,
            commander=self.commander,
            phase=now.phase if now else None,
            scenario=now.index if now else None,
            gate=self.gate,
            gate_until=self.gate_until,
            held=self.held is not None,
            ending=self.ending,
            faults=tuple(fault.line() for fault in now.faults) if now else (),
            outcomes=tuple(self.outcomes),
        )

    @property
    def commander(self) -> str:
        commander = self.plan.playbook.team.commander
        return self.handed_to or (commander.name if commander else self.plan.started_by.name)

    def moment(self) -> Moment:
        now = self.now
        return Moment(
            ended=self.ended,
            ending=self.ending is not None,
            held=self.held is not None,
            gate=self.gate,
            targets=now.digest if now else "",
            scenario=now.index if now else None,
            resting=bool(now and now.judged),
            injected=bool(now and any(fault.was_started for fault in now.faults)),  # one that is on may not be known to be on yet
            fault_on=bool(now and any(fault.can_stay(workflow.now()) for fault in now.faults)),
            sealed=bool(now and now.scenario.sealed),
            revealed=bool(now and now.revealed),
            checklist=tuple(each.owner or "" for each in self.plan.playbook.checklist),
            abort_from=self.plan.playbook.abort_from,
            started_by=self.plan.started_by.id,
            team=tuple(person.name for _, person in self.plan.playbook.team.members()),
            handed_to=self.handed_to,
            asked=self.asked(),
            two_people=bool(self.waiting and self.waiting.two_people),
        )

    @property
    def sealed(self) -> bool:
        """Whoever asks may be one who must not know yet: nothing of the scenario is said in an answer."""
        return bool(self.now and self.now.scenario.sealed and not self.now.revealed)

    @property
    def waiting(self) -> Gate | None:
        """The gate that waits, as the playbook has it."""
        gates = self.plan.playbook.gates
        gate = (gates.day if self.gate == "day" else gates.inject) if self.gate else None
        return gate if isinstance(gate, Gate) else None

    def tell(self, kind: EventKind, command: Command, **data: object) -> None:
        """Records a command under the name of whoever gave it."""
        self.diary.tell(kind, scenario=self.now.index if self.now else None, fault=None, actor=command.actor.name, said=command.said, **data)

    def on_go(self, command: Command) -> Answer:
        self.went, self.go_said = command.actor.name, command.said
        missing = self.missing()
        touched = "; ".join(fault.order.target.label for fault in self.now.faults) if self.now and not self.sealed else ""
        what = f"go: {self.gate}{f', which touches {touched}' if touched else ''}"
        return Answer(text=one_line(what, 800) + (f"; it opens once {missing}" if missing else ""))

    def missing(self) -> str:
        """What the gate that waits asks for besides a go; empty when that is all there."""
        gate = self.waiting
        if gate is None:
            return ""
        unticked = len(self.plan.playbook.checklist) - len(self.ticked) if gate.checklist else 0
        unready = max(gate.ready - len(self.ready), 0)
        parts = [f"{unticked} more of the checklist {'is' if unticked == 1 else 'are'} ticked"] if unticked else []
        return " and ".join([*parts, *([f"{unready} more {'is' if unready == 1 else 'are'} ready"] if unready else [])])

    def on_ready(self, command: Command) -> Answer:
        if command.text or command.actor.name not in self.ready:
            self.tell(EventKind.READY, command, note=command.text or "")
        self.ready.add(command.actor.name)
        return Answer(text=f"{command.actor.name} is ready")

    def on_unready(self, command: Command) -> Answer:
        """Not ready after all, or not yet: what is missing is for everybody to read."""
        self.ready.discard(command.actor.name)
        self.tell(EventKind.UNREADY, command, reason=command.reason or "")
        return Answer(text=f"{command.actor.name} is not ready")

    def on_tick(self, command: Command) -> Answer:
        assert command.item is not None  # the validator saw to it
        item = self.plan.playbook.checklist[command.item - 1].item
        if command.item not in self.ticked:
            self.ticked.add(command.item)
            self.tell(EventKind.CHECKLIST_TICKED, command, item=item)
        return Answer(text=f"ticked: {item}")

    def on_hold(self, command: Command) -> Answer:
        self.held = workflow.now()
        self.tell(EventKind.HELD, command, reason=command.reason or "")
        on = bool(self.now and any(fault.is_on for fault in self.now.faults))
        return Answer(text="on hold; the fault stays on until its own end (abort takes it off)" if on else "on hold: nothing new starts")

    def on_resume(self, command: Command) -> Answer:
        assert self.held is not None  # the validator saw to it
        if self.gate_until is not None:  # a gate's time stood still
            self.gate_until += workflow.now() - max(self.held, self.gate_since)
        if self.rest_until is not None:
            self.rest_until += workflow.now() - max(self.held, self.rest_since)
        self.held = None
        moved = {"gate_until": self.gate_until, "rest_until": self.rest_until}
        self.tell(EventKind.RESUMED, command, reason=command.reason or "", **{key: at.isoformat() if at else None for key, at in moved.items()})
        return Answer(text="going on")

    def on_skip(self, command: Command) -> Answer:
        assert self.now is not None  # the validator saw to it
        self.now.skipped = True
        self.now.hurried = self.now.hurried or self.now.phase in (Phase.RECOVER, Phase.ANALYZE)
        self.tell(EventKind.SKIPPED, command, reason=command.reason or "")
        return Answer(text="skipping to the next scenario; what is on is taken off first")

    def on_abort(self, command: Command) -> Answer:
        if self.ended:
            return Answer(text=f"the run is over: {self.outcome}")
        if self.ending is not None:
            return Answer(text="the run is ending already" + ("" if self.sealed else f": {one_line(self.ending.reason, 900)}"))
        self.end(Ending(by=EndedBy.ABORT, reason=(command.reason or "no reason given")[:900], actor=self.name_of(command.actor), said=command.said))
        return Answer(text="aborting: everything is taken off and read back")

    def asked(self) -> tuple[Asked, ...]:
        """What is asked of people now, to be done by hand."""
        return tuple(asked for fault in (self.now.faults if self.now else ()) if (asked := fault.asked) is not None)

    def on_done(self, command: Command) -> Answer:
        """Passes it on to the fault, whose workflow knows what it has asked for."""
        asked, *_ = meant(command.model_copy(update={"actor": self.known(command.actor)}), self.moment())  # the validator saw to it
        assert self.now is not None
        name = self.name_of(command.actor)
        task = asyncio.create_task(tell_fault(self.now.named(asked.fault)[0], ByHand.done_signal, Done(half=asked.half, by=name, said=command.said)))
        self.passing_on.add(task)
        task.add_done_callback(self.passing_on.discard)
        return Answer(text=one_line(f"{name} says done: {asked.text}", 800))

    def on_real(self, command: Command) -> Answer:
        """A real incident has begun: everything off, the seals open, the rest stood down. What was touched is told from the record."""
        if self.ended:
            return Answer(text=f"the run is over: {self.outcome}")
        if not self.real:
            self.real = True
            self.diary.tell(EventKind.REAL_CALLED, scenario=None, actor=self.name_of(command.actor), reason=command.reason or "", said=command.said)
        reason = f"a real incident{f': {command.reason}' if command.reason else ''}"
        self.end(Ending(by=EndedBy.REAL, reason=reason[:900], actor=self.name_of(command.actor), said=command.said))
        return Answer(text="a real incident: everything is taken off and read back, the seals are open, the rest of the day stands down")

    def on_handover(self, command: Command) -> Answer:
        assert command.to is not None  # the validator saw to it
        self.handed_to = command.to
        self.tell(EventKind.HANDED_OVER, command, to=command.to)
        return Answer(text=f"{command.to} commands now")

    def on_reveal(self, command: Command) -> Answer:
        assert self.now is not None  # the validator saw to it
        self.now.revealed = True
        self.tell(EventKind.REVEALED, command, reason=command.reason or "")
        return Answer(text="revealed")

    def on_note(self, command: Command) -> Answer:
        self.tell(EventKind.NOTE, command, text=command.text, about=command.about, owner=command.owner, due=command.due)
        return Answer(text="noted")

    def on_mark(self, command: Command) -> Answer:
        assert self.now is not None  # the validator saw to it
        if not self.moment().injected:  # of a sealed scenario: the answer must not tell whether anything is on
            self.tell(EventKind.NOTE, command, text=f"{command.clock}, before anything was put on")
            return Answer(text=f"marked: {command.clock}")
        self.tell(EventKind.MARK, command, clock=command.clock)
        if command.clock is Clock.DETECT:
            self.now.found(Until.DETECTED, workflow.now())
        return Answer(text=f"marked: {command.clock}")

    def on_extend(self, command: Command) -> Answer:
        assert self.now is not None and command.by is not None  # the validator saw to it
        room = self.plan.playbook.blast_radius.max_duration - self.now.longest
        by = min(command.by, room)
        if by <= timedelta(0):
            return Answer(text="not extended: the blast radius allows no longer fault")
        self.now.extend(by)
        self.tell(EventKind.EXTENDED, command, by=by.total_seconds())
        most = "" if by == command.by else "; blast_radius.max_duration allows no more"
        return Answer(text=f"extended by {by.total_seconds():g} s{most}")

    def known(self, actor: Actor) -> Actor:
        """Who speaks, with the role that the playbook gives them, whatever they say of themselves; where it has no team, they are believed."""
        if not self.plan.playbook.team.members():
            return actor
        source, _, told = actor.id.partition(":")
        user, slack = (told if source == "os" else None), (told.rpartition("/")[2] if source == "slack" else None)
        found = role_of(self.plan.playbook, user=user, slack=slack, name=actor.name)
        return actor.model_copy(update={"role": found[0] if found else None, "name": found[1] if found else actor.name})

    def name_of(self, actor: Actor) -> str:
        """The team member that an abort is from: whoever sent it may have known nothing but the run's id."""
        return self.known(actor).name

    def end(self, ending: Ending) -> None:
        """The first reason wins; from here on nothing new is put on."""
        if self.ending is None:
            self.ending = ending
            self.diary.waits = bool(self.now and self.now.phase in (Phase.INJECT, Phase.OBSERVE))  # until the reverts have had their start
            scenario = self.now.index if self.now and not self.now.judged else None
            self.diary.tell(EventKind.ABORTED, scenario=scenario, actor=ending.actor, reason=ending.reason, by=ending.by, said=ending.said or None)

    @property
    def interrupted(self) -> bool:
        return self.ending is not None or bool(self.now and self.now.skipped)

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for work of the world, and leaves it at once when the day ends or the scenario is skipped."""
        task: asyncio.Task[T] = asyncio.create_task(work)
        try:
            await self.pace(task.done, holds=False)
        except (Interrupted, asyncio.CancelledError):
            task.cancel()
            raise
        return task.result()

    async def pace(self, until: Callable[[], bool] = lambda: False, timeout: timedelta | None = None, holds: bool = True) -> bool:
        """All waiting of the day: until something is so, or a time has passed on the day's clock, which stands while the day is on hold.

        Args:
            holds: False for what hold does not stop, such as the fault's own end.

        Returns:
            Whether it is so; False when the time was over first.

        Raises:
            Interrupted: the day ends, or the scenario is skipped.
        """
        left = timeout
        while True:
            if self.interrupted:
                raise Interrupted
            if holds and self.held:
                await workflow.wait_condition(lambda: self.interrupted or not self.held)
                continue
            if until():
                return True
            if left is not None and left <= timedelta(0):
                return False
            began = workflow.now()
            try:
                await workflow.wait_condition(lambda: self.interrupted or until() or (holds and self.held is not None), timeout=left)
            except TimeoutError:
                return False
            left = left - (workflow.now() - began) if left is not None else None
