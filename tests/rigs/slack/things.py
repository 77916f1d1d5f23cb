"""What a workspace is made of: people, channels, messages, views, files, and the calls that an app made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.rigs.slack import reading

Json = dict[str, Any]


@dataclass
class Person:
    """A user. What they call themselves proves nothing, so tests may have it lie."""

    id: str
    team_id: str
    name: str = ""
    real_name: str = ""
    display_name: str = ""
    tz: str = "Europe/Berlin"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False

    def api(self) -> Json:
        profile = {"real_name": self.real_name, "display_name": self.display_name, "team": self.team_id}
        more = {key: getattr(self, key) for key in ("is_bot", "deleted", "is_restricted", "is_ultra_restricted", "tz", "real_name")}
        return {"id": self.id, "team_id": self.team_id, "name": self.name, "profile": profile, "is_app_user": False, **more}


@dataclass
class Channel:
    id: str
    name: str
    members: list[str] = field(default_factory=list)
    private: bool = False
    archived: bool = False
    topic: str = ""
    purpose: str = ""
    creator: str = ""
    created: int = 0
    im_of: str = ""
    """Whose direct messages with the app these are."""

    def api(self, bot: str) -> Json:
        if self.im_of:
            return {"id": self.id, "created": self.created, "is_im": True, "user": self.im_of, "is_archived": False}
        words = {key: {"value": value, "creator": "", "last_set": 0} for key, value in (("topic", self.topic), ("purpose", self.purpose))}
        kind = {"is_channel": not self.private, "is_group": False, "is_im": False, "is_mpim": False, "is_private": self.private}
        who = {"is_member": bot in self.members, "creator": self.creator, "created": self.created}
        return {"id": self.id, "name": self.name, "name_normalized": self.name, "is_archived": self.archived, **kind, **who, **words}


@dataclass
class File:
    id: str
    name: str
    length: int
    title: str = ""
    bytes: bytes = b""
    channel: str = ""
    thread_ts: str | None = None
    shared_with: list[str] = field(default_factory=list)

    def api(self) -> Json:
        return {"id": self.id, "name": self.name, "title": self.title or self.name, "size": self.length}


@dataclass
class Message:
    """One message, as it was when it was looked at. An ephemeral one has its only reader in `to`."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    """Of a reply: the message that it answers."""
    metadata: Json | None = None
    edits: int = 0
    deleted: bool = False
    username: str = ""
    to: str = ""
    broadcast: bool = False
    bot_id: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)

    @property
    def action_ids(self) -> list[str]:
        return reading.action_ids(self.blocks)

    @property
    def plain(self) -> str:
        return f"{self.text}\n{reading.plain(self.blocks)}"

    def api(self) -> Json:
        shown: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts}
        if self.bot_id:
            shown |= {"bot_id": self.bot_id, "username": self.username}
        if self.blocks:
            shown["blocks"] = self.blocks
        if self.thread_ts:
            shown |= {"thread_ts": self.thread_ts} | ({"subtype": "thread_broadcast"} if self.broadcast else {})
        if self.edits:
            shown["edited"] = {"user": self.user, "ts": self.ts}
        if self.reactions:
            shown["reactions"] = [{"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()]
        if self.files:
            shown["files"] = [each.api() for each in self.files]
        return shown


@dataclass
class View:
    """A modal or a home, as it was when it was looked at. `state` has what stands in its inputs, by block and action."""

    id: str
    hash: str
    user: str
    body: Json
    root_view_id: str
    previous_view_id: str | None = None
    state: Json = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.body["type"])

    @property
    def blocks(self) -> list[Json]:
        return list(self.body["blocks"])

    @property
    def callback_id(self) -> str:
        return str(self.body.get("callback_id") or "")

    @property
    def private_metadata(self) -> str:
        return str(self.body.get("private_metadata") or "")

    @property
    def title(self) -> str:
        return str((self.body.get("title") or {}).get("text", ""))

    @property
    def action_ids(self) -> list[str]:
        return reading.action_ids(self.blocks)

    @property
    def plain(self) -> str:
        return f"{self.title}\n{reading.plain(self.blocks)}"

    def api(self, team: str, app: str, bot_id: str) -> Json:
        given = {key: self.body.get(key) for key in ("title", "submit", "close") if self.type == "modal"}
        given |= {key: self.body.get(key) or "" for key in ("private_metadata", "callback_id", "external_id")}
        given |= {key: bool(self.body.get(key)) for key in ("clear_on_close", "notify_on_close")}
        where = {"root_view_id": self.root_view_id, "previous_view_id": self.previous_view_id}
        whose = {"team_id": team, "app_id": app, "app_installed_team_id": team, "bot_id": bot_id}
        return {
            "id": self.id,
            "type": self.type,
            "blocks": self.blocks,
            "hash": self.hash,
            "state": {"values": self.state},
            **given,
            **where,
            **whose,
        }


@dataclass(frozen=True)
class Call:
    """A call of the Web API, without its token. `answered` is `ok`, Slack's error, a status, or `hang`."""

    method: str
    at: float
    """Monotonic seconds."""
    args: Json
    answered: str = ""

    def __str__(self) -> str:
        return f"{self.method} {json.dumps(self.args, default=str)[:200]} -> {self.answered}"


@dataclass
class Trigger:
    """Opens a modal for who did something, once, within three seconds."""

    user: str
    at: float
    used: bool = False
    view: str = ""
    """The modal that it was done in."""


@dataclass
class Hook:
    """Where a `response_url` leads: back to where somebody did something."""

    user: str
    channel: str
    at: float
    message: str = ""
    """The message that the button was in."""
    uses: int = 0


def named(blocks: Iterable[Json], new_id: Callable[[], str]) -> list[Json]:
    """Blocks with an id each, and an action id for each element: Slack gives them where the app did not."""
    made = []
    for block in json.loads(json.dumps(list(blocks))):
        block.setdefault("block_id", new_id())
        inside = block.get("elements") if block["type"] == "actions" else [block.get("accessory"), block.get("element")]
        for each in inside or ():
            if isinstance(each, dict) and each["type"] != "image":
                each.setdefault("action_id", new_id())
        made.append(block)
    return made
