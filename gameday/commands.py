"""What people can tell a run, and when a run accepts it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import Field, JsonValue

from gameday.by_hand import Asked, Half
from gameday.guess import MOST_GUESSES, Guess
from gameday.language import Clock
from gameday.model import Duration, Line, Model, Name, Reason, Text
from gameday.playbook import MOST_SCENARIOS, Role
from gameday.rooms import AbortFrom


class Verb(StrEnum):
    GO = "go"
    READY = "ready"
    UNREADY = "unready"
    TICK = "tick"
    HOLD = "hold"
    RESUME = "resume"
    SKIP = "skip"
    ABORT = "abort"
    REAL = "real"
    HANDOVER = "handover"
    REVEAL = "reveal"
    NOTE = "note"
    MARK = "mark"
    EXTEND = "extend"
    DONE = "done"
    HERE = "here"
    PREDICT = "predict"


URGENT = frozenset({Verb.ABORT, Verb.REAL})
"""What takes everything off: tried again while Temporal restarts, sent as a Signal where no conductor answers, and accepted at any moment."""


OVER = "the run is over"
"""Why a run takes nothing any more."""


class NoteAbout(StrEnum):
    """What a note is about: it decides where the report puts it."""

    SEEN = "seen"
    WENT_WELL = "went-well"
    WENT_WRONG = "went-wrong"
    LUCKY = "lucky"
    ACTION = "action"


class Actor(Model):
    """Who speaks. `id` is what was authenticated (the operating system's user, a Slack user id), `name` the team member it belongs to."""

    id: Line
    name: Line
    role: Role | None = None
    via: Line = "command line"


class Command(Model):
    """One thing one person tells a run. `id` makes a second delivery the same command."""

    verb: Verb
    id: Line
    actor: Actor
    reason: Reason | None = None
    gate: Line | None = None
    targets: Line | None = None
    """With a go: the digest of the list of targets that its sender has seen."""
    item: int | None = Field(default=None, ge=1, le=100)
    text: Text | None = None
    about: NoteAbout = NoteAbout.SEEN
    owner: Line | None = None
    due: Line | None = None
    clock: Clock | None = None
    by: Duration | None = Field(default=None, ge=timedelta(seconds=1), le=timedelta(hours=4))
    to: Line | None = None
    fault: Name | None = None
    """With a done: the fault that it is about, where several are asked of people."""
    half: Half | None = None
    """With a done: which half of it its sender has seen asked."""
    relayed: bool = False
    """Somebody else passes it on, so that it is no sign that its sender is there now."""
    guesses: tuple[Guess, ...] = Field(default=(), max_length=MOST_GUESSES)
    scenario: int | None = Field(default=None, ge=1, le=MOST_SCENARIOS)
    """With a prediction: the number of the scenario that it is for, from 1; None for the next that has no go yet."""

    @property
    def said(self) -> dict[str, JsonValue]:
        """Who said it, where, and by which id, as the audit log keeps it."""
        return {"by": self.actor.id, "via": self.actor.via, "id": self.id}


class Answer(Model):
    """What the sender is told once the command is latched."""

    text: str = Field(max_length=1000)


class Moment(Model):
    """What decides whether a command is accepted: where the run is."""

    ended: bool = False
    ending: bool = False
    held: bool = False
    gate: str | None = None
    targets: str = ""
    """The digest of the list of targets that a go would be for; empty while there is none."""
    scenario: int | None = None
    resting: bool = False
    """The scenario has been judged: its debrief or the break after it is on."""
    injected: bool = False
    fault_on: bool = False
    sealed: bool = False
    revealed: bool = False
    checklist: tuple[str, ...] = ()
    """Who ticks each item: a name from the team, or nothing."""
    abort_from: AbortFrom = AbortFrom.ANYONE
    started_by: str = ""
    team: tuple[str, ...] = ()
    """The names of those who are present."""
    handed_to: str = ""
    """Who commands since the last handover; empty while nothing was handed over."""
    asked: tuple[Asked, ...] = ()
    """What is asked of people now, to be done by hand."""
    two_people: bool = False
    """The gate that waits wants its go from somebody else than whoever started the run."""


_COMMANDING = frozenset({Role.COMMANDER})
_REPAIRING = frozenset({Role.COMMANDER, Role.TECHNICAL_LEAD})
_LEADING = frozenset({Role.COMMANDER, Role.TECHNICAL_LEAD, Role.SAFETY})
_ANYONE = frozenset(Role)

MAY: Mapping[Verb, frozenset[Role]] = {
    Verb.GO: _COMMANDING,
    Verb.HOLD: _LEADING,
    Verb.RESUME: _COMMANDING,
    Verb.SKIP: _COMMANDING,
    Verb.EXTEND: _COMMANDING,
    Verb.REVEAL: _COMMANDING,
    Verb.HANDOVER: _COMMANDING,
    Verb.DONE: _REPAIRING,
    Verb.READY: _ANYONE,
    Verb.UNREADY: _ANYONE,
    Verb.TICK: _ANYONE,
    Verb.ABORT: _ANYONE,
    Verb.REAL: _ANYONE,
    Verb.NOTE: _ANYONE,
    Verb.MARK: _ANYONE,
    Verb.HERE: _ANYONE,
    Verb.PREDICT: _ANYONE,
}
"""Who may say what. Whoever started the run may say everything until it is handed over; anyone who can reach it may abort, call a real incident,
note and mark. Of what is asked of somebody by name, they may say themselves that it is done."""


def refusal(command: Command, moment: Moment) -> str | None:
    """Why a command is not accepted now, or None when it is. What is urgent is at any moment; after the end it is answered with the outcome."""
    verb = command.verb
    if verb in URGENT:
        return _urgent_refusal(command.actor, verb, moment)
    if moment.ended:
        return OVER
    if verb is Verb.DONE:
        return _done_refusal(command, moment)
    if verb not in (Verb.NOTE, Verb.MARK) and not _may(command.actor, verb, moment):
        return f"{command.actor.name} may not {verb}: that is for {_those(verb, moment)}"
    if verb is Verb.NOTE:
        return None if command.text else "a note needs text"
    if moment.ending and verb is not Verb.MARK:
        return "the run is ending"
    return _moment_refusal(command, moment)


def _urgent_refusal(actor: Actor, verb: Verb, moment: Moment) -> str | None:
    if moment.abort_from is AbortFrom.ANYONE or actor.role is not None or actor.id == moment.started_by:
        return None
    return f"{actor.name} may not {verb}: this day takes it from its team alone (abort_from), and from whoever started the run"


def may_decide(actor: Actor, moment: Moment) -> bool:
    """Whether this is one of those of whom somebody must be there while a fault is on."""
    return actor.id == moment.started_by or _may(actor, Verb.HOLD, moment)


def may_say_done(actor: Actor, asked: Asked, moment: Moment) -> bool:
    """Whether this is somebody whose word counts for what is asked there."""
    return actor.name == asked.by or _may(actor, Verb.DONE, moment)


def meant(command: Command, moment: Moment) -> list[Asked]:
    """What a done may be about, of all that is asked of people now."""
    mine = [asked for asked in moment.asked if may_say_done(command.actor, asked, moment)]
    return [asked for asked in mine if command.fault in (None, asked.fault)]


def _done_refusal(command: Command, moment: Moment) -> str | None:
    """Who is neither asked nor leads is told the same whether anything is asked or not: a sealed scenario may be under way."""
    actor, found = command.actor, meant(command, moment)
    known = [asked.fault for asked in meant(command.model_copy(update={"fault": None}), moment)]
    if not known and not _may(actor, Verb.DONE, moment):
        return f"{actor.name} may not say done: that is for whoever is asked, {_those(Verb.DONE, moment)}"
    if not known:
        return "nothing is asked of anybody now, to be done by hand"
    if not found:
        return f"{command.fault!r} is nothing that {actor.name} may say done to now; expected {' or '.join(known)}"
    if len(found) > 1:
        return f"several things are asked for; say which is done: {' or '.join(known)}"
    if command.half not in (None, found[0].half):
        return f"that was for an earlier request; asked now is: {found[0].text}"
    return None


def _may(actor: Actor, verb: Verb, moment: Moment) -> bool:
    if moment.handed_to and actor.name == moment.handed_to:
        return True
    if moment.handed_to and (actor.id == moment.started_by or actor.role is Role.COMMANDER):
        return Role.OBSERVER in MAY[verb]  # who has handed over looks on
    return actor.id == moment.started_by or (actor.role is not None and actor.role in _roles(verb, moment))


def _tick_refusal(command: Command, moment: Moment) -> str | None:
    if command.item is None or command.item > len(moment.checklist):
        return f"there is no such checklist item: the list has {len(moment.checklist)}"
    owner = moment.checklist[command.item - 1]
    if owner in moment.team and command.actor.name != owner and not _may(command.actor, Verb.HANDOVER, moment):
        return f"that item is {owner}'s to tick, or the commander's"
    return None


def _roles(verb: Verb, moment: Moment) -> frozenset[Role]:
    return _LEADING if verb is Verb.GO and moment.two_people else MAY[verb]


def _those(verb: Verb, moment: Moment) -> str:
    """Who may say it, in words."""
    roles = sorted(role.replace("_", " ") for role in _roles(verb, moment))
    if not moment.handed_to:
        return f"{', '.join(roles)}, or whoever started the run"
    return ", ".join([moment.handed_to, *(role for role in roles if role != Role.COMMANDER)])


def _moment_refusal(command: Command, moment: Moment) -> str | None:
    match command.verb:
        case Verb.GO if moment.gate is None:
            return "no gate is waiting for a go"
        case Verb.GO if command.gate is not None and command.gate != moment.gate:
            return f"that go was for the gate '{command.gate}', and '{moment.gate}' is waiting now"
        case Verb.GO if command.targets is not None and moment.targets and command.targets != moment.targets:
            return "the list of what will be touched has changed since you saw it; look at it again (`gameday status`), then say go"
        case Verb.GO if moment.two_people and command.actor.id == moment.started_by:
            return "this gate asks for two people: whoever started the run cannot say go to it as well"
        case Verb.HANDOVER if command.to is None or command.to not in moment.team:
            return f"there is nobody called {command.to!r} in the team; expected one of {', '.join(moment.team) or 'those whom the playbook names'}"
        case Verb.HANDOVER if command.to == moment.handed_to:
            return f"{command.to} commands already"
        case Verb.HOLD if moment.held:
            return "the run is on hold already"
        case Verb.RESUME if not moment.held:
            return "the run is not on hold"
        case Verb.SKIP | Verb.MARK | Verb.REVEAL if moment.scenario is None:
            return "no scenario is under way"
        case Verb.MARK if moment.resting:
            return "the scenario is over, its clocks stand; say it as a note"
        case Verb.MARK if not moment.injected and (moment.revealed or not moment.sealed):
            return "nothing has been injected yet, so there is nothing to mark; a note can be written at any time"
        case Verb.MARK if command.clock is None:
            return "say what you mark: detected or mitigated"
        case Verb.REVEAL if moment.revealed:
            return "this scenario is revealed already"
        case Verb.REVEAL if not moment.sealed:
            return "this scenario is not sealed"
        case Verb.EXTEND if not moment.fault_on:
            return "no fault is on that could be extended"
        case Verb.EXTEND if command.by is None:
            return "say by how long, such as 2m"
        case Verb.TICK:
            return _tick_refusal(command, moment)
        case _:
            return None
