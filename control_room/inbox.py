"""The inbox: each payload is kept on disk before Slack is told that it has come in, and is worked on once, also over a crash."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from control_room.payloads import HomeOpened, Payload, Press, Reaction, Shortcut, SlashCommand, Submission
from control_room.table import base

KEPT = 7 * 24 * 3600.0
"""Seconds that an id is remembered: far longer than Slack delivers anything again."""
KINDS: dict[str, type[Payload]] = {kind.__name__: kind for kind in (SlashCommand, Press, Submission, Shortcut, Reaction, HomeOpened)}


class Inbox:
    """A table in a file of the control room's own. Of several processes of one home, each payload is one's."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._base, self._clock = base(path), clock
        self._base.execute("CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, payload TEXT)")

    def take(self, payload: Payload) -> bool:
        """Keeps a payload. False for one that has been taken before: a retry, a replay, a second socket's copy."""
        row = (payload.id, self._clock(), type(payload).__name__, payload.model_dump_json())
        return self._base.execute("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?)", row).rowcount == 1

    def done(self, payload: Payload) -> None:
        """Its work is done: the id stays, what was said goes."""
        self._base.execute("UPDATE inbox SET payload = NULL WHERE id = ?", (payload.id,))

    def left(self) -> list[tuple[Payload, float]]:
        """What an earlier process took and did not end, oldest first, each with its age in seconds. Ids that have grown old are let go."""
        now = self._clock()
        self._base.execute("DELETE FROM inbox WHERE at < ?", (now - KEPT,))
        found = self._base.execute("SELECT kind, payload, at FROM inbox WHERE payload IS NOT NULL ORDER BY at").fetchall()
        return [(KINDS[kind].model_validate_json(text), now - at) for kind, text, at in found]

    def close(self) -> None:
        self._base.close()
