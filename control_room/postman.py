"""The postman: takes letters to Slack, channel by channel, no faster than Slack allows, and tries again for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from control_room.beside import Beside
from control_room.outbox import Letter, Outbox, Place, mark
from control_room.web import SlackSaysNo, Web

SPACING = 1.1
"""Seconds between two messages in a channel: Slack allows one a second."""
LIVE_SPACING = 3.0
"""Seconds between two changes of a message: it is read by people."""
CHANGE_SPACING = 1.3
"""Seconds between two changes of any: Slack allows 50 a minute, for all messages of the app together."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
LOOK = 0.2
TIDY_EVERY = 3600.0
OLD = 7 * 24 * 3600.0
"""Seconds after which a message is of no use any more."""
MENDED = frozenset(
    {
        "not_in_channel",
        "channel_not_found",
        "missing_scope",
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_allowed_token_type",
    }
)
"""Refusals that whoever looks after the app can mend: what is said waits for that. (A private channel that the app is not in is not found.)"""
PAGE = 100
"""Messages of one answer, where a lost one is looked for."""
BEFORE = 300.0
"""Seconds before its call began from which on it is looked for: Slack's clock is another one."""

log = logging.getLogger(__name__)


class Postman:
    """One for all channels. A channel that Slack refuses holds up no other."""

    def __init__(self, outbox: Outbox, web: Web, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._outbox, self._web, self._sleep = outbox, web, sleep
        self._free: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._all_until = self._free_for_changes = 0.0
        self._busy = set[str]()
        self._carrying = Beside()

    async def run(self) -> None:
        """Posts, for as long as the process lives. A call that Slack leaves hanging holds up its own channel alone."""
        tidied = -TIDY_EVERY
        try:
            while True:
                if time.monotonic() - tidied >= TIDY_EVERY:
                    tidied = time.monotonic()
                    self._tidy()
                try:
                    self._begin()
                except Exception:
                    log.exception("posting goes on after a mistake of its own")
                await self._sleep(LOOK)
        finally:
            await self._carrying.end()

    async def round(self) -> None:
        """One letter of each channel that is free, and the changes that are due."""
        await asyncio.gather(*self._begin())

    def _begin(self) -> list[asyncio.Task[None]]:
        begun = []
        for place in self._outbox.waiting():
            change = place.letter.live and bool(place.ts)
            lane = place.letter.key if change else place.letter.channel
            if place.letter.until and place.letter.until < time.time() and not place.ts:
                log.info("a message to %s is of no use any more, and is not posted", place.letter.channel)
                self._outbox.given_up(place.letter)
                continue
            if place.letter.thread and self._outbox.is_given_up(place.letter.thread):
                self._outbox.given_up(place.letter)
                continue
            if lane in self._busy or not self._is_free(lane, change):
                continue
            if change:
                self._free_for_changes = time.monotonic() + CHANGE_SPACING
            self._busy.add(lane)
            begun.append(self._carrying.begin(self._carried(place, lane)))
        return begun

    def _tidy(self) -> None:
        try:
            self._outbox.tidy()
        except Exception:
            log.exception("old messages stay on record for now")

    def _is_free(self, lane: str, change: bool) -> bool:
        free = max(self._free.get(lane, 0.0), self._all_until, self._free_for_changes if change else 0.0)
        return time.monotonic() >= free

    async def _carried(self, place: Place, lane: str) -> None:
        try:
            await self._carry(place, lane)
        except Exception:
            log.exception("%s could not be posted", place.letter.key)
            self._free[lane] = time.monotonic() + LONGEST_PAUSE
        finally:
            self._busy.discard(lane)

    async def _carry(self, place: Place, lane: str) -> None:
        letter = place.letter
        try:
            there = await self._posted_before(place)
            ts = there or (None if place.recalled else await self._post(place))
        except SlackSaysNo as no:
            self._refused(place, lane, no)
            return
        except OSError as error:  # the picture is gone
            log.error("%s cannot be posted: %s", letter.key, error)
            self._outbox.given_up(letter)
            return
        if there:
            self._outbox.found(letter, there)
        elif ts is None:
            self._outbox.drop(letter)
        else:
            self._outbox.posted(letter, ts)
        self._pauses.pop(lane, None)
        self._free[lane] = time.monotonic() + (LIVE_SPACING if place.ts else SPACING)

    async def _posted_before(self, place: Place) -> str:
        """Nothing to do any more, where a call that nobody heard the end of has come through."""
        if not place.tried or place.ts:
            return ""
        thread = self._outbox.ts(place.letter.thread) if place.letter.thread else None
        return await self._look_for(place.letter, thread, place.tried)

    async def _post(self, place: Place) -> str | None:
        """What names it in its channel; None where it has been taken back meanwhile."""
        letter, blocks = place.letter, list(place.letter.blocks) or None
        thread = self._outbox.ts(letter.thread) if letter.thread else None
        if place.ts:
            if self._outbox.shown(letter.key) != letter.digest:
                await self._web.call("chat.update", channel=letter.channel, ts=place.ts, text=letter.text, blocks=blocks, metadata=letter.metadata)
            return place.ts
        if not self._outbox.trying(letter):
            return None
        if letter.file:
            path = Path(letter.file)
            content = await asyncio.to_thread(path.read_bytes)
            await self._web.upload(path.name, letter.text, content, letter.channel, thread)
            return "file"
        more = {"thread_ts": thread, "reply_broadcast": letter.broadcast or None, "metadata": letter.metadata, "unfurl_links": False}
        posted = await self._web.call("chat.postMessage", channel=letter.channel, text=letter.text, blocks=blocks, **more)
        return str(posted["ts"])

    async def _look_for(self, letter: Letter, thread: str | None, tried: float) -> str:
        """Where it stands, if it does. While Slack does not say, nobody knows; where it never will, it counts as not there."""
        try:
            return await self._find(letter, thread, tried)
        except SlackSaysNo as no:
            if no.final:
                log.info("nobody can look whether a message is in %s: %s", letter.channel, no)
                return ""
            raise SlackSaysNo("looking for a message", no.error, after=no.after, unsure=True) from None

    async def _find(self, letter: Letter, thread: str | None, tried: float) -> str:
        """A message that an earlier call may have posted without our hearing of it."""
        more: dict[str, Any] = {"channel": await self._place(letter.channel), "limit": PAGE, "include_all_metadata": True}
        method, of = ("conversations.replies", {"ts": thread}) if thread else ("conversations.history", {})
        wanted = mark(letter.key)
        async for answer in self._web.pages(method, oldest=f"{tried - BEFORE:.6f}", **of, **more):
            for message in answer.get("messages") or ():
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                files = {file.get("name") for file in message.get("files") or ()}
                if payload.get("key") == wanted or (letter.file and Path(letter.file).name in files):
                    return str(message["ts"])
        return ""

    async def _place(self, channel: str) -> str:
        """A channel by its own id: somebody's direct messages are written to by theirs."""
        if channel[0] not in "UW":
            return channel
        return str((await self._web.call("conversations.open", users=channel))["channel"]["id"])

    def _refused(self, place: Place, lane: str, no: SlackSaysNo) -> None:
        letter = place.letter
        if no.code == "message_not_found" and place.ts:
            self._outbox.lost(letter)
            return
        lasting = letter.live and no.code != "is_archived"  # a state that is refused now has another one soon
        if (no.final and not lasting and no.code not in MENDED) or time.time() - place.since > OLD:
            log.error("a message to %s is given up: %s", letter.channel, no)
            self._outbox.given_up(letter)
            return
        if not no.unsure:
            self._outbox.not_taken(letter)
        pause = min(self._pauses.get(lane, FIRST_PAUSE / 2) * 2, LONGEST_PAUSE)
        if lane not in self._pauses:
            log.warning("a message to %s waits, and is tried again: %s", letter.channel, no)
        self._pauses[lane] = pause
        if no.after:  # it counts for the app, not for one channel
            self._all_until = time.monotonic() + no.after
        self._free[lane] = time.monotonic() + max(pause, no.after)
