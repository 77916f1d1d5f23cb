"""A real incident during a game day: everything off, and one statement for those who have it to solve."""

from __future__ import annotations

import time

from gameday.cli import context
from gameday.cli.saying import say
from gameday.cli.screens import complain
from gameday.errors import GamedayError

PATIENCE = 90.0
"""Seconds for which the proof of every fault is waited for; a statement before it says what is not proven yet."""


def call_real(run: str, reason: str | None) -> None:
    print(say(run, "real", {"reason": reason} if reason else {}), flush=True)
    try:
        print("\n".join(_statement(run)))
    except GamedayError as error:  # the day is being ended all the same
        complain(f"{error}. What was touched: `gameday report {run}`, and `gameday leftovers` on each host")


def _statement(run: str) -> list[str]:
    from reports.statement import statement

    opened = context.store(context.settings())
    run_id, deadline = context.which(opened, run), time.monotonic() + PATIENCE
    while (record := opened.read(run_id)).ended is None and time.monotonic() < deadline:
        time.sleep(0.3)
    return ["", *statement(record)]
