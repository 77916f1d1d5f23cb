"""The closing survey: what people say of a day once it is over, as notes that land in its report under their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from control_room import dialogs
from control_room.payloads import Submission
from control_room.runs import Board, Runs
from control_room.saying import command
from control_room.voice import Voice
from control_room.writing import plain_text
from gameday.commands import Command, NoteAbout, Verb
from gameday.errors import BadInput, NotFound
from gameday.view import RunView


class Surveys:
    def __init__(self, board: Board, runs: Runs, voice: Voice) -> None:
        self._board, self._runs, self._voice = board, runs, voice

    def dialog(self, view: RunView) -> dialogs.Dialog:
        return dialogs.survey(view, [person.name for _, person in view.plan.playbook.team.members()])

    async def take(self, sent: Submission, run: str, answers: Mapping[str, str]) -> None:
        """Puts each answer into the record, and has the report written anew."""
        view = self._board.view(run, sent.who)
        if view is None:
            raise NotFound(f"`{run}` is not at hand any more; `gameday note` on a command line still takes what you want to say")
        notes = list(self._notes(sent, view, answers))
        if not notes:
            raise BadInput("you have filled in nothing, and nothing was sent")
        await self._runs.add(run, notes)
        said = "1 note of yours is" if len(notes) == 1 else f"{len(notes)} notes of yours are"
        await self._voice.private(sent, f"thank you: {said} in the report")

    def _notes(self, sent: Submission, view: RunView, answers: Mapping[str, str]) -> Iterator[Command]:
        actor = self._board.directory.actor(sent.who, view.plan.playbook, sent.channel)
        for name, _ in dialogs.SURVEY:
            if answers.get(name):
                yield command(f"{sent.id}-{name}", Verb.NOTE, actor, text=plain_text(answers[name]), about=NoteAbout(name))
        for number in range(1, dialogs.ACTIONS + 1):
            text, owner = answers.get(f"action{number}"), answers.get(f"owner{number}")
            if text:
                yield command(f"{sent.id}-action{number}", Verb.NOTE, actor, text=plain_text(text), about=NoteAbout.ACTION, owner=owner)
