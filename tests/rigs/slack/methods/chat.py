"""Messages: posted, changed, taken away, shown to one person, and marked with a reaction."""

from __future__ import annotations

import json
from typing import Any

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.block_kit import problems
from tests.rigs.slack.methods.registry import Method, ok
from tests.rigs.slack.no import No, not_valid
from tests.rigs.slack.things import Channel, Json, Message
from tests.rigs.slack.workspace import Workspace

MOST_TEXT = 40_000
MOST_METADATA = 16 * 1024
"""Bytes of an event's payload."""


def content(workspace: Workspace, args: Arguments, where: str) -> Json:
    """The text, blocks and metadata that are given, as far as they are, and all within Slack's limits."""
    found: Json = {key: args.text(key) for key in ("text",) if key in args}
    blocks = args.nested("blocks", "invalid_blocks_format")
    if blocks is not None:
        wrong = problems(blocks)
        if wrong:
            workspace.violated(where, wrong)
            raise not_valid("invalid_blocks", wrong)
        found["blocks"] = blocks
    if len(found.get("text", "")) > MOST_TEXT:
        workspace.violated(where, [f"a text of {len(found['text'])} characters"])
        raise No("msg_too_long")
    if "metadata" in args:
        found["metadata"] = _metadata(workspace, args, where)
    return found


def _metadata(workspace: Workspace, args: Arguments, where: str) -> Any:
    given = args.nested("metadata", "invalid_metadata_format")
    if given == {}:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str) or not isinstance(given.get("event_payload"), dict):
        workspace.violated(where, ["metadata has an event_type, a string, and an event_payload, an object"])
        raise No("invalid_metadata_format")
    if len(json.dumps(given["event_payload"]).encode()) > MOST_METADATA:
        workspace.violated(where, [f"metadata of more than {MOST_METADATA} bytes"])
        raise No("metadata_too_large")
    return given


def _where(workspace: Workspace, args: Arguments) -> Channel:
    """The channel to post to; a user's id means their direct messages."""
    name = args.text("channel")
    if name in workspace.people:
        return workspace.im(name)
    named = next((each.id for each in workspace.channels.values() if not each.im_of and each.name == name.removeprefix("#")), name)
    found = workspace.seen(named)
    if workspace.bot_user not in found.members and "chat:write.public" not in workspace.scopes:
        raise No("not_in_channel")
    if found.archived:
        raise No("is_archived")
    return found


def post_message(workspace: Workspace, args: Arguments) -> Json:
    channel = _where(workspace, args)
    what = content(workspace, args, "chat.postMessage")
    if not what.get("text") and not what.get("blocks"):
        raise No("no_text")
    thread = workspace.parent(channel.id, args.text("thread_ts"))
    message = workspace.post(channel.id, workspace.bot_user, **what, thread_ts=thread, broadcast=bool(thread) and args.flag("reply_broadcast"))
    return ok(channel=channel.id, ts=message.ts, message=message.api())


def post_ephemeral(workspace: Workspace, args: Arguments) -> Json:
    channel, user = workspace.joined(args.text("channel")), args.needed("user")
    if channel.archived:
        raise No("is_archived")
    if user not in channel.members:
        raise No("user_not_in_channel")
    what = content(workspace, args, "chat.postEphemeral")
    if not what.get("text") and not what.get("blocks"):
        raise No("no_text")
    thread = workspace.parent(channel.id, args.text("thread_ts"))
    message = workspace.post(channel.id, workspace.bot_user, **what, thread_ts=thread, to=user)
    return ok(message_ts=message.ts)


def _mine(workspace: Workspace, args: Arguments, error: str) -> Message:
    """A message of the app's own: it can neither change others' nor ephemeral ones."""
    channel = workspace.seen(args.text("channel"))
    found = workspace.posted.get((channel.id, args.needed("ts")))
    if found is None or found.deleted or found.to:
        raise No("message_not_found")
    if found.user != workspace.bot_user:
        raise No(error)
    if channel.archived:
        raise No("is_archived")
    return found


def update(workspace: Workspace, args: Arguments) -> Json:
    """Changes what is given; a part that is left out stays, an empty one goes."""
    message = _mine(workspace, args, "cant_update_message")
    what = content(workspace, args, "chat.update")
    if not what.get("text") and not what.get("blocks"):
        raise No("no_text")
    edited = workspace.edit(message, **what)
    return ok(channel=edited.channel, ts=edited.ts, text=edited.text, message=edited.api())


def delete(workspace: Workspace, args: Arguments) -> Json:
    message = _mine(workspace, args, "cant_delete_message")
    workspace.edit(message, deleted=True)
    return ok(channel=message.channel, ts=message.ts)


def add_reaction(workspace: Workspace, args: Arguments) -> Json:
    channel, name = workspace.joined(args.text("channel")), args.needed("name").strip(":")
    message = workspace.posted.get((channel.id, args.text("timestamp")))
    if message is None or message.deleted or message.to:
        raise No("message_not_found")
    if workspace.bot_user in message.reactions.get(name, ()):
        raise No("already_reacted")
    message.reactions = {**message.reactions, name: [*message.reactions.get(name, ()), workspace.bot_user]}
    return ok()


WRITES = ("chat:write",)
METHODS = {
    "chat.postMessage": Method(post_message, WRITES),
    "chat.postEphemeral": Method(post_ephemeral, WRITES),
    "chat.update": Method(update, WRITES),
    "chat.delete": Method(delete, WRITES),
    "reactions.add": Method(add_reaction, ("reactions:write",)),
}
