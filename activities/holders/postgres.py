"""A session that holds a lock on a table of PostgreSQL. Sources: LOCK; idle_in_transaction_session_timeout; pg_locks; pg_stat_activity.

    python -m activities.holders.postgres hold|look|release|valid URL_FILE TOKEN SCHEMA TABLE MODE LEASE

`hold` keeps the lock until it has not been told to go on (SIGUSR1) for LEASE seconds; the server ends the session by itself when it hears nothing
of it for as long. `look` exits 0 when a session of this TOKEN holds the lock, 1 when none does, 4 when there is no such table. `release` ends such
sessions. `valid` prints until when the password of the URL's role is good, in seconds since 1970; nothing where it is good for ever. The URL of the
database is read from a file of the operator's, and never shown.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

HELD, FREE, NO_TABLE, NO_ANSWER = 0, 1, 4, 5
CONNECT_TIMEOUT = 3
LOCK_TIMEOUT = "5s"
"""How long the lock itself is waited for, behind whoever has it now: everybody else waits behind us meanwhile."""
BEAT = 0.1
_HOLDERS = sql.SQL(
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE a.application_name = %s AND l.granted AND l.relation = to_regclass(%s) AND l.mode = %s"
)
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()"
_VALID_UNTIL = "SELECT extract(epoch FROM rolvaliduntil) FROM pg_roles WHERE rolname = current_user AND isfinite(rolvaliduntil)"
MODES = {
    "access exclusive": "AccessExclusiveLock",
    "exclusive": "ExclusiveLock",
    "share row exclusive": "ShareRowExclusiveLock",
    "share": "ShareLock",
}
"""What LOCK calls a mode, and what pg_locks does."""


def _connect(url_file: str, token: str) -> psycopg.Connection[tuple[object, ...]]:
    url = Path(url_file).read_text().strip()
    try:
        conninfo_to_dict(url)
    except psycopg.Error:  # it would repeat what it cannot read, and that may be the password
        raise ValueError from None
    return psycopg.connect(url, application_name=token, connect_timeout=CONNECT_TIMEOUT, autocommit=True)


def hold(url_file: str, token: str, schema: str, table: str, mode: str, lease: float) -> int:
    told: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: told.append(number))
    with _connect(url_file, token) as connection:
        connection.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, false)", [f"{round(lease * 1000)}ms"])
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        with connection.transaction():
            connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.Identifier(schema, table), sql.SQL(mode.upper())))
            until = time.monotonic() + lease
            while time.monotonic() < until:
                time.sleep(BEAT)
                if told:
                    told.clear()
                    connection.execute("SELECT 1")
                    until = time.monotonic() + lease
    return 0


def look(url_file: str, token: str, schema: str, table: str, mode: str) -> int:
    with _connect(url_file, f"{token} looks") as connection:
        name = sql.Identifier(schema, table).as_string(connection)
        found = connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
        if found is None or found[0] is None:
            print(f"there is no table {name}")
            return NO_TABLE
        held = connection.execute(_HOLDERS, [token, name, MODES[mode]]).fetchone()
        return HELD if held and held[0] else FREE


def release(url_file: str, token: str) -> int:
    with _connect(url_file, f"{token} ends") as connection:
        connection.execute(_END, [token])
    return 0


def valid(url_file: str, token: str) -> int:
    with _connect(url_file, f"{token} asks") as connection:
        found = connection.execute(_VALID_UNTIL).fetchone()
        print(found[0] if found and found[0] is not None else "")
    return 0


def main(what: str, url_file: str, token: str, schema: str, table: str, mode: str, lease: str) -> int:
    try:
        if what == "hold":
            return hold(url_file, token, schema, table, mode, float(lease))
        if what == "look":
            return look(url_file, token, schema, table, mode)
        return valid(url_file, token) if what == "valid" else release(url_file, token)
    except psycopg.Error as error:
        print((str(error).splitlines() or [type(error).__name__])[0][:200])
    except (OSError, ValueError) as error:  # of the file with the URL: what is in it is not shown
        print(f"the file with the database's URL cannot be used ({type(error).__name__})")
    return NO_ANSWER


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
