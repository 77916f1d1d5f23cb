"""The inbox: each payload is kept on disk before Slack is told that it has come in, and is worked on once, also over a crash."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from control_room.payloads import HomeOpened, Payload, Press, Reaction, Shortcut, SlashCommand, Submission
from control_room.table import base

KEPT = 7 * 24 * 3600.0
"""Seconds that an id is remembered: far longer than Slack delivers anything again."""
TIDY_EVERY = 3600.0
KINDS: dict[str, type[Payload]] = {kind.__name__: kind for kind in (SlashCommand, Press, Submission, Shortcut, Reaction, HomeOpened)}


log = logging.getLogger(__name__)


class Inbox:
    """A table in a file of the control room's own."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._base, self._clock, self._tidied = base(path), clock, -math.inf
        self._base.execute("CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, payload TEXT)")

    def take(self, payload: Payload) -> bool:
        """Keeps a payload. False for one that has been taken before: a retry, a replay, a second socket's copy."""
        row = (payload.id, self._clock(), type(payload).__name__, payload.model_dump_json())
        self._tidy(row[1])
        return self._base.execute("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?)", row).rowcount == 1

    def done(self, payload: Payload) -> None:
        """Its work is done: the id stays, what was said goes."""
        self._base.execute("UPDATE inbox SET payload = NULL WHERE id = ?", (payload.id,))

    def left(self) -> list[tuple[Payload, float]]:
        """What an earlier process took and did not end, oldest first, each with its age in seconds. What cannot be read any more is let go."""
        now = self._clock()
        self._tidy(now)
        found: list[tuple[Payload, float]] = []
        for identity, kind, text, at in self._base.execute(
            "SELECT id, kind, payload, at FROM inbox WHERE payload IS NOT NULL ORDER BY at"
        ).fetchall():
            try:
                found.append((KINDS[kind].model_validate_json(text), now - at))
            except (KeyError, ValidationError):
                log.error("a %s that was taken in %.0f s ago cannot be read any more, and is not worked on", kind, now - at)
                self._base.execute("UPDATE inbox SET payload = NULL WHERE id = ?", (identity,))
        return found

    def _tidy(self, now: float) -> None:
        """Ids that have grown old are let go, once an hour."""
        if now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            self._base.execute("DELETE FROM inbox WHERE at < ?", (now - KEPT,))

    def close(self) -> None:
        self._base.close()
