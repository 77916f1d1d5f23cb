"""Channels as they are read: what they are, who is in them, and what was said."""

from __future__ import annotations

import re

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.methods.registry import Method, ok, page
from tests.rigs.slack.no import No
from tests.rigs.slack.things import Channel, Json, Message
from tests.rigs.slack.workspace import Workspace


def info(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.seen(args.needed("channel"))
    more = {"num_members": len(channel.members)} if args.flag("include_num_members") else {}
    return ok(channel={**channel.api(workspace.bot_user), **more})


def members(workspace: Workspace, args: Arguments) -> Json:
    found, more = page(workspace.seen(args.needed("channel")).members, args)
    return ok(members=found, response_metadata=more)


def listed(workspace: Workspace, args: Arguments) -> Json:
    types = set((args.text("types") or "public_channel").replace(" ", "").split(","))
    if types - {"public_channel", "private_channel", "mpim", "im"}:
        raise No("invalid_types")
    known = [each for each in workspace.channels.values() if _kind(each) in types and (not each.private or workspace.bot_user in each.members)]
    found, more = page([each for each in known if not (each.archived and args.flag("exclude_archived"))], args)
    return ok(channels=[each.api(workspace.bot_user) for each in found], response_metadata=more)


def _kind(channel: Channel) -> str:
    return "im" if channel.im_of else "private_channel" if channel.private else "public_channel"


def history(workspace: Workspace, args: Arguments) -> Json:
    """The newest first, without the replies that were not told to everybody."""
    channel = workspace.joined(args.needed("channel"))
    there = [each for each in workspace.in_channel(channel.id) if (not each.thread_ts or each.broadcast) and _between(each, args)]
    found, more = page(there[::-1], args)
    return ok(messages=[_told(workspace, each, args) for each in found], has_more=bool(more["next_cursor"]), response_metadata=more)


def replies(workspace: Workspace, args: Arguments) -> Json:
    """The message itself, and its replies, oldest first."""
    channel = workspace.joined(args.needed("channel"))
    parent = workspace.posted.get((channel.id, args.needed("ts")))
    if parent is None or parent.deleted or parent.to:
        raise No("thread_not_found")
    found, more = page([each for each in workspace.replies(parent) if _between(each, args)], args, 999)
    told = [_told(workspace, each, args) for each in (parent, *found)]
    return ok(messages=told, has_more=bool(more["next_cursor"]), response_metadata=more)


def _between(message: Message, args: Arguments) -> bool:
    """Whether it lies between `oldest` and `latest`; on the edges only where they are included."""
    at, edges = float(message.ts), args.flag("inclusive")
    oldest, latest = (_time(args, name) for name in ("oldest", "latest"))
    after = oldest is None or at > oldest or (edges and at == oldest)
    return after and (latest is None or at < latest or (edges and at == latest))


def _time(args: Arguments, name: str) -> float | None:
    text = args.text(name)
    if text and not re.fullmatch(r"\d+(\.\d+)?", text):
        raise No(f"invalid_ts_{name}")
    return float(text) if text else None


def _told(workspace: Workspace, message: Message, args: Arguments) -> Json:
    told, answers = message.api(), workspace.replies(message)
    if answers:
        told |= {"thread_ts": message.ts, "reply_count": len(answers), "latest_reply": answers[-1].ts}
    if args.flag("include_all_metadata") and message.metadata:
        told["metadata"] = message.metadata
    return told


READS = ("channels:read", "groups:read", "im:read")
HEARS = ("channels:history", "groups:history", "im:history")
METHODS = {
    "conversations.info": Method(info, READS),
    "conversations.members": Method(members, READS),
    "conversations.list": Method(listed, READS),
    "conversations.history": Method(history, HEARS),
    "conversations.replies": Method(replies, HEARS),
}
