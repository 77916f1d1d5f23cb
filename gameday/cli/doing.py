"""Saying that what was asked to be done by hand is done: to the day, and once that is over to the fault itself, which waits for it for ever."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from gameday.by_hand import Asked, open_errands
from gameday.cli import context
from gameday.cli.saying import make
from gameday.cli.screens import complain
from gameday.commands import Command, Verb
from gameday.errors import Refused

if TYPE_CHECKING:
    from activities.store import RunStore
    from gameday.settings import Settings

Errands = dict[str, tuple[str, Asked]]


def say_done(run: str, fault: str | None, half: str | None) -> str:
    """Returns what the run, or the fault, answers.

    Raises:
        Refused: nothing of the kind is asked, or not of whoever says it; the message says why.
    """
    known = context.settings()
    opened = context.store(known)
    whole = context.record(opened, run)
    seen = _seen(open_errands(context.visible(known, whole).events), fault)
    if seen is not None and half in (None, seen.half):
        half = seen.half.value
        _confirm(seen)
    command = make(Verb.DONE, context.speaker(known, whole.plan.playbook), {"fault": fault, "half": half})
    return context.carry_out(_tell(known, opened, whole.plan.run_id, command))


def _seen(errands: Errands, fault: str | None) -> Asked | None:
    """What the word is about, as far as whoever says it can see; None where that is not clear, and the run says why."""
    found = [asked for name, (_, asked) in errands.items() if fault in (None, name)]
    return found[0] if len(found) == 1 else None


def _confirm(asked: Asked) -> None:
    """Shows what the word would be about. It is all the proof there will be, so nobody gives it by mistake.

    Raises:
        Refused: it is not done after all.
    """
    complain(f"{asked.fault}: {asked.by} is asked: {asked.text}")
    if sys.stdin.isatty() and not typer.confirm("Is it done?", err=True):
        raise Refused("nothing was said to be done")


async def _tell(known: Settings, store: RunStore, run: str, command: Command) -> str:
    from worker.connection import connect
    from worker.doing import tell_done

    return await tell_done(await connect(known.home), store, run, command)
