"""Telling a run something from the command line."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

from gameday.cli import context
from gameday.cli.screens import complain
from gameday.commands import URGENT, Actor, Command, Verb
from gameday.errors import BadInput, GamedayError, NotFound, Refused, SettingsError, Unavailable

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.store import RunStore
    from gameday.plan import Plan
    from gameday.record import RunRecord
    from gameday.settings import Settings

FULL_ID = r"[a-z0-9]{4}-[a-z0-9-]{1,75}"
"""A whole run id, as it was told at the start; `latest` and beginnings of ids need the store."""
_EXPECTED = {
    "text": "expected a text of 1 to 2000 characters",
    "reason": "expected a text of 1 to 900 characters",
    "by": "expected a time from 1 s to 4 h, such as 2m",
}
"""What a field of a command may be, in words for people."""
Fields = Mapping[str, object]
BY_ITSELF = "What is on ends by its lease where its host's watchdog lives; `gameday leftovers` there tells, and with --revert takes it off"


def say(run: str, verb: str, fields: Fields) -> str:
    """Sends one command; returns the run's answer.

    Raises:
        Refused: the run does not accept it now; the message says why.
    """
    if verb in URGENT and re.fullmatch(FULL_ID, run):
        return _urgent(run, Verb(verb), fields)
    known = context.settings()
    opened = context.store(known)
    plan = context.plan(opened, run)
    if verb == Verb.TICK:
        fields = {"item": _item(str(fields["item"]), plan)}
    if verb == Verb.GO:
        from gameday.record import RunRecord

        seen = tuple(event for _, event in opened.events_after(plan.run_id, 0))
        fields = _approved(context.visible(known, RunRecord(plan, seen, ())), fields)
    command = make(Verb(verb), context.speaker(known, plan.playbook), fields)
    outcome = opened.outcome(plan.run_id)
    if outcome is not None and command.verb is Verb.NOTE:
        return context.carry_out(_note_afterwards(opened, plan.run_id, command))
    if outcome is not None:
        return _too_late(command, plan, outcome)
    return context.carry_out(tell(known, plan.run_id, command))


async def _note_afterwards(opened: RunStore, run_id: str, command: Command) -> str:
    from worker.afterwards import add_notes, write_report

    said = await add_notes(opened, run_id, [command])
    return f"{said}: {await write_report(run_id)}"


def _approved(record: RunRecord, fields: Fields) -> Fields:
    """What a go is for. The targets that whoever says it may see are shown, and asked about where somebody sits there; no other list is approved.

    Raises:
        Refused: it is not said after all.
    """
    from gameday.view import RunView

    view = RunView(record.plan, record.plan.started_at)
    for event in record.events:
        view.take(event)
    if "targets" in fields or not view.targets_digest or fields.get("gate") not in (None, view.gate) or not view.gate.startswith("inject"):
        return fields
    for target in view.targets:
        complain(f"touches {target}")
    if sys.stdin.isatty() and not typer.confirm("Go?", err=True):
        raise Refused("no go was said")
    return {**fields, "targets": view.targets_digest}


def _urgent(run: str, verb: Verb, fields: Fields) -> str:
    """By what looks like a whole id, before the store is asked for anything: neither it nor settings may stand between anybody and an abort."""
    known, user = context.urgent_settings(verb), context.user()
    command = make(verb, Actor(id=f"os:{user}", name=known.people.get(user, user)), fields)
    try:
        return context.carry_out(tell(known, run, command))
    except (NotFound, Unavailable):
        run_id, outcome = _known_as(known, run)
        if outcome is not None:
            return f"{run_id} is over already: {outcome}"
        if run_id in ("", run):
            raise
    return context.carry_out(tell(known, run_id, command))


def _known_as(known: Settings, run: str) -> tuple[str, str | None]:
    """The run whose id begins so, with its outcome, as far as the store can say."""
    try:
        opened = context.store(known)
        run_id = context.which(opened, run)
        return run_id, opened.outcome(run_id)
    except (GamedayError, OSError, ValueError):
        return "", None


async def tell(known: Settings, run_id: str, command: Command) -> str:
    """Sends a command, and returns the run's answer. An abort is tried for as long as a restart of Temporal takes: it may come at that moment."""
    from worker.client import INSISTENCE, send
    from worker.connection import at_hand, connect

    if command.verb not in URGENT:
        return (await send(await connect(known.home), run_id, command)).text
    try:
        client = await urgently(known, str(command.verb))
    except Unavailable as error:
        if not at_hand(known.home):
            raise Unavailable(f"{error}. {BY_ITSELF}") from None
        complain(f"{error}. The {command.verb} is tried for another {INSISTENCE:.0f} s. {BY_ITSELF}")
        client = await urgently(known, str(command.verb), INSISTENCE)
    try:
        return (await send(client, run_id, command)).text
    except Unavailable as error:
        raise Unavailable(f"{error}. {BY_ITSELF}") from None


async def urgently(known: Settings, what: str, patience: float = 5.0) -> Client:
    """Temporal, for what nothing may stand in the way of: a key that cannot be used does not, since what is not encrypted is understood too."""
    from worker.connection import connect

    try:
        return await connect(known.home, patience)
    except SettingsError as error:
        complain(f"{error}. The {what} goes on, not encrypted")
        return await connect(known.home, patience, keyless=True)


def _item(said: str, plan: Plan) -> int:
    """The number of a checklist item that is named by it, or by how its text begins.

    Raises:
        BadInput: there is no such item, or more than one.
    """
    items = [each.item for each in plan.playbook.checklist]
    found = [int(said)] if said.isdigit() else [at for at, text in enumerate(items, 1) if text.casefold().startswith(said.casefold())]
    if len(found) != 1 or not 1 <= found[0] <= len(items):
        listed = ", ".join(f"{at} {text}" for at, text in enumerate(items, 1)) or "this playbook has none"
        raise BadInput(f"{said!r} is not one item of the checklist; expected a number, or how one begins: {listed}")
    return found[0]


def _too_late(command: Command, plan: Plan, outcome: str) -> str:
    """The answer for a run that is over: nothing is wrong with an abort, everything else has come too late."""
    if command.verb in URGENT:
        return f"{plan.run_id} is over already: {outcome}"
    raise Refused(f"{plan.run_id} is over ({outcome}): it takes no {command.verb} any more")


def read_guesses(said: Sequence[str]) -> list[dict[str, str]]:
    """`QUESTION=ANSWER`, each.

    Raises:
        BadInput: one has no answer, or no question.
    """
    pairs = [(text, *(part.strip() for part in text.rpartition("=")[::2])) for text in said]
    for text, question, answer in pairs:
        if not question or not answer:
            raise BadInput(f"{text!r} is no prediction; expected QUESTION=ANSWER, such as 'first alert after=10s' or 'worst errors=2 %'")
    return [{"question": question, "answer": answer} for _, question, answer in pairs]


def make(verb: Verb, actor: object, fields: Fields) -> Command:
    """A command with an id of its own, so that it acts once however often it is delivered.

    Raises:
        BadInput: a field has a value that there is not.
    """
    try:
        return Command.model_validate({"verb": verb, "id": f"cli-{secrets.token_hex(8)}", "actor": actor, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise BadInput(f"{field}: {_EXPECTED.get(field) or first['msg'].removeprefix('Value error, ')}") from None
