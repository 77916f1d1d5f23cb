"""A command out of what somebody did in Slack."""

from __future__ import annotations

from pydantic import ValidationError

from gameday.commands import Actor, Command, Verb
from gameday.errors import BadInput


def command(identity: str, verb: Verb, actor: Actor, **fields: object) -> Command:
    """A command of somebody's. `identity` is the payload's own id, so that it acts once however often it is delivered.

    Raises:
        BadInput: a field has a value that there is not.
    """
    given = {key: value for key, value in fields.items() if value not in (None, "")}
    try:
        return Command.model_validate({"verb": verb, "id": identity, "actor": actor, **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}") from None
