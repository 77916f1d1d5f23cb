"""The app's home of everybody who has looked at it: as its reader may see the runs, and kept up to date for a while."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from control_room import home
from control_room.payloads import Who
from control_room.runs import Board
from control_room.web import SlackSaysNo, Web
from gameday.commands import Actor
from gameday.view import RunView

KEPT = 12 * 3600.0
"""Seconds after somebody has looked at it that a home is kept up to date."""
LOOK_EVERY, SPACING = 3.0, 0.1
"""Seconds between two rounds, and between two homes of one."""
ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
"""Homes are compared as of one moment: that a countdown goes on is no change, and Slack need not be asked for it."""

log = logging.getLogger(__name__)


@dataclass
class Looking:
    """Somebody who looks at their home: since when (of the monotonic clock), and what it shows."""

    who: Who
    since: float = 0.0
    shown: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Homes:
    def __init__(self, board: Board, web: Web) -> None:
        self._board, self._web = board, web
        self._looking: dict[str, Looking] = {}

    async def show(self, who: Who) -> None:
        """Somebody has opened it, or done something there.

        Raises:
            SlackSaysNo: it stays as it is.
        """
        looking = self._looking.setdefault(who.user, Looking(who))
        looking.since = time.monotonic()
        await self._publish(looking)

    async def run(self) -> None:
        """Keeps them up to date, for as long as the process lives."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for each in list(self._looking.values()):
                await asyncio.sleep(SPACING)
                try:
                    if time.monotonic() - each.since > KEPT:
                        del self._looking[each.who.user]
                    elif self._digest(each.who) != each.shown:
                        await self._publish(each)
                except SlackSaysNo as no:
                    log.info("the home of %s is as it was: %s", each.who.user, no)
                    await asyncio.sleep(no.after)
                except Exception:
                    log.exception("the home of %s is not kept up to date", each.who.user)
                    self._looking.pop(each.who.user, None)

    async def _publish(self, looking: Looking) -> None:
        async with looking.turn:  # what is shown last is what was seen last
            digest = self._digest(looking.who)
            await self._web.call("views.publish", user_id=looking.who.user, view=home.home(self._seen(looking.who), datetime.now(UTC)))
            looking.shown = digest

    def _digest(self, who: Who) -> str:
        return json.dumps(home.home(self._seen(who), ANY_MOMENT))

    def _seen(self, who: Who) -> list[tuple[RunView, Actor]]:
        views = [view for run in self._board.going_on(who) if (view := self._board.view(run, who))]
        return [(view, self._board.directory.actor(who, view.plan.playbook, None)) for view in views]
