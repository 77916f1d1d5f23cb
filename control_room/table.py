"""The file that the control room keeps its own tables in: private to its user, and whole after a crash."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def base(path: Path) -> sqlite3.Connection:
    """A connection to it; made where there is none yet. What is deleted there is overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, timeout=3, isolation_level=None)
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA secure_delete=ON")
    return connection
