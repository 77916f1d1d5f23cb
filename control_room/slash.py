"""`/gameday`: the same words in any channel. It answers privately unless it changes something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from activities.store import RunLine
from control_room import answers
from control_room.blocks import actions, built, button, harmless, section
from control_room.control import message
from control_room.notes import Notes
from control_room.payloads import SlashCommand, Who
from control_room.runs import RUN_ID, Board, Leases, Runs, listed
from control_room.starting import LEADING, Starting
from control_room.voice import Voice
from control_room.web import Web
from control_room.writing import first_word, plain_text
from gameday.commands import Actor, Verb
from gameday.errors import BadInput, NotFound, Refused
from gameday.view import RunView

MOST_LISTED, MOST_LOOKED_AT, MOST_TEXT = 10, 200, 4000
STOPPING = ("abort", "real")
NOTHING = "no game day is going on, as far as is known here; name it by its id"
Listed = Callable[[int], Sequence[RunLine]]


class Slash:
    def __init__(
        self, board: Board, runs: Runs, voice: Voice, web: Web, notes: Notes, starting: Starting, listing: Listed, leases: Leases, reaction: str
    ) -> None:
        self._board, self._runs, self._voice, self._web, self._notes, self._starting = board, runs, voice, web, notes, starting
        self._listing, self._leases, self._reaction = listing, leases, reaction

    def named(self, said: SlashCommand) -> SlashCommand:
        """The same with the run that is meant, where it stops one: what begins before it is worked on was not."""
        word, rest = first_word(said.text)
        if word.lower() not in STOPPING or self._is_elsewhere(first_word(rest)[0]):
            return said
        run, reason = self._board.meant(rest, said.channel, urgent=True)
        return said if run is None else said.model_copy(update={"text": f"{word} {run} {reason}"[:MOST_TEXT]})

    def _is_elsewhere(self, word: str) -> bool:
        """Whether it may be the id of a run that is not at hand; a word may look like one."""
        return RUN_ID.fullmatch(word) is not None and word not in self._board

    async def do(self, said: SlashCommand) -> None:
        word, rest = first_word(said.text)
        match word.lower():
            case "" | "help":
                await self._voice.private(said, answers.help_text(self._reaction))
            case "status":
                await self._status(said, rest)
            case "list":
                lines = await asyncio.to_thread(self._listing, MOST_LISTED)
                await self._voice.private(said, answers.lines(line for line in lines if self._board.may_know(line.run_id, said.who)))
            case "next":
                await self._voice.private(said, answers.coming(self._view(said, rest), datetime.now(UTC)))
            case "start":
                await self._starting.ask(said, rest.strip())
            case "note":
                run, text = self._meant(said, rest)
                await self._notes.say(said, run, text)
            case "abort" | "real" as verb:
                await self._stop(said, Verb(verb), rest)
            case "halt":
                await self._halt(said, rest)
            case "report":
                await self._report(said, rest)
            case _:
                raise BadInput(f"there is no `/gameday {plain_text(word)[:40]}`; `/gameday help` says what there is")

    def _meant(self, said: SlashCommand, rest: str, urgent: bool = False) -> tuple[str, str]:
        run, more = self._board.meant(rest, said.channel, urgent)
        if run is None:
            going = self._board.going_on(said.who)
            raise NotFound(f"say which run; going on: {listed(going)}" if going else NOTHING)
        return run, more

    def _view(self, said: SlashCommand, rest: str) -> RunView:
        run, _ = self._meant(said, rest)
        view = self._board.view(run, said.who)
        assert view is not None  # it was found on the board
        if not self._board.may_know(run, said.who):
            raise NotFound(NOTHING)
        return view

    async def _status(self, said: SlashCommand, rest: str) -> None:
        view = self._view(said, rest)
        leases = await asyncio.to_thread(self._leases, view)
        text, blocks = message(view, datetime.now(UTC), leases, self._board.directory)
        await self._voice.private(said, text, [each for each in blocks if each["type"] != "actions"])

    async def _stop(self, said: SlashCommand, verb: Verb, rest: str) -> None:
        """At once: typed out in full, it is meant. A run that is not at hand may be known elsewhere."""
        first, more = first_word(rest)
        if self._is_elsewhere(first):
            try:
                await self._stop_this(said, verb, first, more)
            except NotFound:  # a word that looks like an id
                if not self._board.going_on():
                    raise
            else:
                return
        await self._stop_this(said, verb, *self._meant(said, rest, urgent=True))

    async def _stop_this(self, said: SlashCommand, verb: Verb, run: str, reason: str) -> None:
        answer = await self._voice.tell(said, run, verb, reason=plain_text(reason)[:900])
        await self._voice.public(said, f"<@{said.who.user}>, `{run}`: {harmless(answer)}")

    async def _halt(self, said: SlashCommand, rest: str) -> None:
        """Asks once, with what it means: it is for everything, not for one run."""
        self.leader(said.who, said.channel)
        carried = {"reason": plain_text(rest)[:500] or "no reason given"}
        sure = ("Every run is aborted, every fault taken off, and no run begins until it is released.", "Halt everything")
        pull = button("halt", "Halt everything", carried, "danger", sure)
        blocks = built([section("The lever stops every game day."), *actions("halt", [pull])])
        await self._voice.private(said, "The lever stops every game day", blocks)

    def leader(self, who: Who, channel: str | None) -> Actor:
        """Whoever may pull the lever, by the name that a day that goes on, or the directory, knows them by.

        Raises:
            Refused: it is not for them.
        """
        directory = self._board.directory
        views = [self._board.view(run, who) for run in self._board.going_on()]
        actors = [directory.actor(who, view.plan.playbook, channel) for view in views if view]
        leading = next((actor for actor in actors if actor.role in LEADING), None)
        if leading is None and who.user not in directory.people:
            raise Refused("the lever is for those whom [slack.people] names, and for who leads a day that goes on; anybody can abort a run")
        return leading or directory.actor(who, None, channel)

    async def _report(self, said: SlashCommand, rest: str) -> None:
        named = rest.split()[:1]
        last = await asyncio.to_thread(self._listing, MOST_LOOKED_AT)
        known = [line for line in last if self._board.may_know(line.run_id, said.who) and (not named or line.run_id.startswith(named[0]))]
        if not known:
            raise NotFound("there is no such run; `/gameday list` has the last ones")
        run = known[0]
        text = await self._runs.report(run.run_id, self._may_look(said, run.run_id))
        place = await self._web.call("conversations.open", users=said.who.user)
        await self._web.upload(f"{run.run_id}.md", f"Report of {run.run_id}", text.encode(), place["channel"]["id"], None)
        await self._voice.private(said, f"the report of `{run.run_id}` ({run.outcome or 'going on'}) is in your messages with me")

    def _may_look(self, said: SlashCommand, run: str) -> bool:
        """Fails closed: of a run that is not at hand nobody knows who may, and its seals are open if its day is over."""
        view = self._board.view(run, said.who)
        return view is not None and self._board.directory.may_look(said.who, view.plan)
