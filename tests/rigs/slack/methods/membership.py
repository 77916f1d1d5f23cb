"""Channels as they are made, filled, named and put away."""

from __future__ import annotations

import re

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.methods.registry import Method, ok
from tests.rigs.slack.no import No
from tests.rigs.slack.things import Channel, Json
from tests.rigs.slack.workspace import Workspace

MOST_NAME, MOST_TOPIC, MOST_INVITED = 80, 250, 100


def create(workspace: Workspace, args: Arguments) -> Json:
    name, private = args.text("name"), args.flag("is_private")
    if not name:
        raise No("invalid_name_required")
    if len(name) > MOST_NAME:
        raise No("invalid_name_maxlength")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise No("invalid_name_specials")
    if not name.strip("-_"):
        raise No("invalid_name_punctuation")
    if any(each.name == name for each in workspace.channels.values()):
        raise No("name_taken")
    channel = workspace.channel(workspace.id("C"), name, private)
    channel.members, channel.creator = [workspace.bot_user], workspace.bot_user
    return ok(channel=channel.api(workspace.bot_user))


def _at_work(workspace: Workspace, args: Arguments) -> Channel:
    channel = workspace.joined(args.needed("channel"))
    if channel.im_of:
        raise No("method_not_supported_for_channel_type")
    if channel.archived:
        raise No("is_archived")
    return channel


def invite(workspace: Workspace, args: Arguments) -> Json:
    """All of them, or nobody where one cannot be; with `force` those who can."""
    channel = _at_work(workspace, args)
    users = [each for each in args.text("users").replace(" ", "").split(",") if each]
    if not users:
        raise No("no_user")
    if len(users) > MOST_INVITED:
        raise No("too_many_users")
    errors = [{"user": each, "ok": False, "error": why} for each in users if (why := _why_not(workspace, channel, each))]
    if errors and not (args.flag("force") and len(errors) < len(users)):
        raise No(str(errors[0]["error"]), errors=errors)
    wrong = {each["user"] for each in errors}
    channel.members += [each for each in dict.fromkeys(users) if each not in wrong]
    return ok(channel=channel.api(workspace.bot_user), **({"errors": errors} if errors else {}))


def _why_not(workspace: Workspace, channel: Channel, user: str) -> str:
    if user == workspace.bot_user:
        return "cant_invite_self"
    if user in channel.members:
        return "already_in_channel"
    person = workspace.people.get(user)
    if person is None:
        return "user_not_found"
    return "cant_invite" if person.deleted else ""


def archive(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.seen(args.needed("channel"))
    if channel.archived:
        raise No("already_archived")
    workspace.joined(channel.id).archived = True
    return ok()


def join(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.seen(args.needed("channel"))
    if channel.private or channel.im_of:
        raise No("method_not_supported_for_channel_type")
    if channel.archived:
        raise No("is_archived")
    if workspace.bot_user in channel.members:
        return ok(channel=channel.api(workspace.bot_user), warning="already_in_channel", response_metadata={"warnings": ["already_in_channel"]})
    channel.members.append(workspace.bot_user)
    return ok(channel=channel.api(workspace.bot_user))


def open_im(workspace: Workspace, args: Arguments) -> Json:
    users = [each for each in args.text("users").split(",") if each]
    if not users and not args.text("channel"):
        raise No("users_list_not_supplied")
    if len(users) > 1:
        raise No("missing_scope", needed="mpim:write", provided=",".join(sorted(workspace.scopes)))
    channel = workspace.im(users[0]) if users else workspace.seen(args.text("channel"))
    return ok(channel=channel.api(workspace.bot_user) if args.flag("return_im") else {"id": channel.id})


def set_topic(workspace: Workspace, args: Arguments) -> Json:
    channel = _at_work(workspace, args)
    if len(args.text("topic")) > MOST_TOPIC:
        raise No("too_long")
    channel.topic = args.text("topic")
    return ok(channel=channel.api(workspace.bot_user))


MANAGES = ("channels:manage", "groups:write")
METHODS = {
    "conversations.create": Method(create, MANAGES),
    "conversations.invite": Method(invite, MANAGES),
    "conversations.archive": Method(archive, MANAGES),
    "conversations.setTopic": Method(set_topic, MANAGES),
    "conversations.join": Method(join, ("channels:join",)),
    "conversations.open": Method(open_im, ("im:write",)),
}
