"""`postgres.lock_contention`: everybody waits for a table."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints

from activities.bare import ROOT, bare_environment
from activities.credentials import outlived
from activities.injectors.injector import Host, Injector
from activities.steps.postgres_lock import PostgresLock
from activities.targets import DatabaseFacts
from gameday.catalogue import InjectorParams
from gameday.fault import ResolvedTarget

ANSWERS_WITHIN = 3.0
"""Seconds."""
Table = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_][A-Za-z0-9_$]{0,62}\.)?[A-Za-z_][A-Za-z0-9_$]{0,62}$")]


class PostgresLockContention(Injector["PostgresLockContention.Params"]):
    """A session of its own holds a lock on a table, and all who need it wait. Source: PostgreSQL, Explicit Locking."""

    kind = "postgres.lock_contention"
    things = frozenset({"database"})
    ends = "the database server, at the end of its lease; at once when the session's process ends"

    class Params(InjectorParams):
        """Which table, and how strong a lock."""

        table: Table
        """The table, such as orders or shop.orders; without a schema it is looked for in public."""
        mode: Literal["access exclusive", "exclusive", "share row exclusive", "share"] = "access exclusive"
        """Who waits: with access exclusive everybody, with exclusive all who write, with the others those who write or change its shape."""

    def label(self, params: Params, target: ResolvedTarget) -> str:
        return f"{target.label}: {params.table}"

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        if importlib.util.find_spec("psycopg") is None:
            yield f"{target.label}: there is no PostgreSQL client on this host; install gameday[postgres]"
        file = Path(DatabaseFacts.of(target).url_file)
        if not os.access(file, os.R_OK):
            yield f"{target.label}: its url_file {file} cannot be read by this agent"
        elif file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{target.label}: its url_file {file} can be read by others; it holds a password: chmod 600 {file}"
        else:
            yield from outlived(f"{target.label}: the password of its url_file", _good_until(file), host.until)

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[PostgresLock, ...]:
        facts = DatabaseFacts.of(target)
        schema, _, table = params.table.rpartition(".")
        token = "gameday " + hashlib.sha256(f"{facts.server}\0{params.table}\0{params.mode}".encode()).hexdigest()[:16]
        return (PostgresLock(facts.url_file, facts.server, schema or "public", table, params.mode, token),)


def _good_until(url_file: Path) -> datetime | None:
    """When the password ends, as its server knows; None where it never does, or nobody can say: then the fault itself will."""
    asking = [sys.executable, "-P", "-m", "activities.holders.postgres", "valid", str(url_file), "gameday", "", "", "", "0"]
    try:
        done = subprocess.run(asking, capture_output=True, text=True, timeout=ANSWERS_WITHIN, check=True, cwd=ROOT, env=bare_environment())
        return datetime.fromtimestamp(float(done.stdout), UTC)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
