"""The pictures of docs/slack.md, from the small day that the tests tell: python docs/images/rooms.py

Needs Chromium, and Lato for the look of Slack (Debian: apt-get install chromium fonts-lato fonts-dejavu). The messages are made by the code
that makes them for Slack, from a day in a store, step by step as the control room follows one. Added to it are the lease of the fault, one
card, the rooms' names, and the drawing of Slack itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from block_kit import Post, message, modal, page, room, thread
from PIL import Image, ImageChops

from activities.store import RunStore
from control_room import control, dialogs
from control_room.followed import Followed
from control_room.identity import Directory
from control_room.outbox import Letter, Outbox
from gameday.event import Event, EventKind
from gameday.feed import Feed
from gameday.record import RunRecord
from gameday.rooms import Rooms
from reports.snapshot import snapshot
from tests.gameday.cli.told import FIRST, plan_of, told_day, told_until

HERE = Path(__file__).parent
WIDTH, TALLEST, SCALE = 760, 2000, 2
"""Of a picture, in CSS pixels; and how many pixels each of them has."""
COLOURS = 128
CONTROL, RESPONSE = "C01", "C02"
PEOPLE = {"U01": "Ada", "U03": "Linus"}
DIRECTORY = Directory("T01", PEOPLE)
STEP = 0.5
"""Seconds of the day between two looks of the control room into the store."""
FAULT_ON, GATE, SEALED = 16.0, 5.5, 43.0
"""Seconds of the day: the fault is on and noticed; a go is waited for; the sealed scenario goes wrong."""
LEASE = 13.0
LAST = 3
"""How many of a thread's answers are shown."""


class Noted(Outbox):
    """An outbox without a postman: what was put in, by its key, as it was put in last."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.letters: dict[str, Letter] = {}

    def put(self, letter: Letter, told: Iterable[str] = ()) -> bool:
        self.letters[letter.key] = letter
        return super().put(letter, told)


@dataclass
class Followers:
    """A run in its rooms, as far as it was followed: `post` has the letters in their order, each with the time of day when it was put in."""

    followed: Followed
    outbox: Noted
    post: dict[str, tuple[str, Letter]] = field(default_factory=dict)

    def look(self, folder: Path, record: RunRecord, seconds: float) -> None:
        """What the control room does twice a second, and the pictures that it has drawn beside it."""
        self.followed.pull()
        self.followed.tell(seconds)
        for event in self.followed.pictures_due:
            drawn = snapshot(record, event.scenario or 0)
            if drawn is not None:
                path = folder / f"{event.id}.png"
                path.write_bytes(drawn)
                self.followed.put_picture(event, path)
        self.followed.pictures_due = []
        moment = (record.plan.started_at + timedelta(seconds=seconds)).astimezone(record.plan.zone)
        for key, letter in self.outbox.letters.items():
            known = self.post.get(key)
            self.post[key] = (known[0] if known else f"{moment:%H:%M}", letter)

    def posts(self, channel: str, thread: bool = False) -> list[Post]:
        """What is in a room, or in the threads of it."""
        return [Post(time, letter.blocks) for time, letter in self.post.values() if letter.channel == channel and bool(letter.thread) == thread]


@contextmanager
def following(day: RunRecord, seconds: float) -> Iterator[Followers]:
    """The day in a store, followed for so many seconds of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, outbox = RunStore(f"sqlite:///{folder / 'gameday.db'}"), Noted(folder / "slack.db")
        store.open(day.plan)
        feeds = Feed(store, day.plan), Feed(store, day.plan, open_seals=False)
        followed = Followed(feeds, day.plan, Rooms(control=CONTROL, response=RESPONSE), outbox, DIRECTORY, lambda _: {FIRST: LEASE})
        followed.veiled_because = ""
        found = Followers(followed, outbox)
        for step in range(int(seconds / STEP) + 1):
            told = told_until(day, step * STEP)
            store.append(told.events)
            store.add_samples(day.run_id, told.samples)
            found.look(folder, told, step * STEP)
        yield found
        outbox.close()


def control_room() -> str:
    """The first scenario with its fault on: the message, and the last answers in its thread."""
    day = told_day(plan_of())
    with following(day, FAULT_ON) as found:
        now = day.plan.started_at + timedelta(seconds=FAULT_ON)
        _, shown = control.message(found.followed.open, now, {FIRST: LEASE}, DIRECTORY)
        (first,) = found.posts(CONTROL)
        answers = thread(found.posts(CONTROL, thread=True), PEOPLE, LAST)
        return room("Thread", message(Post(first.time, shown), PEOPLE), answers, about="# gameday-control")


def response_room() -> str:
    """A sealed scenario with its fault on, of which this room knows what support calls in with."""
    day = told_day(plan_of(sealed=True))
    at, said = day.plan.started_at + timedelta(seconds=41), {"say": "Support: a customer was charged twice"}
    card = Event(id="card", run_id=day.run_id, at=at, kind=EventKind.CARD, scenario=1, data=said)
    day = RunRecord(day.plan, tuple(sorted((*day.events, card), key=lambda event: event.at)), day.samples)
    with following(day, SEALED) as found:
        return room("# incidents", *(message(post, PEOPLE) for post in found.posts(RESPONSE)))


def go() -> str:
    """What a commander is asked before a go."""
    with following(told_day(plan_of()), GATE) as found:
        view = found.followed.open
        return modal(dialogs.go(view, view.gate), PEOPLE)


def shoot(body: str, path: Path) -> None:
    """A page as Chromium draws it, cropped to what is in it, with few colours."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("rooms.py needs Chromium. Debian: apt-get install chromium fonts-lato fonts-dejavu")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "page.html").write_text(page(body), encoding="utf-8")
        argv = [chromium, "--headless=new", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}", f"--screenshot={folder}/page.png"]
        argv += [f"--force-device-scale-factor={SCALE}", f"--window-size={WIDTH},{TALLEST}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        subprocess.run([*argv, f"file://{folder}/page.html"], check=True, capture_output=True, timeout=60)
        whole = Image.open(folder / "page.png").convert("RGB")
    box = ImageChops.difference(whole, Image.new("RGB", whole.size, "white")).getbbox()
    whole.crop(box).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    for name, body in (("control", control_room()), ("response", response_room()), ("go", go())):
        path = HERE / f"slack-{name}.png"
        shoot(body, path)
        print(f"{path}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
