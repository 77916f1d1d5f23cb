"""The follower: sees which runs there are, follows each in its rooms, and looks after its pictures, its own channel and its report."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from activities.store import RunStore
from control_room.beside import Beside
from control_room.followed import Followed
from control_room.identity import Directory
from control_room.outbox import Outbox
from control_room.own_channel import OwnChannels
from control_room.runs import Board, Leases
from control_room.web import SlackSaysNo, Web
from gameday.errors import GamedayError, Unavailable
from gameday.event import Event, EventKind
from gameday.feed import Feed
from gameday.playbook import Role
from gameday.slack import SlackSettings

LOOK_EVERY = 0.5
LIST_EVERY = 2.0
MEMBERS_EVERY, KNOWN_FOR = 30.0, 75.0
"""Seconds between two looks who is in a control room, and how long what was seen counts where another look fails."""
AFTERWARDS = timedelta(days=3)
"""How long a run that is over stays at hand: for its survey, and for what was not told yet, also over a weekend that Slack was away."""
ABANDONED = timedelta(days=30)
"""How long a run is followed that never ends."""
PROOF_PATIENCE = 60.0
"""Seconds that a run is followed closely after its end: what was dirty may be proven gone."""
SLOWLY = 10.0
QUIET = 60.0
"""Seconds without another note after which the report goes to its rooms again."""
AGAIN, LONGEST = 5.0, 60.0
"""Seconds at the least, and at the most, between two tries of what was not taken."""
TIDY_EVERY = 3600.0
KEPT = 30 * 24 * 3600.0
"""Seconds that pictures and reports are kept."""

Paint = Callable[[str, int, Path], Awaitable[bool]]
"""Draws the main probes of a run's scenario into a file; False where there is nothing to show."""
Report = Callable[[str], Awaitable[str]]
"""A run's report as Markdown, as anybody may see it."""

log = logging.getLogger(__name__)


@dataclass
class Watched:
    """A run that is followed, and what is done for it beside. Moments are of the monotonic clock, in seconds."""

    followed: Followed
    looked: float = 0.0
    over_since: float | None = None
    members_asked: float = -MEMBERS_EVERY
    members_known: float = -math.inf
    notes: int = 0
    """Those that were written after its end."""
    notes_since: float = 0.0
    """Since when there are so many."""
    begun: set[str] = field(default_factory=set)
    """What is being done beside, and what was done that is done once."""

    @property
    def run(self) -> str:
        return self.followed.plan.run_id


