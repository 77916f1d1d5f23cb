"""A channel of a run's own: made once, with the team in it, and archived at the end. Its name is the run's id, which gives nothing away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from control_room.table import base
from control_room.web import SlackSaysNo, Web

MOST_NAME = 80
GONE = frozenset({"already_archived", "is_archived", "channel_not_found"})
"""Somebody has put it away by hand, or deleted it."""
MOST_INVITED = 100
"""Users that one invitation takes."""


class OwnChannels:
    def __init__(self, web: Web, path: Path) -> None:
        self._web = web
        self._base = base(path)
        self._base.execute("CREATE TABLE IF NOT EXISTS channels (run TEXT PRIMARY KEY, channel TEXT NOT NULL, archived INTEGER NOT NULL DEFAULT 0)")

    async def open(self, run: str, users: Sequence[str]) -> str:
        """The run's channel; made, with these in it, where there is none yet."""
        found = self._base.execute("SELECT channel FROM channels WHERE run = ?", (run,)).fetchone()
        if found:
            return str(found[0])
        channel = await self._make(f"gameday-{run}"[:MOST_NAME])
        for start in range(0, len(users), MOST_INVITED):
            try:
                await self._web.call("conversations.invite", channel=channel, users=",".join(users[start : start + MOST_INVITED]))
            except SlackSaysNo as no:
                if not no.final:
                    raise
                for user in users[start : start + MOST_INVITED]:  # one who cannot be invited keeps nobody else out
                    await self._invite(channel, user)
        self._base.execute("INSERT OR IGNORE INTO channels (run, channel) VALUES (?, ?)", (run, channel))
        return channel

    def is_open(self, run: str) -> bool:
        """Whether the run has a channel that is still to be archived."""
        return self._base.execute("SELECT 1 FROM channels WHERE run = ? AND archived = 0", (run,)).fetchone() is not None

    async def _make(self, name: str) -> str:
        try:
            made = await self._web.call("conversations.create", name=name)
        except SlackSaysNo as no:
            if no.code != "name_taken":
                raise
            return await self._find(name)  # made by a call that nobody heard the end of
        return str(made["channel"]["id"])

    async def _find(self, name: str) -> str:
        async for answer in self._web.pages("conversations.list", limit=200, exclude_archived=True):
            for channel in answer.get("channels") or ():
                if channel.get("name") == name:
                    return str(channel["id"])
        raise SlackSaysNo("conversations.create", f"the channel {name} is taken and cannot be found")

    async def _invite(self, channel: str, user: str) -> None:
        try:
            await self._web.call("conversations.invite", channel=channel, users=user)
        except SlackSaysNo as no:
            if not no.final:
                raise

    async def archive(self, run: str) -> None:
        """Puts it away, once."""
        found = self._base.execute("SELECT channel FROM channels WHERE run = ? AND archived = 0", (run,)).fetchone()
        if not found:
            return
        try:
            await self._web.call("conversations.archive", channel=found[0])
        except SlackSaysNo as no:
            if no.code not in GONE:
                raise
        self._base.execute("UPDATE channels SET archived = 1 WHERE run = ?", (run,))

    def close(self) -> None:
        self._base.close()
