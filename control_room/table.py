"""The folder that the control room keeps its own tables in: one process at a time, private to its user, and whole after a crash."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import IO


def claim(folder: Path) -> IO[str] | None:
    """The right to be the one control room of this folder, for as long as the file is open; None while another process has it.

    Two would post everything twice, and do the work that the other has begun.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (folder / "control-room.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def base(path: Path) -> sqlite3.Connection:
    """A connection to it; made where there is none yet. What is deleted there is overwritten (in its log once that is written back)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, timeout=3, isolation_level=None)
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA secure_delete=ON")
    return connection
