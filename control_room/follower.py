"""The follower: sees which runs there are, follows each in its rooms, and looks after its pictures, its own channel and its report."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from activities.store import RunLine, RunStore
from control_room.followed import Followed
from control_room.identity import Directory
from control_room.outbox import Outbox
from control_room.own_channel import OwnChannels
from control_room.runs import Board, Leases
from control_room.web import SlackSaysNo, Web
from gameday.errors import GamedayError
from gameday.event import Event
from gameday.feed import Feed
from gameday.playbook import Role
from gameday.rooms import Rooms
from gameday.slack import SlackSettings

LOOK_EVERY = 0.5
LIST_EVERY = 2.0
MEMBERS_EVERY = 30.0
MOST_RUNS = 50
AFTERWARDS = timedelta(hours=12)
"""How long a run that is over stays at hand: for its survey, and for what was not told yet."""
ABANDONED = timedelta(days=7)
PROOF_PATIENCE = 60.0
"""Seconds that a run is followed closely after its end: what was dirty may be proven gone."""
SLOWLY = 10.0

Paint = Callable[[str, int, Path], Awaitable[bool]]
"""Draws the main probes of a run's scenario into a file; False where there is nothing to show."""
Report = Callable[[str], Awaitable[str]]
"""A run's report as Markdown, as anybody may see it."""

log = logging.getLogger(__name__)