class Follower:
    def __init__(
        self,
        store: RunStore,
        web: Web,
        outbox: Outbox,
        own: OwnChannels,
        board: Board,
        known: SlackSettings,
        folder: Path,
        leases: Leases,
        paint: Paint,
        report: Report,
    ) -> None:
        self._store, self._web, self._outbox, self._own, self._board, self._known = store, web, outbox, own, board, known
        self._folder, self._leases, self._paint, self._report = folder, leases, paint, report
        self._watched: dict[str, Watched] = {}
        self._gone = set[str]()
        self._listed = self._tidied = -math.inf
        self._beside = Beside()
        self.looked = asyncio.Event()
        """Whether the runs have been looked at once."""

    @property
    def directory(self) -> Directory:
        return self._board.directory

    async def run(self) -> None:
        """Follows, for as long as the process lives. A store that does not answer is asked again."""
        told = ""
        try:
            while True:
                try:
                    await self.look()
                    self.looked.set()
                    told = ""
                except GamedayError as error:
                    if str(error) != told:
                        log.warning("%s", error)
                    told = str(error)
                except Exception:
                    log.exception("following goes on after a mistake of its own")
                await asyncio.sleep(LOOK_EVERY)
        finally:
            await self._beside.end()

    async def look(self) -> None:
        now = time.monotonic()
        if now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            await asyncio.to_thread(_tidy, self._folder)
        if now - self._listed >= LIST_EVERY:
            self._listed = now
            begun = await asyncio.to_thread(self._store.begun_since, datetime.now(UTC) - ABANDONED)
            for run in begun:
                if run not in self._watched and run not in self._gone:
                    await self._alone(run, self._take_up(run))
        for watched in list(self._watched.values()):
            if self._is_due(watched, now):
                await self._alone(watched.run, self._follow(watched, now))

    async def _alone(self, run: str, work: Coroutine[Any, Any, None]) -> None:
        """A run that cannot be followed keeps no other from it."""
        try:
            await work
        except Unavailable:  # the store, and so all of them
            raise
        except Exception:
            log.exception("%s cannot be followed now", run)

    async def _take_up(self, run: str) -> None:
        ends = await asyncio.to_thread(self._store.told, run, [EventKind.RUN_ENDED])
        if ends and datetime.now(UTC) - ends[-1].at > AFTERWARDS and not self._own.is_open(run):
            self._gone.add(run)
            return
        plan = await asyncio.to_thread(self._store.plan, run)
        if plan is None:
            return
        asked = plan.playbook.rooms
        rooms = asked.model_copy(update={"control": asked.control or self._known.control, "response": asked.response or self._known.response})
        feeds = Feed(self._store, plan, samples=False), Feed(self._store, plan, open_seals=False, samples=False)
        followed = Followed(feeds, plan, rooms, self._outbox, self.directory, self._leases)
        self._watched[run] = Watched(followed)

    def _is_due(self, watched: Watched, now: float) -> bool:
        if not watched.followed.over:
            return True
        watched.over_since = watched.over_since or now
        return now - watched.over_since < PROOF_PATIENCE or now - watched.looked >= SLOWLY

    async def _follow(self, watched: Watched, now: float) -> None:
        followed, watched.looked = watched.followed, now
        if not followed.over and datetime.now(UTC) - followed.plan.started_at > ABANDONED:
            self._let_go(watched.run)
            return
        if followed.hides and followed.control and now - watched.members_asked >= MEMBERS_EVERY:
            watched.members_asked = now
            self._start(watched, "who is in the control room", partial(self._look_who_is_in, watched), once=False)
        if followed.wants_own and not followed.own:
            self._start(watched, "own channel", partial(self._open_own, followed))
        await asyncio.to_thread(followed.pull)
        self._board.put(watched.run, followed)
        followed.tell(now)
        for event in followed.pictures_due:
            self._start(watched, f"picture {event.id}", partial(self._draw, followed, event), again=False)
        followed.pictures_due = []
        if followed.open.ended_at is not None:
            self._after(watched, datetime.now(UTC) - followed.open.ended_at, now)

    def _after(self, watched: Watched, age: timedelta, now: float) -> None:
        """Once a run is over: its report at once, and again when people have said more; then its own channel is put away, and it is let go."""
        followed, notes = watched.followed, watched.followed.afterwards
        if age > AFTERWARDS and not self._own.is_open(watched.run):
            self._let_go(watched.run)
            return
        if notes != watched.notes:
            watched.notes, watched.notes_since = notes, now
        settled = not notes or now - watched.notes_since >= QUIET
        if settled and not followed.has_report(notes):
            self._start(watched, "report", partial(self._hand_over_report, followed, notes), once=False)
        if followed.own and age >= self._known.archive_after and followed.has_report(notes) and self._outbox.all_posted(followed.own):
            self._start(watched, "archive", partial(self._own.archive, watched.run))

    def _let_go(self, run: str) -> None:
        """Nobody asks for it here any more."""
        del self._watched[run]
        self._gone.add(run)
        self._board.drop(run)

    def _start(self, watched: Watched, what: str, work: Callable[[], Awaitable[None]], once: bool = True, again: bool = True) -> None:
        """Begins what is done for a run beside the following; it holds up nothing. With `again` what was not taken is tried until it is."""
        if what in watched.begun:
            return
        watched.begun.add(what)

        async def done() -> None:
            pause, told = AGAIN, ""
            while watched.run in self._watched:
                try:
                    await work()
                    break
                except (SlackSaysNo, GamedayError) as no:
                    if str(no) != told:
                        log.warning("%s of %s: %s", what, watched.run, no)
                    told = str(no)
                    if not again:
                        break
                    await asyncio.sleep(max(no.after if isinstance(no, SlackSaysNo) else 0.0, pause))
                    pause = min(2 * pause, LONGEST)
                except Exception:
                    log.exception("%s of %s", what, watched.run)
                    break
            if not once:
                watched.begun.discard(what)

        self._beside.begin(done())

    async def _look_who_is_in(self, watched: Watched) -> None:
        """Whether a responder could read the control room. What nobody knows counts as yes, once it has not been known for a while."""
        followed, now = watched.followed, time.monotonic()
        playbook = followed.plan.playbook
        responders = set(self.directory.users(playbook, Role.RESPONDER))
        unknown = sum(role is Role.RESPONDER for role, _ in playbook.team.members()) - len(responders)
        why = ""
        if unknown > 0:
            why = f"nobody knows the Slack id of {unknown} responders of {playbook.name}"
        elif followed.control in followed.respond_in:
            why = "it is the response room"
        else:
            try:
                inside = responders & await self._members(followed.control)
                why = f"{', '.join(sorted(inside))} in it is a responder" if inside else ""
                if not (await self._web.form("conversations.info", channel=followed.control))["channel"].get("is_private"):
                    why = why or "it is a public channel, which anybody can read"
                watched.members_known = now
            except Exception as error:  # noqa: BLE001  # whatever it is: what nobody knows is kept back
                if now - watched.members_known < KNOWN_FOR:
                    return
                why = f"nobody knows who is in it ({error or type(error).__name__})"
        if why and why != followed.veiled_because:
            log.warning("sealed scenarios of %s are kept from the control room %s: %s", followed.plan.run_id, followed.control, why)
        followed.veiled_because = why

    async def _members(self, channel: str) -> set[str]:
        return {user async for answer in self._web.pages("conversations.members", channel=channel, limit=200) for user in answer.get("members") or ()}

    async def _open_own(self, followed: Followed) -> None:
        users = self.directory.users(followed.plan.playbook)
        followed.own = await self._own.open(followed.plan.run_id, users)

    async def _draw(self, followed: Followed, event: Event) -> None:
        path = self._folder / "pictures" / f"{followed.plan.run_id}-{event.id[:8]}.png"
        if event.scenario is not None and await self._paint(followed.plan.run_id, event.scenario, path):
            followed.put_picture(event, path)

    async def _hand_over_report(self, followed: Followed, notes: int) -> None:
        run = followed.plan.run_id
        path = self._folder / "reports" / f"{run}{f'-{notes}' if notes else ''}.md"
        text = await self._report(run)
        await asyncio.to_thread(_write, path, text)
        followed.put_report(path, notes)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")


def _tidy(folder: Path) -> None:
    """Pictures and reports that Slack has had for long go."""
    for path in (*folder.glob("pictures/*.png"), *folder.glob("reports/*.md")):
        if path.stat().st_mtime < time.time() - KEPT:
            path.unlink(missing_ok=True)
