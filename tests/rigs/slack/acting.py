"""What people do. Each does it as Slack's own client lets them, tells the app as Slack does, and returns at once, with the delivery.

Raises everywhere:
    AssertionError: Slack's client would not have let them: they see no such thing, or it asks for something first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.rigs.slack import inputs, reading
from tests.rigs.slack.delivery import COMMANDS, EVENTS, INTERACTIVE, Delivery
from tests.rigs.slack.seeing import Seeing
from tests.rigs.slack.things import Json, Message, Person, View

Values = dict[str, inputs.Value]


class Slack(Seeing):
    """The workspace, with people in it that a test plays."""

    def join(self, channel: str, *users: str, bot: bool = True, name: str = "", private: bool = False) -> None:
        """People come into a channel, which is made where there is none yet; with the app in it unless `bot` is False."""

        def done() -> None:
            new = channel not in self._workspace.channels
            found = self._workspace.channel(channel, name, private)
            for user in (*([self.bot_user] if bot and new else []), *users):
                if user != self.bot_user:
                    self._workspace.person(user)
                if user not in found.members:
                    found.members.append(user)

        self._loop.do(done)

    def leave(self, channel: str, *users: str) -> None:
        """People, or the app, go out of a channel."""

        def done() -> None:
            found = self._workspace.channels[channel]
            found.members = [each for each in found.members if each not in users]

        self._loop.do(done)

    def say(self, user: str, channel: str, text: str, thread: Message | None = None) -> Message:
        """Somebody writes something. The app has not subscribed to it."""

        def done() -> Message:
            self._there(user, channel)
            return replace(self._workspace.post(channel, user, text=text, thread_ts=(thread.thread_ts or thread.ts) if thread else None))

        return self._loop.do(done)

    def command(self, user: str, channel: str, command: str, text: str = "") -> Delivery:
        def done() -> Delivery:
            person = self._there(user, channel)
            return self._tell(COMMANDS, self._server.payloads.command(person, self._workspace.channels[channel], command, text))

        return self._loop.do(done)

    def press(self, user: str, on: Message | View, action_id: str, *, value: str | None = None, confirm: bool = True) -> Delivery:
        """Presses a button, as it is now. Where it asks first, the person says yes, or with `confirm=False` no, and nothing is sent."""
        return self._loop.do(self._act, user, on, action_id, value, None, confirm)

    def select(self, user: str, on: Message | View, action_id: str, value: inputs.Value, *, confirm: bool = True) -> Delivery:
        """Chooses an option, or options, or a user, or a date; or types into an input that tells at once."""
        return self._loop.do(self._act, user, on, action_id, None, value, confirm)

    def _act(self, user: str, on: Message | View, action_id: str, value: str | None, chosen: inputs.Value, confirm: bool) -> Delivery:
        current = self._current(user, on)
        block, element = reading.element(current.blocks, action_id, value)
        assert (element["type"] == "button") == (chosen is None), f"{action_id!r} is a {element['type']}"
        assert block["type"] != "input" or block.get("dispatch_action"), f"{action_id!r} tells nothing before the modal is sent off"
        asked = element.get("confirm")
        assert asked or confirm, f"{action_id!r} does not ask first"
        if not confirm:
            delivery = Delivery(INTERACTIVE, {}, asked)
            delivery.end("declined")
            return delivery
        person = self._workspace.person(user)
        payload = self._on(person, current, inputs.action(block, element, self._workspace.ts(), chosen))
        return self._tell(INTERACTIVE, payload, asked)

    def _on(self, person: Person, current: Message | View, action: Json) -> Json:
        make = self._server.payloads
        place = (person.id, current.channel, current.ts) if isinstance(current, Message) else ("", "", "")
        state = inputs.kept(current.blocks, current.state if isinstance(current, View) else self._workspace.left.get(place, {}))
        held = {key: part for key, part in action.items() if key in ("type", inputs.key(action))}
        if action["type"] not in inputs.STATELESS:
            state.setdefault(action["block_id"], {})[action["action_id"]] = held
        if isinstance(current, Message):
            self._workspace.left[place] = state
            return {**make.on_message("block_actions", person, current), "state": {"values": state}, "actions": [action]}
        kept = replace(current, state=state)
        self._workspace.views[current.id] = kept
        return {**make.on_view("block_actions", person, kept), "actions": [action]}

    def submit(self, user: str, view: View, values: Values | None = None) -> Delivery:
        """Fills in a modal, by block, and sends it off. It stays open until the app has answered, and where the app finds it wrong."""

        def done() -> Delivery:
            current = self._current(user, view)
            assert isinstance(current, View) and current.type == "modal" and current.body.get("submit"), "this cannot be sent off"
            filled = replace(current, state=inputs.filled(current.blocks, values or {}, current.state))
            self._workspace.views[current.id] = filled
            return self._tell(INTERACTIVE, self._server.payloads.on_view("view_submission", self._workspace.person(user), filled))

        return self._loop.do(done)

    def dismiss(self, user: str) -> Delivery | None:
        """Closes the modal before them; the app is told where it asked for it."""

        def done() -> Delivery | None:
            view = self._workspace.top(user)
            assert view is not None, f"{user} has no modal before them"
            told = self._server.payloads.on_view("view_closed", self._workspace.person(user), view) if view.body.get("notify_on_close") else None
            self._workspace.close(user)
            return self._tell(INTERACTIVE, told) if told else None

        return self._loop.do(done)

    def shortcut(self, user: str, message: Message, callback_id: str) -> Delivery:
        """A shortcut from a message's menu."""

        def done() -> Delivery:
            current = self._current(user, message)
            assert isinstance(current, Message) and not current.to, "an ephemeral message has no shortcuts"
            payload = self._server.payloads.on_message("message_action", self._workspace.person(user), current)
            return self._tell(INTERACTIVE, {**payload, "callback_id": callback_id})

        return self._loop.do(done)

    def global_shortcut(self, user: str, callback_id: str) -> Delivery:
        return self._loop.do(lambda: self._tell(INTERACTIVE, self._server.payloads.shortcut(self._workspace.person(user), callback_id)))

    def react(self, user: str, message: Message, name: str) -> Delivery:
        """Puts a reaction on a message. The app is told of it only in channels that it is in, and with the scope for it."""
        return self._loop.do(self._react, user, message, name)

    def _react(self, user: str, message: Message, name: str) -> Delivery:
        current = self._current(user, message)
        assert isinstance(current, Message) and not current.to, "an ephemeral message takes no reactions"
        assert user not in current.reactions.get(name, ()), f"{user} has put :{name}: on it before"
        self._workspace.posted[current.channel, current.ts].reactions = {**current.reactions, name: [*current.reactions.get(name, ()), user]}
        item = {"type": "message", "channel": current.channel, "ts": current.ts}
        event = {"type": "reaction_added", "user": user, "reaction": name, "item": item, "item_user": current.user, "event_ts": self._workspace.ts()}
        if "reactions:read" not in self.scopes or self.bot_user not in self._workspace.channels[current.channel].members:
            delivery = Delivery(EVENTS, {})
            delivery.end("not_subscribed")
            return delivery
        return self._tell(EVENTS, self._server.payloads.event(event))

    def open_home(self, user: str, tab: str = "home") -> Delivery:
        """Somebody looks at the app's home."""

        def done() -> Delivery:
            self._workspace.person(user)
            event = {"type": "app_home_opened", "user": user, "channel": self._workspace.im(user).id, "tab": tab, "event_ts": self._workspace.ts()}
            view = self._workspace.views.get(self._workspace.homes.get(user, ""))
            known = self._workspace
            shown = {"view": view.api(known.team_id, known.app_id, known.bot_id)} if view and tab == "home" else {}
            return self._tell(EVENTS, self._server.payloads.event({**event, **shown}))

        return self._loop.do(done)

    def tell_raw(self, kind: str, payload: Json) -> Delivery:
        """Tells the app something that Slack itself would not."""
        return self._loop.do(self._tell, kind, payload)

    def _tell(self, kind: str, payload: Json, asked: Json | None = None) -> Delivery:
        return self._server.dispatch.start(Delivery(kind, payload, asked))

    def _there(self, user: str, channel: str) -> Person:
        found = self._workspace.channels.get(channel)
        assert found is not None, f"there is no channel {channel!r}"
        assert user in found.members, f"{user} is not in {channel}: join() them first"
        assert not found.archived, f"{channel} is archived"
        return self._workspace.person(user)

    def _current(self, user: str, on: Message | View) -> Any:
        """The same as it is now, where this person sees it."""
        if isinstance(on, Message):
            message = self._workspace.posted[on.channel, on.ts]
            assert not message.deleted, "the message is deleted"
            assert message.to in ("", user), f"only {message.to} sees this message"
            self._there(user, on.channel)
            return message
        view = self._workspace.views.get(on.id)
        assert view is not None and view.user == user, f"{user} does not have this view before them"
        assert view.type == "home" or self._workspace.top(user) is view, "another modal lies over this one"
        return view
