"""The desk: what each payload means. A command to a run, a dialog, or a private answer; a mistake is told to whoever made it, and to nobody else."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from control_room import dialogs
from control_room.blocks import actions, built, button, harmless, section, unpacked
from control_room.control import predictable, upcoming
from control_room.homes import Homes
from control_room.identity import Directory
from control_room.notes import Notes
from control_room.payloads import HomeOpened, Payload, Press, Reaction, Shortcut, SlashCommand, Submission, Who
from control_room.runs import RUN_ID, Board, Runs, listed
from control_room.slash import Slash
from control_room.starting import Starting
from control_room.surveys import Surveys
from control_room.voice import Voice
from control_room.web import SlackSaysNo
from gameday.commands import URGENT, Actor, Verb
from gameday.errors import BadInput, GamedayError, LanguageError, NotFound, Refused
from gameday.offers import why_not
from gameday.playbook import Role
from gameday.predictions import asked, number
from gameday.view import RunView

LATE = 60.0
"""Seconds after which what somebody did is not done any more, since they may not mean it now. What stops a run is done at any age."""
HOME_AFTER = 1.0
"""Seconds that a press takes to be on the record."""
AT_ONCE = {verb.value: verb for verb in (Verb.HOLD, Verb.RESUME, Verb.SKIP, Verb.REVEAL, Verb.READY, Verb.HERE, Verb.ABORT, Verb.REAL)}
ASKING = ("go", "unready", "note", "why", "handover", "predict", "survey")

log = logging.getLogger(__name__)


class Desk:
    """One for all runs. It keeps nothing: what it knows is on the board, and what it does the runs know by their commands' ids."""

    def __init__(
        self, board: Board, runs: Runs, voice: Voice, homes: Homes, slash: Slash, notes: Notes, starting: Starting, surveys: Surveys
    ) -> None:
        self._board, self._runs, self._voice, self._homes = board, runs, voice, homes
        self._slash, self._notes, self._starting, self._surveys = slash, notes, starting, surveys

    @property
    def _directory(self) -> Directory:
        return self._board.directory

    def heeds(self, payload: Payload) -> bool:
        """Whether it is anything for us: most reactions are not."""
        return not isinstance(payload, Reaction) or self._notes.heeds(payload)

    def named(self, payload: Payload) -> Payload:
        """The same, with what its sender means as things are now."""
        return self._slash.named(payload) if isinstance(payload, SlashCommand) else payload

    def objections(self, sent: Submission) -> dict[str, str]:
        """What is wrong with a dialog that was sent off, by its blocks: it stays open, and shows it there. Asks nobody."""
        carried = unpacked(sent.metadata)
        view = self._board.view(carried.get("run", ""), sent.who)
        if sent.callback != "predict" or view is None:
            return {}
        found = {}
        for block, question, answer in _guesses(view, sent, carried):
            known = asked(view.plan.playbook.scenarios[_scenario(carried) - 1], question)
            try:
                if known is not None:
                    number(known, answer, view.plan.units)
            except LanguageError as error:
                found[block] = f"{error.message}; expected {error.expected}"[:150]
        return found

    async def work(self, payload: Payload, age: float = 0.0) -> None:
        """Does what was asked, and tells whoever asked what came of it: a mistake of theirs, of Slack's or of ours too."""
        try:
            if not self._directory.is_ours(payload.who):
                raise Refused("you are not of this workspace: people of another one take no part from here")
            if age > LATE and not _holds(payload):
                raise Refused("that came in while the control room was away, and may not have been done; look, and do it again if you still mean it")
            await self._do(payload)
        except GamedayError as error:
            await self._voice.private(payload, harmless(str(error)))
        except SlackSaysNo as no:
            log.warning("%s", no)
            await self._voice.private(payload, f"Slack did not take it ({no.error}); try again, or use `/gameday help` for another way")
        except Exception:
            log.exception("%s could not be worked on", type(payload).__name__)
            await self._voice.private(payload, "that went wrong here; the control room's log says why")

    async def _do(self, payload: Payload) -> None:
        match payload:
            case SlashCommand():
                await self._slash.do(payload)
            case Press():
                await self._pressed(payload)
                if payload.channel is None:
                    await self._show_what_came_of_it(payload)
            case Submission():
                await self._sent(payload)
            case Shortcut() | Reaction():
                await self._notes.do(payload)
            case HomeOpened():
                await self._homes.show(payload.who)

    async def _pressed(self, press: Press) -> None:
        if press.action == "extend":
            run, _, by = press.value.partition(" ")
            await self._voice.say(press, _run_id(run), Verb.EXTEND, by=by)
            return
        carried = unpacked(press.value)
        if press.action == "halt":
            pulled = await self._runs.halt(self._slash.leader(press.who, press.channel), carried.get("reason", ""))
            await self._voice.public(press, f"<@{press.who.user}> has pulled the lever: {harmless(pulled.said)}")
            await self._voice.in_person(press, harmless(pulled.found if self._sees_everything(press.who) else pulled.short))
            return
        run = _run_id(carried.get("run", ""))
        if press.action in AT_ONCE:
            await self._at_once(press, run, AT_ONCE[press.action])
        elif press.action.startswith("mark-"):
            await self._voice.say(press, run, Verb.MARK, clock=carried.get("clock"))
        elif press.action == "done" or press.action.startswith("done-"):
            await self._voice.say(press, run, Verb.DONE, fault=carried.get("fault"), half=carried.get("half"))
        elif press.action == "tick":
            await self._voice.say(press, run, Verb.TICK, item=carried.get("item"))
        elif press.action in ASKING:
            await self._ask(press, run, carried)

    def _sees_everything(self, who: Who) -> bool:
        """Whether nothing that goes on is sealed for them: what is broken where may be."""
        views = [view for run in self._board.going_on() if (view := self._board.view(run, who))]
        return all(self._directory.may_look(who, view.plan) for view in views)

    async def _at_once(self, press: Press, run: str, verb: Verb) -> None:
        said = harmless(await self._voice.tell(press, run, verb))
        blocks = built([section(said), *actions("why", [button("why", "Say why", {"run": run})])]) if verb in URGENT else None
        await self._voice.private(press, said, blocks)

    async def _ask(self, press: Press, run: str, carried: dict[str, str]) -> None:
        """Opens the dialog that a button leads to, for somebody from whom the run would take what is asked there."""
        view = self._known(run, press.who)
        actor = self._directory.actor(press.who, view.plan.playbook, press.channel)
        if press.action == "survey":
            dialog = self._surveys.dialog(view)
        elif press.action in ("note", "why"):
            dialog = dialogs.note(run) if press.action == "note" else dialogs.why(run)
        else:
            refused = None if press.action == "predict" else why_not(view, actor, Verb(press.action))  # what is asked of a prediction comes with it
            if refused:
                raise Refused(refused)
            dialog = self._dialog(press.action, view, carried, actor)
        await self._voice.open(press, dialog)

    def _dialog(self, action: str, view: RunView, carried: dict[str, str], actor: Actor) -> dict[str, Any]:
        run = view.plan.run_id
        match action:
            case "go":
                if carried.get("gate") != view.gate:
                    raise Refused(f"that go was for the gate '{carried.get('gate')}', and {repr(view.gate) if view.gate else 'none'} is waiting now")
                return dialogs.go(view, view.gate)
            case "handover":
                team = view.plan.playbook.team.members()  # a responder must not see what a commander sees
                names = [person.name for role, person in team if role is not Role.RESPONDER and person.name != (view.commander or actor.name)]
                if not names:
                    raise Refused("there is nobody to hand it to: only responders are left, and they must not see what a commander sees")
                return dialogs.handover(view, names)
            case "predict":
                index = self._predicted(view)
                return dialogs.predict(view, index)
            case _:
                return dialogs.unready(run)

    def _predicted(self, view: RunView) -> int:
        index = upcoming(view)
        if index is None or not predictable(view):
            raise Refused("nothing is asked, or it has had its go; what is predicted afterwards is none")
        return index

    async def _sent(self, sent: Submission) -> None:
        carried, first = unpacked(sent.metadata), {name: found[0] for name, found in sent.values.items() if found}
        if re.fullmatch(r"[CGD][A-Z0-9]{1,20}", carried.get("channel", "")):
            sent = sent.model_copy(update={"channel": carried["channel"]})
        if sent.callback == "start":
            await self._starting.start(sent, carried, first)
            return
        run = _run_id(carried.get("run", ""))
        match sent.callback:
            case "go":
                await self._voice.say(sent, run, Verb.GO, gate=carried.get("gate"), targets=carried.get("targets") or None)
            case "unready":
                await self._voice.say(sent, run, Verb.UNREADY, reason=first.get("reason"))
            case "handover":
                await self._voice.say(sent, run, Verb.HANDOVER, to=first.get("to"))
            case "note" | "why":
                text = first.get("text", "")
                await self._notes.say(sent, run, f"why it was stopped: {text}" if sent.callback == "why" else text)
            case "survey":
                await self._surveys.take(sent, run, first)
            case "predict":
                view = self._known(run, sent.who)
                guesses = [{"question": question, "answer": answer} for _, question, answer in _guesses(view, sent, carried)]
                await self._voice.say(sent, run, Verb.PREDICT, guesses=guesses, scenario=_scenario(carried))

    def _known(self, run: str, who: Who) -> RunView:
        view = self._board.view(run, who)
        if view is None:
            raise NotFound(f"`{run}` is no run that goes on; going on: {listed(self._board.going_on()) or 'none'}")
        return view

    async def _show_what_came_of_it(self, press: Press) -> None:
        """In the home that it was pressed in. It is done, also where that cannot be shown."""
        await asyncio.sleep(HOME_AFTER)
        try:
            await self._homes.show(press.who)
        except SlackSaysNo as no:
            log.warning("the home of %s is as it was: %s", press.who.user, no)


