"""Playing a past run back in the live view, from the record alone and with the record's own times."""

from __future__ import annotations

import time
from bisect import bisect_right
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from gameday.cli import context
from gameday.cli.keys import Decoder, hint
from gameday.feed import Item, merged
from gameday.units import clock
from gameday.view import RunView

if TYPE_CHECKING:
    from gameday.cli.console import Frame
    from gameday.cli.screens import LiveScreen
    from gameday.plan import Plan
    from gameday.record import RunRecord

FRAME = 0.1
"""Seconds of the watcher's time between two pictures."""
LONGEST_WAIT = 2.0
"""Seconds of the watcher's time in which nothing happens: nobody waits for a night."""
AT_THE_END = 2.0
JUMP = timedelta(seconds=10)
SPEED = 10.0


class Player:
    """A record at a moment of it. `at` moves, and the view with it."""

    def __init__(self, record: RunRecord, speed: float) -> None:
        self.plan: Plan = record.plan
        self.items = merged(record.events, record.samples)
        self.times = [item.at for item in self.items]
        self.speed, self.paused, self.left = speed, False, False
        self.at = self.begin
        self.view = RunView(self.plan, self.begin)
        self.place = 0
        self.seek(self.begin)

    @property
    def begin(self) -> datetime:
        return self.times[0] if self.times else self.plan.started_at

    @property
    def end(self) -> datetime:
        return self.times[-1] if self.times else self.plan.started_at

    @property
    def over(self) -> bool:
        return self.place == len(self.items)

    def advance(self, seconds: float) -> list[Item]:
        """Lets this much of the watcher's time pass. Returns what happened in it."""
        if self.paused or self.over:
            return []
        following = self.times[self.place] - timedelta(seconds=LONGEST_WAIT * self.speed)
        return self.seek(max(self.at, following) + timedelta(seconds=seconds * self.speed))

    def seek(self, at: datetime) -> list[Item]:
        """Goes to a moment of the record; going back begins anew."""
        self.at = min(max(at, self.begin), self.end)
        place = bisect_right(self.times, self.at)
        if place < self.place:
            self.view, self.place = RunView(self.plan, self.begin), 0
        new = self.items[self.place : place]
        for item in new:
            self.view.take(item)
        self.place = place
        return new

    def press(self, key: str) -> None:
        match key:
            case "q" | "esc":
                self.left = True
            case " ":
                self.paused = not self.paused
            case "+" | "=":
                self.speed = min(self.speed * 2, 1000.0)
            case "-":
                self.speed = max(self.speed / 2, 0.125)
            case "left" | "right":
                self.seek(self.at + (JUMP if key == "right" else -JUMP))


def replay_run(run: str, speed: float | None, as_json: bool) -> None:
    """Plays a record; `speed` is how many times faster than it was, 0 at once. Elsewhere than in a terminal it is at once by itself."""
    from gameday.cli.screens import JsonScreen, PlainScreen

    known = context.settings()
    record = context.visible(known, context.record(context.store(known), run))
    live = context.terminal() and not as_json and speed != 0
    player = Player(record, SPEED if speed is None else speed or SPEED)
    if live:
        _play(player)
        return
    screen = JsonScreen() if as_json else PlainScreen()
    if not speed:
        player.seek(player.end)
        screen.show(player.view, player.items)
        return
    screen.show(player.view, player.items[: player.place])
    while not player.over:
        time.sleep(FRAME)
        screen.show(player.view, player.advance(FRAME))


def _play(player: Player) -> None:
    """In the terminal, with its keys, until the end or until the watcher has had enough."""
    from gameday.cli.farewell import endings, left_behind
    from gameday.cli.screens import LiveScreen
    from gameday.cli.terminal import key_by_key

    screen = LiveScreen(lambda _, width, height: frame(player, width, height))
    try:
        with key_by_key() as handle:
            _frames(player, screen, handle)
    except KeyboardInterrupt:
        pass
    finally:
        screen.close()
    if player.over:
        print("\n".join([left_behind(player.view), *endings(player.view)]))


def _frames(player: Player, screen: LiveScreen, handle: int) -> None:
    from gameday.cli.terminal import pressed

    decoder, before, idle = Decoder(), time.monotonic(), 0.0
    while not player.left and idle < AT_THE_END:
        screen.show(player.view)
        for key in pressed(handle, decoder, FRAME):
            player.press(key)
        now = time.monotonic()
        player.advance(now - before)
        idle = idle + now - before if player.over and not player.paused else 0.0
        before = now


def frame(player: Player, width: int, height: int) -> Frame:
    """The picture's frame at the moment that is played, with how far it is below."""
    from gameday.cli.console import Frame

    state = "paused" if player.paused else f"x {player.speed:g}"
    labels = {"space": "go on" if player.paused else "pause", "← →": "10 s", "+ -": "faster, slower", "q": "leave"}
    return Frame(player.at, width, height, badge=f"REPLAY {state}", bottom=[progress(player, width), hint(labels, 3 if width >= 60 else 2)])


def progress(player: Player, width: int) -> Text:
    """How far the replay is, as a bar."""
    whole, gone = player.end - player.begin, player.at - player.begin
    said = f"  {clock(gone)} of {clock(whole)}"
    room = max(min(width, 100) - len(said), 1)
    filled = round(room * (gone / whole)) if whole else room
    return Text.assemble(("━" * filled, "cyan"), ("─" * (room - filled), "dim"), said)
