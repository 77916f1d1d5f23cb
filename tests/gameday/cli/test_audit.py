"""`gameday audit verify`: what was changed, taken away, cut off or moved shows."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Gameday = Callable[..., subprocess.CompletedProcess[str]]

TAMPERED = {
    "an edit": ("UPDATE gameday_events SET event = replace(event, 'Ada', 'Eve') WHERE seq = 0", "its plan or event 0 was changed"),
    "an edit that is no event any more": (
        "UPDATE gameday_events SET event = '{' WHERE seq = 3",
        "event 3 was changed; 1 event that cannot be read any more",
    ),
    "a deletion": ("DELETE FROM gameday_events WHERE seq = 3", "event 3 is missing"),
    "a truncation": ("DELETE FROM gameday_events WHERE seq > 5", "it should have"),
    "another order": (
        "UPDATE gameday_events SET seq = CASE seq WHEN 3 THEN -4 WHEN 4 THEN -3 ELSE seq END; UPDATE gameday_events SET seq = -seq WHERE seq < 0",
        "event 3 was changed",
    ),
    "a sample": ("UPDATE gameday_samples SET value = 7 WHERE seq = 7", "sample 7 was changed"),
    "a sample taken away": ("DELETE FROM gameday_samples WHERE seq = 7", "sample 7 is missing"),
}


def test_a_record_as_it_was_written_is_verified(home: Path, gameday: Gameday) -> None:
    done = gameday("audit", "verify")
    assert done.returncode == 0
    assert "ok  7kq2-checkout-day  record verified (chains of" in done.stdout
    assert done.stdout.endswith("1 record: 1 as written, 0 damaged\n")


@pytest.mark.parametrize(("change", "found"), TAMPERED.values(), ids=TAMPERED)
def test_it_finds(home: Path, gameday: Gameday, change: str, found: str) -> None:
    with sqlite3.connect(home / "gameday.db") as connection:
        connection.executescript(change)
    done = gameday("audit", "verify", "7kq2", "--json")
    (told,) = json.loads(done.stdout)
    assert (done.returncode, told["verified"]) == (1, False)
    assert found in "; ".join(told["damage"])
    assert gameday("report", "7kq2").returncode == 0, "what is left is still told"