def is_urgent(payload: Payload) -> bool:
    """Whether it waits for nothing else."""
    return _stops_a_run(payload) or (isinstance(payload, Press) and payload.action == "halt")


def _stops_a_run(payload: Payload) -> bool:
    if isinstance(payload, SlashCommand):
        return payload.text.lower().split()[:1] in (["abort"], ["real"])
    return isinstance(payload, Press) and payload.action in URGENT


def _holds(payload: Payload) -> bool:
    """Whether it is done at any age: a run that somebody wanted to stop is stopped. Who looks at the home sees what is now."""
    return _stops_a_run(payload) or isinstance(payload, HomeOpened)


def _run_id(text: str) -> str:
    if not RUN_ID.fullmatch(text):
        raise BadInput("that names no run")
    return text


def _scenario(carried: dict[str, str]) -> int:
    said = carried.get("scenario", "")
    return int(said) if said.isdecimal() and len(said) < 4 else 0


def _guesses(view: RunView, sent: Submission, carried: dict[str, str]) -> list[tuple[str, str, str]]:
    """Block, question and answer of what was filled in."""
    index, scenarios = _scenario(carried) - 1, view.plan.playbook.scenarios
    questions = scenarios[index].predict if 0 <= index < len(scenarios) else ()
    blocks = [(f"q{place}", each.text) for place, each in enumerate(questions)]
    return [(block, text, " ".join(sent.values[block][0].split())) for block, text in blocks if sent.values.get(block)]
