"""`gameday slack`: the control room's process. It reads the store and talks to runs; a run does not know that it is there."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from temporalio.client import Client

from activities import kinds, secrets
from activities.leases import leases
from activities.store import RunStore
from control_room.desk import Desk
from control_room.doors import callbacks, socket
from control_room.follower import Follower
from control_room.identity import Directory
from control_room.inbox import Inbox
from control_room.notes import Notes
from control_room.outbox import Outbox
from control_room.postman import Postman
from control_room.reception import Reception
from control_room.runs import Board
from control_room.slash import Slash
from control_room.starting import Starting
from control_room.surveys import Surveys
from control_room.voice import Voice
from control_room.web import SlackSaysNo, Web
from gameday.beginning import Beginning
from gameday.commands import URGENT, Actor, Command, Verb
from gameday.errors import BadInput, GamedayError, PlaybookError, SettingsError, Unavailable
from gameday.halt import Halt
from gameday.loading import Loaded, load
from gameday.plan import plan as make_plan
from gameday.settings import Settings
from gameday.slack import SlackSettings
from gameday.yaml_tree import Problem
from reports import postmortem
from worker import lever, starter
from worker.afterwards import add_notes, write_report
from worker.client import send
from worker.connection import connect
from worker.doing import tell_done
from worker.processes import prepare
from worker.snapshot import paint

KNOCK_EVERY = 5.0
"""Seconds between two tries to reach Slack at the start."""
IN_FLIGHT = 5
"""Commands that a run is told at the same time. Temporal takes ten; what is urgent waits for none of them."""
LAST_WORK = 5.0
"""Seconds that what has been acknowledged gets at the end."""

log = logging.getLogger(__name__)


@dataclass
class TemporalRuns:
    """Runs as Temporal and the store have them. Temporal is looked for when it is needed: a control room is there before and after it."""

    settings: Settings
    store: RunStore
    _client: Client | None = field(default=None, repr=False)
    _turns: dict[str, asyncio.Semaphore] = field(default_factory=dict, repr=False)
    _writing: dict[str, asyncio.Task[None]] = field(default_factory=dict, repr=False)
    _again: set[str] = field(default_factory=set, repr=False)

    async def client(self) -> Client:
        if self._client is None:
            self._client = await connect(self.settings.home)
        return self._client

    async def urgently(self) -> Client:
        """What is urgent is said without a key, where the keys cannot be used."""
        try:
            return await self.client()
        except SettingsError:
            return await connect(self.settings.home, keyless=True)

    async def tell(self, run_id: str, command: Command) -> str:
        if command.verb is Verb.NOTE and await asyncio.to_thread(self.store.outcome, run_id) is not None:
            return await self.add(run_id, [command])
        if command.verb is Verb.DONE:
            return await tell_done(await self.client(), await asyncio.to_thread(self.store.read, run_id), command)
        try:
            if command.verb in URGENT:
                return (await send(await self.urgently(), run_id, command)).text
            async with self._turns.setdefault(run_id, asyncio.Semaphore(IN_FLIGHT)):
                return (await send(await self.client(), run_id, command)).text
        except Unavailable:
            self._client = None  # an embedded Temporal may have come up elsewhere
            raise

    async def start(self, identity: str, playbook: Path, values: Mapping[str, str], by: Actor) -> str:
        loaded = read_playbook(playbook, values)
        made = make_plan(loaded, kinds.catalogue(), by, datetime.now(UTC), lease=self.settings.lease)
        mark = hashlib.sha256(identity.encode()).hexdigest()[:4]  # it is one run, however often it is tried
        made = made.model_copy(update={"run_id": mark + made.run_id[4:]})
        try:
            await starter.start(await self.client(), Beginning.of(made))
        except Unavailable:
            self._client = None
            raise
        return made.run_id

    async def halt(self, by: Actor, reason: str) -> str:
        halt = Halt(by.name, by.id, reason or "no reason given", datetime.now(UTC).isoformat(timespec="seconds"))
        hosts = sorted({self.settings.host, *self.settings.hosts})
        try:
            pulled = await lever.pull(await self.urgently(), halt, hosts)
        except Unavailable:  # the lever is tried where Temporal is now
            self._client = None
            pulled = await lever.pull(await self.urgently(), halt, hosts)
        said = [f"{host}: {did if isinstance(did, str) else '; '.join(did.problems) or 'clean'}" for host, did in pulled.hosts.items()]
        said += [f"{run}: {told}" for run, told in pulled.runs.items()]
        return f"{pulled.halt.said}. {'; '.join(said)}. Nothing begins until `gameday halt --release`"

    async def add(self, run_id: str, notes: Sequence[Command]) -> str:
        said = await add_notes(self.store, run_id, notes)
        self._write(run_id)
        return said

    def _write(self, run_id: str) -> None:
        """Has the report written anew, beside: whoever has said something need not wait for it. What comes meanwhile is written after it."""
        if run_id in self._writing:
            self._again.add(run_id)
            return

        async def write() -> None:
            while True:
                self._again.discard(run_id)
                try:
                    await write_report(run_id)
                except GamedayError as error:
                    log.error("%s", error)
                if run_id not in self._again:
                    del self._writing[run_id]
                    return

        self._writing[run_id] = asyncio.create_task(write())

    async def report(self, run_id: str, open_seals: bool) -> str:
        record = await asyncio.to_thread(self.store.read, run_id)
        return await asyncio.to_thread(postmortem.render, record, open_seals)


def read_playbook(path: Path, values: Mapping[str, str] | None = None) -> Loaded:
    """A checked playbook.

    Raises:
        BadInput: it has problems; the first ones are named.
    """
    try:
        return load(path, kinds.catalogue(), dict(values or {}))
    except PlaybookError as error:
        problems = [each for each in error.problems if isinstance(each, Problem)]
        shown = "; ".join(f"line {each.line}: {each.field}: {each.message}" for each in problems[:3])
        raise BadInput(f"{path.name} has {len(error.problems)} problem{'s' * (len(error.problems) != 1)}: {shown or error}") from None


def token(reference: str) -> str:
    """A secret of the settings.

    Raises:
        SettingsError: it is not there.
    """
    try:
        return secrets.reveal(reference, own=True)
    except secrets.SecretMissing as error:
        raise SettingsError(f"[slack]: {error}") from None


def slack_settings(settings: Settings) -> SlackSettings:
    if settings.slack is None:
        raise SettingsError("the settings have no [slack]; `gameday slack manifest` makes the app, and docs/slack.md shows the section")
    return settings.slack


def run_control_room(settings: Settings, said: Callable[[str], None]) -> None:
    """`gameday slack`: until SIGTERM or Ctrl-C."""
    prepare()
    asyncio.run(_serve(settings, slack_settings(settings), said))


async def _serve(settings: Settings, known: SlackSettings, say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    web = Web(token(known.bot_token), known.base_url)
    team = await _knock(web, stop)
    if team is None:
        return
    async with AsyncExitStack() as stack:
        reception = await _assemble(settings, known, web, team, stack)
        if known.app_token is not None:
            await stack.enter_async_context(socket.connected(token(known.app_token), known.base_url, reception))
            say(f"control room of workspace {team}, by Socket Mode. Ctrl-C stops it; runs go on")
        else:
            assert known.signing_secret is not None  # the settings see to it
            served = callbacks.served(known.listen, token(known.signing_secret), reception, lambda at: say(f"callbacks at {at}. Ctrl-C stops it"))
            await stack.enter_async_context(served)
        await stop.wait()
        await reception.settled(LAST_WORK)


async def _assemble(settings: Settings, known: SlackSettings, web: Web, team: str, stack: AsyncExitStack) -> Reception:
    folder = settings.home / "slack"
    store = RunStore(settings.store_url)
    board = Board(Directory(team, known.people))
    runs = TemporalRuns(settings, store)
    outbox, inbox = Outbox(folder / "control-room.db"), Inbox(folder / "control-room.db")
    stack.callback(outbox.close)
    stack.callback(inbox.close)
    voice = Voice(board, runs, web, outbox)
    notes = Notes(board, voice, web, known.reaction)
    starting = Starting(board, runs, voice, known.playbooks)
    here = partial(leases, settings.home)
    slash = Slash(board, runs, voice, web, notes, starting, store.list, here, known.reaction)
    desk = Desk(board, runs, web, voice, slash, notes, starting, Surveys(board, runs, voice))

    async def report(run_id: str) -> str:
        return await runs.report(run_id, False)

    follower = Follower(store, web, outbox, board, known, folder, here, paint, report)
    try:
        await follower.look()  # who presses or types at once means a run that is known by then
    except GamedayError as error:
        log.warning("%s", error)
    for work in (follower.run(), Postman(outbox, web).run()):
        task = asyncio.create_task(work)
        stack.callback(task.cancel)
    reception = Reception(inbox, desk)
    reception.take_up()  # before anything new comes in
    return reception


async def _knock(web: Web, stop: asyncio.Event) -> str | None:
    """The workspace that the bot's token is of; waits for Slack as long as it takes. None when it is told to stop meanwhile.

    Raises:
        SettingsError: Slack does not know the token.
    """
    told = False
    while not stop.is_set():
        try:
            return str((await web.call("auth.test"))["team_id"])
        except SlackSaysNo as no:
            if no.final:
                raise SettingsError(f"[slack] bot_token: {no}; `gameday slack check` tells more") from None
            if not told:
                log.warning("%s; tried again until it answers", no)
            told = True
        try:
            await asyncio.wait_for(stop.wait(), KNOCK_EVERY)
        except TimeoutError:
            continue
    return None
