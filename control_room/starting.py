"""`/gameday start`: a playbook from the operator's folder, with its variables asked for in a dialog."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from control_room import dialogs
from control_room.payloads import SlashCommand, Submission, Who
from control_room.runs import Board, Runs
from control_room.voice import Voice
from gameday.commands import Actor
from gameday.errors import BadInput, Refused
from gameday.loading import Opening, opening
from gameday.playbook import Role

LEADING = frozenset({Role.COMMANDER, Role.TECHNICAL_LEAD, Role.SAFETY})
MOST_NAMED = 50
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Starting:
    def __init__(self, board: Board, runs: Runs, voice: Voice, folder: Path | None) -> None:
        self._board, self._runs, self._voice, self._folder = board, runs, voice, folder

    async def ask(self, said: SlashCommand, name: str) -> None:
        """Opens the dialog with the playbook's variables."""
        playbook = await asyncio.to_thread(self._opened, name, said.who)
        self._allowed(said.who, playbook)
        await self._voice.open(said, dialogs.start(name, playbook.variables))

    async def start(self, sent: Submission, carried: Mapping[str, str], answers: Mapping[str, str]) -> None:
        playbook = carried.get("playbook", "")
        actor = self._allowed(sent.who, await asyncio.to_thread(self._opened, playbook, sent.who), sent.channel)
        values = {name.removeprefix("v-"): value for name, value in answers.items() if name.startswith("v-")}
        run = await self._runs.start(sent.id, self.path(playbook, sent.who), values, actor)
        await self._voice.private(sent, f"`{run}` is started; it is in its control room")

    def _opened(self, name: str, who: Who) -> Opening:
        return opening(self.path(name, who))

    def path(self, name: str, who: Who) -> Path:
        """A playbook of the folder, by its file's name with or without `.yaml`. Of what others may start not even the names are told.

        Raises:
            BadInput: there is none, or it lies elsewhere.
        """
        if self._folder is None:
            raise BadInput("no playbook can be started from here: [slack] playbooks names no folder")
        stem = name.removesuffix(".yaml").removesuffix(".yml")
        here = sorted(path for path in self._folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
        found = [path for path in here if path.stem == stem] if _STEM.fullmatch(stem) else []
        if not found:
            listed = ", ".join(f"`{path.stem}`" for path in here[:MOST_NAMED] if self._may_start(who, path)) or "none that you may start"
            raise BadInput(f"there is no such playbook; expected one of {listed}")
        return found[0]

    def _may_start(self, who: Who, path: Path) -> bool:
        try:
            self._allowed(who, opening(path))
        except (BadInput, Refused):
            return False
        return True

    def _allowed(self, who: Who, playbook: Opening, channel: str | None = None) -> Actor:
        actor = self._board.directory.actor(who, playbook, channel)
        members = playbook.team.members()
        if actor.role in LEADING or (not members and who.user in self._board.directory.people):
            return actor
        whose = "its commander, technical lead or safety officer" if members else "whom [slack.people] names"
        raise Refused(f"{actor.name} may not start this: that is for {whose}")
