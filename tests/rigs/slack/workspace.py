"""One workspace with one app in it: everything that Slack remembers. Only the server's own thread touches it."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import replace
from typing import Any

from tests.rigs.slack import inputs
from tests.rigs.slack.no import No
from tests.rigs.slack.things import Call, Channel, File, Hook, Json, Message, Person, Trigger, View, named

SCOPES = frozenset(
    {
        *("commands", "chat:write", "chat:write.public", "users:read", "files:write", "reactions:read", "reactions:write"),
        *("channels:read", "channels:history", "channels:manage", "channels:join"),
        *("groups:read", "groups:history", "groups:write", "im:read", "im:history", "im:write", "metadata.message:read"),
    }
)
HOOK_LASTS, HOOK_USES = 30 * 60.0, 5
MOST_VIEWS = 3


class Workspace:
    def __init__(self, signing_secret: str | None) -> None:
        self.team_id, self.team_domain, self.app_id, self.bot_user, self.bot_id = "T01", "gameday-test", "A01", "UBOT", "B01"
        self.bot_token, self.app_token = f"xoxb-1-{secrets.token_hex(12)}", f"xapp-1-A01-{secrets.token_hex(12)}"
        self.signing_secret, self.verification_token = signing_secret or secrets.token_hex(16), secrets.token_hex(12)
        self.scopes, self.trigger_lasts = set(SCOPES), 3.0
        self.left: dict[tuple[str, str, str], Json] = {}
        """What somebody left standing in the inputs of a message."""
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.posted: dict[tuple[str, str], Message] = {}
        self.views: dict[str, View] = {}
        self.modals: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.hooks: dict[str, Hook] = {}
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self._count, self._last_ts = itertools.count(1), 0
        self.person(self.bot_user, name="gameday", real_name="gameday", is_bot=True)

    def id(self, prefix: str) -> str:
        return f"{prefix}{next(self._count):08X}"

    def ts(self) -> str:
        """A time that no other message has: later than the last one."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def violated(self, where: str, problems: list[str]) -> None:
        self.violations += [f"{where}: {problem}" for problem in problems]

    def person(self, user: str, **known: Any) -> Person:
        """Somebody, made where there is none yet, with what is known of them now."""
        name = user.lower()
        found = self.people.get(user) or Person(user, self.team_id, name, f"Person {user}", name)
        self.people[user] = replace(found, **known)
        return self.people[user]

    def channel(self, channel_id: str, name: str = "", private: bool = False) -> Channel:
        """A channel, made where there is none yet."""
        made = Channel(channel_id, name or f"c-{channel_id.lower()}", private=private, created=int(time.time()))
        return self.channels.setdefault(channel_id, made)

    def im(self, user: str) -> Channel:
        """The direct messages between somebody and the app."""
        if user not in self.people or user == self.bot_user:
            raise No("user_not_found")
        found = next((each for each in self.channels.values() if each.im_of == user), None)
        if found is None:
            found = self.channel(self.id("D"))
            found.im_of, found.members, found.name = user, [user, self.bot_user], "directmessage"
        return found

    def seen(self, channel: str) -> Channel:
        """A channel that the app may know of: a private one that it is not in is none."""
        found = self.channels.get(channel)
        if found is None or (found.private and self.bot_user not in found.members):
            raise No("channel_not_found")
        return found

    def joined(self, channel: str) -> Channel:
        found = self.seen(channel)
        if self.bot_user not in found.members:
            raise No("not_in_channel")
        return found

    def post(self, channel: str, user: str, **what: Any) -> Message:
        """A message in a channel. Of the app's own, Slack gives the blocks their ids."""
        mine = {"bot_id": self.bot_id, "username": self.people[self.bot_user].name} if user == self.bot_user else {}
        what["blocks"] = named(what.get("blocks") or (), self._block_id)
        message = Message(channel, self.ts(), user, **{**mine, **what})
        self.posted[channel, message.ts] = message
        return message

    def edit(self, message: Message, **what: Any) -> Message:
        if "blocks" in what:
            what["blocks"] = named(what["blocks"], self._block_id)
        edited = replace(message, edits=message.edits + 1, **what)
        self.posted[message.channel, message.ts] = edited
        return edited

    def _block_id(self) -> str:
        return secrets.token_urlsafe(4)

    def in_channel(self, channel: str) -> list[Message]:
        """All that stands there for everybody, replies too, in order."""
        return [each for each in self.posted.values() if each.channel == channel and not each.to and not each.deleted]

    def replies(self, message: Message) -> list[Message]:
        return [each for each in self.in_channel(message.channel) if each.thread_ts == message.ts]

    def parent(self, channel: str, ts: str | None) -> str | None:
        """Whom a reply answers: an answer to a reply goes into the same thread."""
        if not ts:
            return None
        found = self.posted.get((channel, ts))
        if found is None or found.to:
            raise No("thread_not_found")
        return found.thread_ts or found.ts

    def trigger(self, user: str, view: str = "") -> str:
        made = f"{time.time_ns()}.{next(self._count)}.{secrets.token_hex(16)}"
        self.triggers[made] = Trigger(user, time.monotonic(), view=view)
        return made

    def exchange(self, trigger_id: str) -> Trigger:
        """Who may be shown a modal for it."""
        found = self.triggers.get(trigger_id)
        if found is None:
            raise No("invalid_trigger_id" if trigger_id else "invalid_arguments")
        if found.used:
            raise No("exchanged_trigger_id")
        if time.monotonic() - found.at > self.trigger_lasts:
            raise No("expired_trigger_id")
        found.used = True
        return found

    def hook(self, user: str, channel: str, message: str = "") -> str:
        """The name of a new response_url."""
        made = secrets.token_urlsafe(12)
        self.hooks[made] = Hook(user, channel, time.monotonic(), message)
        return made

    def show(self, user: str, body: Json, over: View | None = None) -> View:
        """A new view, on top of another one where there is one."""
        body = {**body, "blocks": named(body["blocks"], self._block_id)}
        new = self.id("V")
        view = View(new, self._hash(), user, body, over.root_view_id if over else new, over.id if over else None)
        self.views[new] = view
        return view

    def change(self, view: View, body: Json) -> View:
        """Another content for a view; what stands in inputs that are still there stays in them."""
        blocks = named(body["blocks"], self._block_id)
        changed = replace(view, body={**body, "blocks": blocks}, hash=self._hash(), state=inputs.kept(blocks, view.state))
        self.views[view.id] = changed
        return changed

    def _hash(self) -> str:
        return f"{int(time.time())}.{secrets.token_hex(4)}"

    def top(self, user: str) -> View | None:
        stack = self.modals.get(user) or []
        return self.views[stack[-1]] if stack else None

    def push(self, user: str, body: Json) -> View:
        stack = self.modals.setdefault(user, [])
        if len(stack) >= MOST_VIEWS:
            raise No("push_limit_reached")
        view = self.show(user, body, self.top(user))
        stack.append(view.id)
        return view

    def close(self, user: str, everything: bool = False) -> None:
        """The top modal goes, or the whole stack."""
        stack = self.modals.get(user) or []
        for _ in range(len(stack) if everything else min(1, len(stack))):
            self.views.pop(stack.pop(), None)
