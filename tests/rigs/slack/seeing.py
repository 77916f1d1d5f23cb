"""What people see: each thing as it is when it is looked at."""

from __future__ import annotations

from dataclasses import replace

from tests.rigs.slack.rig import Rig
from tests.rigs.slack.things import Channel, File, Message, View


class Seeing(Rig):
    def channel(self, channel: str) -> Channel:
        """A channel by its id, or by its name."""

        def found() -> Channel:
            there = self._workspace.channels.values()
            each = next((each for each in there if channel in (each.id, each.name)), None)
            assert each is not None, f"there is no channel {channel!r}; there is {[(one.id, one.name) for one in there]}"
            return replace(each, members=list(each.members))

        return self._loop.do(found)

    @property
    def channels(self) -> list[Channel]:
        return self._loop.do(lambda: [replace(each, members=list(each.members)) for each in self._workspace.channels.values()])

    def messages(self, channel: str) -> list[Message]:
        """What stands in a channel, in order, without the replies that were told to their thread only."""
        return self._loop.do(lambda: [replace(each) for each in self._workspace.in_channel(channel) if not each.thread_ts or each.broadcast])

    def thread(self, message: Message) -> list[Message]:
        """The replies to a message, in order."""
        return self._loop.do(lambda: [replace(each) for each in self._workspace.replies(message)])

    def now(self, message: Message) -> Message:
        """The same message as it is by now, also where it is deleted."""
        return self._loop.do(lambda: replace(self._workspace.posted[message.channel, message.ts]))

    def private(self, user: str, channel: str | None = None) -> list[Message]:
        """What only they see, here or anywhere."""
        return self._loop.do(
            lambda: [
                replace(each) for each in self._workspace.posted.values() if each.to == user and not each.deleted and channel in (None, each.channel)
            ]
        )

    def dms(self, user: str) -> list[Message]:
        """Direct messages between them and the app; replies too."""

        def found() -> list[Message]:
            im = next((each.id for each in self._workspace.channels.values() if each.im_of == user), "")
            return [replace(each) for each in self._workspace.in_channel(im)]

        return self._loop.do(found)

    def modal(self, user: str) -> View | None:
        """The modal that they have before them."""
        return self._loop.do(lambda: (top := self._workspace.top(user)) and replace(top))

    def home(self, user: str) -> View | None:
        """The app's home, as they would see it."""
        return self._loop.do(lambda: (found := self._workspace.views.get(self._workspace.homes.get(user, ""))) and replace(found))

    @property
    def files(self) -> list[File]:
        """What was uploaded to its end and shared, or kept."""
        return self._loop.do(lambda: [replace(each, shared_with=list(each.shared_with)) for each in self._workspace.files.values() if each.bytes])