class Follower:
    def __init__(
        self,
        store: RunStore,
        web: Web,
        outbox: Outbox,
        board: Board,
        known: SlackSettings,
        folder: Path,
        leases: Leases,
        paint: Paint,
        report: Report,
    ) -> None:
        self._store, self._web, self._outbox, self._board, self._known = store, web, outbox, board, known
        self._folder, self._leases, self._paint, self._report = folder, leases, paint, report
        self._own = OwnChannels(web, outbox, folder / "control-room.db")
        self._followed: dict[str, Followed] = {}
        self._gone = set[str]()
        self._times: dict[str, dict[str, float]] = {}
        self._listed = 0.0
        self._beside: set[asyncio.Task[None]] = set()

    @property
    def directory(self) -> Directory:
        return self._board.directory

    async def run(self) -> None:
        """Follows, for as long as the process lives. A store that does not answer is asked again."""
        told = ""
        while True:
            try:
                await self.look()
                told = ""
            except GamedayError as error:
                if str(error) != told:
                    log.warning("%s", error)
                told = str(error)
            except Exception:
                log.exception("following goes on after a mistake of its own")
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        now = time.monotonic()
        if now - self._listed >= LIST_EVERY:
            self._listed = now
            for line in await asyncio.to_thread(self._store.list, MOST_RUNS):
                if line.run_id not in self._followed and line.run_id not in self._gone:
                    await self._alone(line.run_id, self._take_up(line))
        for followed in list(self._followed.values()):
            if self._is_due(followed, now):
                await self._alone(followed.plan.run_id, self._follow(followed, now))

    async def _alone(self, run: str, work: Coroutine[Any, Any, None]) -> None:
        """A run that cannot be followed keeps no other from it."""
        try:
            await work
        except GamedayError:
            raise
        except Exception:
            log.exception("%s cannot be followed now", run)

    async def _take_up(self, line: RunLine) -> None:
        age = datetime.now(UTC) - line.started_at
        if age > (AFTERWARDS if line.outcome else ABANDONED):
            self._gone.add(line.run_id)
            return
        plan = await asyncio.to_thread(self._store.plan, line.run_id)
        if plan is None:
            return
        asked = plan.playbook.rooms
        rooms = Rooms(**{**asked.model_dump(), "control": asked.control or self._known.control, "response": asked.response or self._known.response})
        feeds = Feed(self._store, plan), Feed(self._store, plan, open_seals=False)
        followed = Followed(feeds, plan, rooms, self._outbox, self.directory, self._leases)
        self._followed[line.run_id], self._times[line.run_id] = followed, {}
        self._board.put(line.run_id, followed)

    def _is_due(self, followed: Followed, now: float) -> bool:
        times = self._times[followed.plan.run_id]
        if not followed.over:
            return True
        ended = times.setdefault("ended", now)
        return now - ended < PROOF_PATIENCE or now - times.get("looked", 0.0) >= SLOWLY

    async def _follow(self, followed: Followed, now: float) -> None:
        times = self._times[followed.plan.run_id]
        times["looked"] = now
        if followed.open.ended_at is not None and datetime.now(UTC) - followed.open.ended_at > AFTERWARDS:
            self._let_go(followed.plan.run_id)
            return
        if followed.control and now - times.get("members", -MEMBERS_EVERY) >= MEMBERS_EVERY:
            times["members"] = now
            followed.veils_control = await self._has_responders(followed)
        if followed.wants_own and not followed.own:
            self._start(followed.plan.run_id, "own", partial(self._open_own, followed))
        new = await asyncio.to_thread(followed.pull)
        followed.tell(new, now)
        for event in followed.pictures_due:
            self._start(followed.plan.run_id, f"picture {event.id}", partial(self._draw, followed, event))
        followed.pictures_due = []
        ended = followed.open.ended_at
        if ended is not None and datetime.now(UTC) - ended < AFTERWARDS:
            self._start(followed.plan.run_id, "report", partial(self._hand_over_report, followed))

    def _let_go(self, run: str) -> None:
        """Nobody asks for it here any more."""
        del self._followed[run], self._times[run]
        self._gone.add(run)
        self._board.drop(run)

    def _start(self, run: str, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begins what is done once for a run, beside the following."""
        times = self._times[run]
        if times.get(what, -1.0) >= 0:
            return
        times[what] = time.monotonic()

        async def once() -> None:
            try:
                await work()
            except SlackSaysNo as no:
                log.warning("%s of %s: %s", what, run, no)
                await asyncio.sleep(max(no.after, 5.0))
                times.pop(what, None)
            except Exception:
                log.exception("%s of %s", what, run)

        task = asyncio.create_task(once())
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _has_responders(self, followed: Followed) -> bool:
        """Whether a responder could read the control room. What nobody knows counts as yes, as long as there is something to hide."""
        playbook = followed.plan.playbook
        responders = set(self.directory.users(playbook, Role.RESPONDER))
        if not any(scenario.sealed for scenario in followed.plan.playbook.scenarios):
            return False
        unknown = sum(role is Role.RESPONDER for role, _ in playbook.team.members()) - len(responders)
        if unknown > 0 and "unknown" not in self._times[followed.plan.run_id]:
            self._times[followed.plan.run_id]["unknown"] = 0.0
            log.warning("sealed scenarios are kept from the control room: nobody knows the Slack id of %d responders of %s", unknown, playbook.name)
        if followed.control in followed.respond_in or unknown > 0:
            return True
        try:
            members = await self.members(followed.control)
        except SlackSaysNo as no:
            log.warning("nobody knows who is in the control room, so sealed scenarios are kept from it: %s", no)
            return True
        inside = responders & members
        if inside:
            log.warning("sealed scenarios are kept from the control room %s: %s in it is a responder", followed.control, ", ".join(sorted(inside)))
        return bool(inside)

    async def members(self, channel: str) -> set[str]:
        found, cursor = set[str](), ""
        while True:
            answer = await self._web.form("conversations.members", channel=channel, limit=200, cursor=cursor or None)
            found |= set(answer.get("members") or ())
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

    async def _open_own(self, followed: Followed) -> None:
        users = self.directory.users(followed.plan.playbook)
        followed.own = await self._own.open(followed.plan.run_id, users)

    async def _draw(self, followed: Followed, event: Event) -> None:
        path = self._folder / "pictures" / f"{followed.plan.run_id}-{event.id[:8]}.png"
        if event.scenario is not None and await self._paint(followed.plan.run_id, event.scenario, path):
            followed.put_picture(event, path)

    async def _hand_over_report(self, followed: Followed) -> None:
        """Into the control room's thread and the run's own channel, which is then put away."""
        run = followed.plan.run_id
        path = self._folder / "reports" / f"{run}.md"
        if followed.control or followed.own:
            text = await self._report(run)
            await asyncio.to_thread(_write, path, text)
        for channel in filter(None, (followed.control, followed.own)):
            followed.put_report(channel, path)
        if followed.own:
            while not self._outbox.all_posted(followed.own):  # noqa: ASYNC110  # another task posts
                await asyncio.sleep(1.0)
            await self._own.archive(run)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")
