"""A lock on a table of PostgreSQL, held by a session of its own. The server ends it when nobody keeps it up.

The session lives in a process of its own (activities/holders/postgres.py), since it needs a client library; this is the standard library only.
"""

from __future__ import annotations

import re
import signal
import sys
from dataclasses import dataclass
from typing import ClassVar

from activities.steps.step import Hands, Reading, State, Step, Undo, primitive
from gameday.errors import NotReverted, Refused

TIMEOUT = 8.0
"""Seconds that one question to the server may take, the start of its program included."""
_HELD, _FREE, _NO_TABLE = 0, 1, 4
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_TOKEN = re.compile(r"gameday [a-z0-9]{8,40}")
MODES = ("access exclusive", "exclusive", "share row exclusive", "share")


@primitive
@dataclass(frozen=True)
class PostgresLock(Step):
    """Holds a table lock in an open transaction.

    Args:
        url_file: the operator's file with the database's URL; it is read by the session's own program, and never journaled.
        server: what the URL says of where the database is, without user and password.
        schema, table: which table.
        mode: as LOCK has it, in lower case.
        token: the sessions' application_name; nobody else's.
    """

    url_file: str
    server: str
    schema: str
    table: str
    mode: str
    token: str

    primitive: ClassVar[str] = "postgres.lock"
    settle: ClassVar[float] = 7.0
    expires: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.url_file.startswith("/") or "\0" in self.url_file or self.mode not in MODES or not _TOKEN.fullmatch(self.token):
            raise ValueError("a file, a mode of LOCK, and a token of gameday's own")
        if not _NAME.fullmatch(self.schema) or not _NAME.fullmatch(self.table):
            raise ValueError("schema and table are plain names")

    def knobs(self) -> tuple[str, ...]:
        return (f"postgres/{self.server}/{self.schema}.{self.table}",)

    def capture(self, hands: Hands) -> Undo:
        code, said = self._run("look", hands)
        if code == _HELD:
            raise Refused(f"a session called {self.token!r} holds {self.schema}.{self.table} already, and not by this fault; end it first")
        if code != _FREE:
            raise Refused(f"{self.server}: {said.strip() or 'the database does not answer'}")
        return {}

    def apply(self, undo: Undo, hands: Hands) -> None:
        if not hands.has_started():
            hands.start(self._argv("hold", hands.lease))

    def renew(self, undo: Undo, hands: Hands) -> None:
        if not hands.tell_started(signal.SIGUSR1):
            raise NotReverted(f"the session that held {self.schema}.{self.table} has ended")

    def read(self, undo: Undo, hands: Hands) -> Reading:
        code, said = self._run("look", hands)
        if code == _HELD:
            return Reading(State.APPLIED, f"{self.schema}.{self.table} is locked ({self.mode})")
        if code == _FREE and hands.has_started():
            return Reading(State.PART, f"{self.schema}.{self.table} is not locked yet, and somebody waits for it")
        if code in (_FREE, _NO_TABLE):
            return Reading(State.BEFORE if code == _FREE else State.GONE, f"no session of ours holds {self.schema}.{self.table}")
        raise NotReverted(f"{self.server} cannot be asked: {said.strip()[:200] or 'no answer'}")

    def undo(self, undo: Undo, hands: Hands) -> None:
        """The session's end ends the lock; one that the server has not noticed is ended there too."""
        hands.end_started()
        code, said = self._run("release", hands)
        if code != 0:
            raise NotReverted(f"{self.server} did not end the session: {said.strip()[:200] or 'no answer'}")

    def before(self, undo: Undo) -> str:
        return f"no session of ours holds {self.schema}.{self.table}"

    def _run(self, what: str, hands: Hands) -> tuple[int, str]:
        return hands.run(self._argv(what, 0.0), TIMEOUT)

    def _argv(self, what: str, lease: float) -> tuple[str, ...]:
        program = (sys.executable, "-P", "-m", "activities.holders.postgres")
        return (*program, what, self.url_file, self.token, self.schema, self.table, self.mode, f"{lease:g}")
