"""The outbox: what rooms are told, on disk until Slack has it. In order in each channel, each message once, also over a crash or a dead Slack.

A message's key says what it is for: one that is known by its key is not put in again. Slack takes no such key, so each message carries it as
metadata, and what may have been posted by a call that nobody answered is looked for before it is posted again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_room.table import base

KEPT = 30 * 24 * 3600.0
"""Seconds that what was posted is remembered."""
METADATA = "gameday_message"
UNDELIVERED = "('waiting', 'trying', 'recalled', 'stale')"
"""The states of what Slack does not have, or not as it is now."""


TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY,
    key TEXT UNIQUE NOT NULL,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    letter TEXT NOT NULL,
    at REAL NOT NULL,
    state TEXT NOT NULL,
    tried REAL NOT NULL DEFAULT 0,
    ts TEXT NOT NULL DEFAULT '',
    shown TEXT NOT NULL DEFAULT ''
)
"""


@dataclass(frozen=True)
class Letter:
    """One message, or a change of one. `thread` is the key of the message that it answers; `file` a picture or document instead of text.

    `live` letters are a state and not a fact: a newer one of the same key takes its place, in the same message. `until` is when a letter is
    of no use any more, in seconds of the epoch; 0.0 for one that always is.
    """

    key: str
    channel: str
    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    thread: str = ""
    live: bool = False
    file: str = ""
    broadcast: bool = False
    until: float = 0.0

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.text, self.blocks], sort_keys=True).encode()).hexdigest()

    @property
    def metadata(self) -> dict[str, Any]:
        """What the message is known by. Opaque: who reads a message's metadata learns nothing from it."""
        return {"event_type": METADATA, "event_payload": {"key": mark(self.key)}}


