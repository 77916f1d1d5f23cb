"""What anybody here says: to a run in somebody's name, and to whoever did something, privately. What Slack cannot be told now waits on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from control_room.blocks import Blocks, harmless, packed, unpacked
from control_room.outbox import Letter, Outbox, mark
from control_room.payloads import Payload
from control_room.runs import Board, Runs
from control_room.saying import command
from control_room.web import SlackSaysNo, Web
from gameday.commands import Verb

ANSWER_WITHIN = 900.0
"""Seconds that an answer is still of use to whoever waits for it."""

log = logging.getLogger(__name__)


class Voice:
    """One for all runs."""

    def __init__(self, board: Board, runs: Runs, web: Web, outbox: Outbox) -> None:
        self._board, self._runs, self._web, self._outbox = board, runs, web, outbox

    async def say(self, payload: Payload, run: str, verb: Verb, **fields: object) -> None:
        """Tells a run something, and whoever said it what the run answers."""
        await self.private(payload, harmless(await self.tell(payload, run, verb, "", **fields)))

    async def tell(self, payload: Payload, run: str, verb: Verb, via: str = "", **fields: object) -> str:
        """The same, without telling anybody. The payload's id is the command's, so that it acts once; `via` says more than its channel."""
        view = self._board.view(run, payload.who)
        actor = self._board.directory.actor(payload.who, view.plan.playbook if view else None, payload.channel)
        actor = actor.model_copy(update={"via": via}) if via else actor
        return await self._runs.tell(run, command(payload.id, verb, actor, **fields))

    async def open(self, payload: Payload, dialog: dict[str, Any]) -> None:
        """Opens a dialog, which carries the channel that it is opened from: what is sent off comes with none."""
        carried = unpacked(dialog["private_metadata"]) | ({"channel": payload.channel} if payload.channel else {})
        await self._web.call("views.open", trigger_id=payload.trigger, view={**dialog, "private_metadata": packed(carried)})

    async def private(self, payload: Payload, text: str, blocks: Blocks | None = None) -> None:
        """Tells one person something, by whichever way Slack takes; where it takes none now, in a message of their own once it is back.

        `text` is Slack's markup: what it repeats of others is to be made harmless.
        """
        ways: list[Callable[[], Any]] = []
        if payload.response_url:
            ways.append(lambda: self._web.answer(payload.response_url, text, **({"blocks": blocks} if blocks else {})))
        if payload.channel:
            ways.append(lambda: self._web.call("chat.postEphemeral", channel=payload.channel, user=payload.who.user, text=text, blocks=blocks))
        for way in ways:
            try:
                await way()
            except SlackSaysNo as no:
                log.info("%s is answered another way: %s", payload.who.user, no)
            else:
                return
        await self.in_person(payload, text, blocks)

    async def in_person(self, payload: Payload, text: str, blocks: Blocks | None = None) -> None:
        """Tells them in a message of their own, once Slack takes it."""
        self._outbox.put(Letter(f"answer/{payload.id}/{mark(text)}", payload.who.user, text, tuple(blocks or ()), until=time.time() + ANSWER_WITHIN))

    async def public(self, payload: Payload, text: str) -> None:
        """Tells a channel what somebody did there; whoever did it, where there is no such channel."""
        if payload.channel and payload.response_url:
            try:
                await self._web.answer(payload.response_url, text, response_type="in_channel")
            except SlackSaysNo as no:
                log.warning("%s is not told of it: %s", payload.channel, no)
            else:
                return
        await self.private(payload, text)
