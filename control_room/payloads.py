"""What Slack sends, as a closed set of frozen types. Anything else is junk, or an event that nobody here heeds.

Source: docs.slack.dev, *Interaction payloads*, *Slash commands*, *Events API*.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from gameday.model import Model
from gameday.rooms import SlackUser

Team = Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]{1,20}$")]
Place = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{1,20}$")]
"""A channel, a private one, or a direct message."""
Stamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,8}$")]
"""A message's `ts`, which names it in its channel."""
Short = Annotated[str, StringConstraints(max_length=300)]
Long = Annotated[str, StringConstraints(max_length=4000)]
Answers = dict[str, Annotated[tuple[Long, ...], Field(max_length=100)]]
MOST_ID = 150
"""Characters of an id, so that there is room for what is made of it."""
MOST_BYTES = 256 * 1024
"""Of one payload. Slack's own are smaller: a view has 100 blocks at the most."""


class Junk(ValueError):
    """What Slack would not have sent. The message says what is wrong with it and repeats nothing of it."""


class Who(Model):
    """Who did it, as Slack has authenticated them. Names are not even read: anybody can call themselves anything."""

    team: Team
    user: SlackUser


class Payload(Model):
    """One thing that somebody did. `id` is the same for each delivery of it, and no other has it."""

    id: Short
    who: Who
    channel: Place | None = None
    trigger: Short = ""
    """Opens a dialog, once, within three seconds."""
    response_url: Short = ""


class SlashCommand(Payload):
    text: Long = ""


class Press(Payload):
    """A button, or a choice from a list."""

    action: Short
    value: Annotated[str, StringConstraints(max_length=2000)] = ""
    message: Stamp | None = None


class Submission(Payload):
    """A dialog that was sent off. `values` has what stands in each block, by its id."""

    callback: Short
    metadata: Annotated[str, StringConstraints(max_length=3000)] = ""
    values: Answers = Field(default_factory=dict)


class Shortcut(Payload):
    """A shortcut on a message: what was said, and who had said it (empty for a bot)."""

    callback: Short
    message: Stamp
    said: str = Field(default="", max_length=40_000)
    author: Short = ""


class Reaction(Payload):
    """`shared`: other workspaces are in the channel too, and Slack does not say from which one this person is."""

    message: Stamp
    reaction: Short
    shared: bool = False


class HomeOpened(Payload):
    """Somebody looks at the app's home."""


def read(kind: str, body: Mapping[str, Any]) -> Payload | None:
    """What was done; None for what nobody here heeds.

    Args:
        kind: `slash_commands`, `interactive` or `events_api`, as Socket Mode calls them.

    Raises:
        Junk: Slack sends nothing like it.
    """
    try:
        match kind:
            case "slash_commands":
                return _command(body)
            case "interactive":
                return _interaction(body)
            case "events_api":
                return _event(body)
            case _:
                return None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Junk(f"{kind}: {where} is not what Slack sends") from None
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Junk(f"{kind}: a part of it is missing, or is of another kind") from None


def _command(body: Mapping[str, Any]) -> SlashCommand:
    return SlashCommand(
        id=_id("command", body["trigger_id"]),
        who=Who(team=body["team_id"], user=body["user_id"]),
        channel=body["channel_id"],
        trigger=body["trigger_id"],
        response_url=body.get("response_url", ""),
        text=body.get("text", ""),
    )


def _interaction(body: Mapping[str, Any]) -> Payload | None:
    who = Who(team=body["user"].get("team_id") or body["team"]["id"], user=body["user"]["id"])
    base: dict[str, Any] = {"who": who, "channel": (body.get("channel") or {}).get("id"), "trigger": body.get("trigger_id", "")}
    base["response_url"] = body.get("response_url", "")
    match body["type"]:
        case "block_actions":
            action = body["actions"][0]
            place = (body.get("container") or {}).get("message_ts")
            value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
            done = _id("press", who.team, who.user, action["action_ts"], action["action_id"])
            return Press(id=done, action=action["action_id"], value=value, message=place, **base)
        case "view_submission":
            view = body["view"]
            done = _id("submission", who.user, view["id"], view["hash"])
            values = {block: _answers(state) for block, state in view["state"]["values"].items()}
            return Submission(id=done, callback=view["callback_id"], metadata=view.get("private_metadata", ""), values=values, **base)
        case "message_action":
            said = body["message"]
            done = _id("shortcut", who.user, base["channel"], said["ts"], body.get("action_ts") or body["trigger_id"])
            author = "" if said.get("bot_id") else said.get("user", "")
            return Shortcut(id=done, callback=body["callback_id"], message=said["ts"], said=said.get("text", ""), author=author, **base)
        case _:
            return None


def _answers(state: Mapping[str, Any]) -> tuple[str, ...]:
    """What stands in a block: its one element's text, choice or choices."""
    (element,) = state.values()
    if element.get("selected_options") is not None:
        return tuple(option["value"] for option in element["selected_options"])
    found = element.get("value") or element.get("selected_user") or (element.get("selected_option") or {}).get("value")
    return (found,) if found else ()


def _event(body: Mapping[str, Any]) -> Payload | None:
    event = body["event"]
    match event["type"]:
        case "reaction_added" if event["item"].get("type") == "message":
            who = Who(team=body["team_id"], user=event["user"])
            place, stamp = event["item"]["channel"], event["item"]["ts"]
            shared = body.get("is_ext_shared_channel") is True
            return Reaction(id=_id("event", body["event_id"]), who=who, channel=place, message=stamp, reaction=event["reaction"], shared=shared)
        case "app_home_opened":
            return HomeOpened(id=_id("event", body["event_id"]), who=Who(team=body["team_id"], user=event["user"]))
        case _:
            return None


def _id(kind: str, *parts: object) -> str:
    """The payload's own id, to be found again in Slack's logs; made short where it is longer than an id may be."""
    whole = "-".join(map(str, parts))
    if len(whole) <= MOST_ID and re.fullmatch(r"[A-Za-z0-9._-]+", whole):
        return f"slack-{kind}-{whole}"
    return f"slack-{kind}-{hashlib.sha256(chr(0).join(map(str, parts)).encode()).hexdigest()[:24]}"
