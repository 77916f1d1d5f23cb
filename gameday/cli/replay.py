"""Playing a past run back, in the same view, from the record alone."""

from __future__ import annotations

import time

from gameday.cli import context
from gameday.cli.following import screen_for
from gameday.event import Event
from gameday.probe import Sample
from gameday.view import RunView, merged

FRAME = 0.1
"""Seconds of the watcher's time between two pictures."""


def replay_run(run: str, speed: float, as_json: bool) -> None:
    """Plays a record; `speed` is how many times faster than it was, 0 at once."""
    known = context.settings()
    opened = context.store(known)
    record = opened.read(context.which(opened, run))
    view = RunView(record.plan, record.plan.started_at)
    live = context.terminal() and not as_json and speed > 0
    screen = screen_for(view, as_json, live, None, is_replay=True)
    items = merged(record.events, record.samples)
    try:
        for batch, pause in frames(items, speed):
            time.sleep(pause)
            screen.show(batch)
        if live:
            time.sleep(1.5)
    except KeyboardInterrupt:
        return
    finally:
        screen.close()


def frames(items: list[Event | Sample], speed: float) -> list[tuple[list[Event | Sample], float]]:
    """Items in pictures of one frame's time, each with the pause before it (at most two seconds: nobody waits for a night)."""
    if speed <= 0 or not items:
        return [(items, 0.0)]
    grouped: list[tuple[list[Event | Sample], float]] = []
    begins = items[0].at
    batch: list[Event | Sample] = []
    for item in items:
        ahead = (item.at - begins).total_seconds() / speed
        if ahead >= FRAME and batch:
            grouped.append((batch, min(ahead, 2.0)))
            batch, begins = [], item.at
        batch.append(item)
    return [*grouped, (batch, FRAME)]