def mark(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Place:
    """A letter with what has become of it: `ts` once Slack has it, `tried` when a call that may have been lost on its way began (0.0: none).

    `since` is when it was put in. Both are seconds of the epoch. `recalled`: it is not to be posted, if it is not there already.
    """

    letter: Letter
    ts: str
    tried: float
    since: float
    recalled: bool


class Outbox:
    """A table in a file of the control room's own."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._base, self._clock = base(path), clock
        self.dropped = 0
        """How many that were taken back turned out not to be there: what they tell may be told again."""
        self._base.execute(TABLE)
        self._base.execute(f"CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (channel, number) WHERE state IN {UNDELIVERED}")
        self._base.execute("CREATE TABLE IF NOT EXISTS told (what TEXT PRIMARY KEY, at REAL NOT NULL, letter TEXT NOT NULL)")

    def put(self, letter: Letter, told: Iterable[str] = ()) -> bool:
        """Keeps a letter, with what it tells; False where that has been put in before. A live one takes the place of what it was."""
        row = (letter.key, letter.channel, letter.thread, json.dumps(letter.__dict__), self._clock())
        new_one = "INSERT OR IGNORE INTO outbox (key, channel, thread, letter, at, state) VALUES (?, ?, ?, ?, ?, 'waiting')"
        with self._base:
            self._base.execute("BEGIN IMMEDIATE")
            new = self._base.execute(new_one, row).rowcount
            if letter.live and not new:
                stale = "CASE state WHEN 'posted' THEN 'stale' WHEN 'recalled' THEN 'trying' ELSE state END"
                changed = f"UPDATE outbox SET letter = ?, at = ?, state = {stale} WHERE key = ?"  # noqa: S608  # no text of others
                self._base.execute(changed, (row[3], row[4], letter.key))
            self._base.executemany("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", [(what, self._clock(), letter.key) for what in told])
        return new == 1

    def withdraw(self, start: str) -> None:
        """Takes back what is not posted, by how its key begins, with what it tells: it may be put in again.

        What may be there already is looked for first (`drop`), and a changed state stays as it was shown.
        """
        this = "substr(key, 1, ?) = ?"
        with self._base:
            self._base.execute("BEGIN IMMEDIATE")
            asked = f"SELECT key FROM outbox WHERE state = 'waiting' AND {this}"  # noqa: S608  # no text of others
            self._delete(self._base.execute(asked, (len(start), start)).fetchall())
            for before, after in (("trying", "recalled"), ("stale", "posted")):
                changed = f"UPDATE outbox SET state = ? WHERE state = ? AND {this}"  # noqa: S608  # the same
                self._base.execute(changed, (after, before, len(start), start))

    def drop(self, letter: Letter) -> None:
        """It was taken back, and is not there."""
        with self._base:
            self._base.execute("BEGIN IMMEDIATE")
            self._delete([(letter.key,)])
        self.dropped += 1

    def _delete(self, keys: list[tuple[str]]) -> None:
        self._base.executemany("DELETE FROM told WHERE letter = ?", keys)
        self._base.executemany("DELETE FROM outbox WHERE key = ?", keys)

    def told(self, what: Iterable[str]) -> set[str]:
        """Which of these have been told already."""
        asked = list(what)
        found: set[str] = set()
        for start in range(0, len(asked), 500):
            some = asked[start : start + 500]
            marks = ",".join("?" * len(some))
            found |= {each for (each,) in self._base.execute(f"SELECT what FROM told WHERE what IN ({marks})", some)}  # noqa: S608  # question marks
        return found

    def waiting(self) -> list[Place]:
        """What Slack does not have yet, or not as it is now: of each channel the first message, and every change of one.

        What answers a message is none of them before that one is there, or never will be.
        """
        top = "SELECT 1 FROM outbox AS top WHERE top.key = this.thread AND (top.ts != '' OR top.state = 'given up')"
        may = f"this.state IN {UNDELIVERED} AND (this.thread = '' OR EXISTS ({top}))"
        heads = f"SELECT MIN(number) FROM outbox AS this WHERE {may} GROUP BY this.channel, CASE this.state WHEN 'stale' THEN this.key ELSE '' END"  # noqa: S608  # no text of others
        rows = self._base.execute(f"SELECT letter, ts, tried, at, state = 'recalled' FROM outbox WHERE number IN ({heads}) ORDER BY number")  # noqa: S608  # the same
        return [Place(_letter(text), *rest) for text, *rest in rows.fetchall()]

    def known(self, key: str) -> bool:
        """Whether such a letter has been put in."""
        return self._base.execute("SELECT 1 FROM outbox WHERE key = ?", (key,)).fetchone() is not None

    def is_given_up(self, key: str) -> bool:
        """Whether Slack will never have it."""
        found = self._base.execute("SELECT state FROM outbox WHERE key = ?", (key,)).fetchone()
        return found is not None and found[0] == "given up"

    def ts(self, key: str) -> str:
        """What names a message in its channel; empty while Slack does not have it."""
        found = self._base.execute("SELECT ts FROM outbox WHERE key = ?", (key,)).fetchone()
        return found[0] if found else ""

    def shown(self, key: str) -> str:
        """The digest of what stands there."""
        found = self._base.execute("SELECT shown FROM outbox WHERE key = ?", (key,)).fetchone()
        return found[0] if found else ""

    def trying(self, letter: Letter) -> bool:
        """Written before the call: after a crash nobody knows whether it came through, and when it began is where it is looked for.

        False where it has been taken back.
        """
        tried = "CASE tried WHEN 0 THEN ? ELSE tried END"
        known = f"UPDATE outbox SET state = 'trying', tried = {tried} WHERE key = ? AND state IN ('waiting', 'trying')"  # noqa: S608  # no text of others
        return self._base.execute(known, (self._clock(), letter.key)).rowcount == 1

    def found(self, letter: Letter, ts: str) -> None:
        """It is there already, as it was when it was posted; a state may have changed since, and is shown anew."""
        now = "CASE state WHEN 'trying' THEN 'stale' ELSE 'posted' END" if letter.live else "'posted'"
        self._base.execute(f"UPDATE outbox SET state = {now}, ts = ?, shown = '' WHERE key = ?", (ts, letter.key))  # noqa: S608  # the same

    def not_taken(self, letter: Letter) -> None:
        """Slack has said that it did not take it."""
        self._base.execute("UPDATE outbox SET state = 'waiting', tried = 0 WHERE key = ? AND state = 'trying'", (letter.key,))

    def posted(self, letter: Letter, ts: str) -> None:
        """Slack has it. A live one that has changed meanwhile is stale at once."""
        row = self._base.execute("SELECT letter FROM outbox WHERE key = ?", (letter.key,)).fetchone()
        state = "posted" if row is None or _letter(row[0]).digest == letter.digest else "stale"
        self._base.execute("UPDATE outbox SET state = ?, ts = ?, shown = ? WHERE key = ?", (state, ts, letter.digest, letter.key))

    def lost(self, letter: Letter) -> None:
        """Somebody has deleted it: it is posted anew."""
        self._base.execute("UPDATE outbox SET state = 'waiting', tried = 0, ts = '', shown = '' WHERE key = ?", (letter.key,))

    def given_up(self, letter: Letter) -> None:
        """Slack will never take it."""
        self._base.execute("UPDATE outbox SET state = 'given up' WHERE key = ?", (letter.key,))

    def all_posted(self, channel: str) -> bool:
        """Whether nothing waits for this channel any more."""
        asked = f"SELECT 1 FROM outbox WHERE channel = ? AND state IN {UNDELIVERED} LIMIT 1"  # noqa: S608  # no text of others
        return self._base.execute(asked, (channel,)).fetchone() is None

    def tidy(self) -> None:
        """Lets go of what nobody asks for any more."""
        old = self._clock() - KEPT
        self._base.execute("DELETE FROM outbox WHERE at < ? AND state IN ('posted', 'given up')", (old,))
        self._base.execute("DELETE FROM told WHERE at < ?", (old,))

    def close(self) -> None:
        self._base.close()


def _letter(text: str) -> Letter:
    found = json.loads(text)
    return Letter(**{**found, "blocks": tuple(found["blocks"])})
