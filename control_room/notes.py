"""Notes: a command, a message shortcut, or a reaction on a message puts onto the timeline what was seen, once, under the name of who said it."""

from __future__ import annotations

import hashlib
from typing import Any

from control_room.payloads import Payload, Reaction, Shortcut, Who
from control_room.runs import Board
from control_room.voice import Voice
from control_room.web import SlackSaysNo, Web
from control_room.writing import plain_text
from gameday.commands import Actor, Verb
from gameday.errors import NotFound

SHORTCUT = "add-to-timeline"
NOTED = "memo"
"""The sign on a message that it is noted."""


class Notes:
    def __init__(self, board: Board, voice: Voice, web: Web, reaction: str) -> None:
        self._board, self._voice, self._web, self._reaction = board, voice, web, reaction

    async def do(self, payload: Shortcut | Reaction) -> None:
        """A message becomes a note of whoever wrote it. Another's reaction on it is the same note."""
        assert payload.channel is not None  # neither comes without one
        run = self._board.of_room(payload.channel)
        if isinstance(payload, Reaction):
            if run is None:
                return
            if payload.shared and not self._knows(payload.who, run):
                return
            said, author = await self._read(payload.channel, payload.message)
        elif payload.callback != SHORTCUT:
            return
        else:
            said, author = payload.said, payload.author
        if run is None:
            run, _ = self._board.meant("", payload.channel)
        if run is None:
            raise NotFound("no game day takes place in this channel, so there is no timeline that this could go onto")
        if said.strip():
            await self._note(payload, run, said, author)

    def heeds(self, reaction: Reaction) -> bool:
        return reaction.reaction.split("::")[0] == self._reaction  # what follows is a tone of skin

    async def _note(self, payload: Shortcut | Reaction, run: str, said: str, author: str) -> None:
        who = Who(team=payload.who.team, user=author) if author else payload.who
        identity = hashlib.sha256(f"{payload.channel}\0{payload.message}".encode()).hexdigest()[:24]
        noted = payload.model_copy(update={"id": f"slack-note-{identity}", "who": who})
        own = author == payload.who.user
        via = f"slack {payload.channel}{'' if own else f', added by {payload.who.user}'}"
        await self._voice.tell(noted, run, Verb.NOTE, via=via, text=self.text(said, run, who), relayed=not own)
        if not self._board.may_know(run, payload.who):
            return  # a sign would tell that something is on
        try:
            await self._web.call("reactions.add", channel=payload.channel, timestamp=payload.message, name=NOTED)
        except SlackSaysNo as no:
            if no.code != "already_reacted":
                await self._voice.private(payload, "noted")

    async def say(self, payload: Payload, run: str, said: str) -> None:
        """What somebody typed; of a run that is over it goes into its report all the same."""
        await self._voice.say(payload, run, Verb.NOTE, text=self.text(said, run, payload.who))

    def text(self, said: str, run: str, who: Who) -> str:
        """As plain text, with people by the names that the team uses."""
        view = self._board.view(run, who)
        playbook = view.plan.playbook if view else None

        def name_of(user: str) -> str:
            known: Actor = self._board.directory.actor(Who(team=who.team, user=user), playbook, None)
            return known.name

        return plain_text(said, name_of)

    def _knows(self, who: Who, run: str) -> bool:
        """Whether the team or the directory has somebody of whom Slack does not say where they are from."""
        directory, view = self._board.directory, self._board.view(run, who)
        return who.user in directory.people or bool(view and directory.actor(who, view.plan.playbook, None).role)

    async def _read(self, channel: str, ts: str) -> tuple[str, str]:
        """A message's text and author; empty where it is gone."""
        more: dict[str, Any] = {"latest": ts, "oldest": ts, "inclusive": True, "limit": 1}
        answer = await self._web.form("conversations.history", channel=channel, **more)
        found = [each for each in answer.get("messages") or () if each.get("ts") == ts]
        if not found:  # an answer in a thread
            answer = await self._web.form("conversations.replies", channel=channel, ts=ts, **more)
            found = [each for each in answer.get("messages") or () if each.get("ts") == ts]
        return (str(found[0].get("text", "")), str(found[0].get("user", "")) if not found[0].get("bot_id") else "") if found else ("", "")
