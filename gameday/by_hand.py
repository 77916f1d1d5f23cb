"""What is done by hand: an errand, its two halves, and the word of whoever has done one.

No host carries it out and nothing reads it back: a fault of this kind is on, and off, when somebody says so, and is shown to be no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field, JsonValue

from gameday.catalogue import InjectorParams
from gameday.event import Event, EventKind
from gameday.model import Line, Model, Name, PositiveDuration

MANUAL = "manual"
"""The kind of fault that is asked of somebody."""
PLACE = "by-hand"
"""Stands where the name of a host would, for what is on none."""
BY_HAND = "by hand"
_WORD = "by the word of "
NOBODY_ASKED = "nobody was asked"


class Errand(InjectorParams):
    """Something that somebody does by hand, and later undoes by hand."""

    do: Line
    """What is to be done, as whoever does it will read it."""
    undo: Line
    """What takes it back."""
    by: Line | None = None
    """Who does it: a name from the team; without it the technical lead, else the commander, else whoever started the run."""
    do_within: PositiveDuration = timedelta(minutes=10)
    """How long the 'done' is waited for. After that the fault is not injected; it is undone all the same, since it may be half done."""
    undo_within: PositiveDuration = timedelta(minutes=5)
    """How long the undo may take before the fault is dirty; once the day has been aborted, 30 s."""

    def text(self, half: Half) -> str:
        return self.do if half is Half.DO else self.undo


class Half(StrEnum):
    DO = "do"
    UNDO = "undo"


class Done(Model):
    """The word of somebody that a half is done."""

    half: Half
    by: Line
    said: dict[str, JsonValue] = Field(default_factory=dict)
    """Who said it, where, and by which id."""


class Asked(Model):
    """What somebody is asked to do now, for which fault, and how long that is waited for."""

    fault: Name
    half: Half
    text: str
    by: Line
    until: datetime | None = None


def label(errand: Errand) -> str:
    """What people read in the place of a target."""
    return f"{BY_HAND}, {errand.by}"


def word_of(name: str) -> str:
    """What stands in a proof where a read-back would be."""
    return f"{_WORD}{name}"


def is_word(state: str) -> bool:
    """Whether that is all that a line of proof rests on."""
    return state.startswith(_WORD) or state == NOBODY_ASKED


def at(place: str) -> str:
    """The place of a fault, after its name."""
    return f", {place}" if place.removeprefix("dry run: ").startswith(f"{BY_HAND}, ") else f" on {place}"


def open_errands(events: Iterable[Event]) -> dict[str, tuple[str, Asked]]:
    """What is asked of people and not done yet, as a record tells it: by the fault's name, with its id (empty where it is veiled)."""
    found: dict[str, tuple[str, Asked]] = {}
    for event in events:
        if event.kind is EventKind.FAULT_ASKED:
            found[event.text("name")] = (event.fault or "", asked_in(event))
        elif event.kind in (EventKind.FAULT_ACTIVE, EventKind.FAULT_ENDED):
            found.pop(event.text("name"), None)
    return found


def asked_in(event: Event) -> Asked:
    """What an event asks of somebody."""
    until = event.text("until")
    return Asked(
        fault=event.text("name"),
        half=Half(event.text("what")),
        text=event.text("text"),
        by=event.text("by"),
        until=datetime.fromisoformat(until) if until else None,
    )
