"""Telling a run something from the command line."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gameday.cli import context
from gameday.commands import Command, Verb
from gameday.errors import BadInput, NotFound

if TYPE_CHECKING:
    from gameday.settings import Settings


def say(run: str, verb: str, fields: dict[str, str | int | timedelta]) -> str:
    """Sends one command; returns the run's answer."""
    known = context.settings()
    return context.carry_out(_say(known, run, Verb(verb), fields))


async def _say(known: Settings, run: str, verb: Verb, fields: dict[str, str | int | timedelta]) -> str:
    from worker.client import send
    from worker.connection import connect

    opened = context.store(known)
    run_id = context.which(opened, run)
    plan = opened.plan(run_id)
    if plan is None:
        raise NotFound(f"there is no run {run!r}")
    command = make(verb, context.speaker(known, plan.playbook), fields)
    answer = await send(await connect(known), run_id, command)
    return answer.text


def make(verb: Verb, actor: object, fields: dict[str, str | int | timedelta]) -> Command:
    """A command with an id of its own, so that it acts once however often it is delivered.

    Raises:
        BadInput: a field has a value that there is not.
    """
    try:
        return Command.model_validate({"verb": verb, "id": f"cli-{secrets.token_hex(8)}", "actor": actor, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
