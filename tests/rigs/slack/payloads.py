"""What Slack sends when somebody does something.

Source: docs.slack.dev, *Slash commands*, *Interaction payloads*, *Events API*; samples of slackapi's java-slack-sdk.
"""

from __future__ import annotations

import secrets
import time

from tests.rigs.slack.things import Channel, Json, Message, Person, View
from tests.rigs.slack.workspace import Workspace


class Payloads:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.base = ""

    def command(self, person: Person, channel: Channel, command: str, text: str) -> Json:
        """A form's fields: all of them are text."""
        known = self._workspace
        return {
            "token": known.verification_token,
            "team_id": person.team_id,
            "team_domain": known.team_domain,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": known.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_url("commands", person, channel.id),
            "trigger_id": known.trigger(person.id),
        }

    def on_message(self, kind: str, person: Person, message: Message) -> Json:
        """`block_actions` or `message_action`, on a message. An ephemeral one is not sent along."""
        channel = self._workspace.channels[message.channel]
        container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": bool(message.to)}
        told = {} if message.to else {"message": {**message.api(), "team": self._workspace.team_id}}
        base = self._base(kind, person, self._workspace.trigger(person.id))
        place = {"channel": {"id": channel.id, "name": channel.name}, **told}
        url = {"response_url": self._response_url("actions", person, channel.id, message.ts)}
        if kind == "message_action":
            return {**base, **place, **url, "message_ts": message.ts, "action_ts": self._workspace.ts()}
        thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
        return {**base, **place, **url, "container": {**container, **thread}}

    def on_view(self, kind: str, person: Person, view: View) -> Json:
        """`block_actions`, `view_submission` or `view_closed`, in a modal or a home."""
        known = self._workspace
        trigger = known.trigger(person.id, view.id if view.type == "modal" else "")
        base = self._base(kind, person, trigger)
        told = {"view": view.api(known.team_id, known.app_id, known.bot_id)}
        if kind == "block_actions":
            return {**base, **told, "container": {"type": "view", "view_id": view.id}}
        if kind == "view_closed":
            base.pop("trigger_id")
            return {**base, **told, "is_cleared": False}
        return {**base, **told, "response_urls": []}

    def shortcut(self, person: Person, callback_id: str) -> Json:
        base = self._base("shortcut", person, self._workspace.trigger(person.id))
        return {**base, "callback_id": callback_id, "action_ts": self._workspace.ts()}

    def event(self, event: Json) -> Json:
        known, at = self._workspace, int(time.time())
        channel = known.channels.get(event.get("channel") or (event.get("item") or {}).get("channel", ""))
        foreign = channel is not None and any(known.people[each].team_id != known.team_id for each in channel.members if each in known.people)
        who = {"enterprise_id": None, "team_id": known.team_id, "user_id": known.bot_user, "is_bot": True, "is_enterprise_install": False}
        return {
            "token": known.verification_token,
            "team_id": known.team_id,
            "api_app_id": known.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": known.id("Ev"),
            "event_time": at,
            "authorizations": [who],
            "is_ext_shared_channel": foreign,
            "event_context": f"4-{secrets.token_urlsafe(24)}",
        }

    def _base(self, kind: str, person: Person, trigger: str) -> Json:
        known = self._workspace
        return {
            "type": kind,
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
            "api_app_id": known.app_id,
            "token": known.verification_token,
            "trigger_id": trigger,
            "team": {"id": known.team_id, "domain": known.team_domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _response_url(self, what: str, person: Person, channel: str, message: str = "") -> str:
        return f"{self.base}/{what}/{self._workspace.team_id}/{self._workspace.hook(person.id, channel, message)}"
