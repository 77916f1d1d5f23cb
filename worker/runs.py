"""The runs as the control room tells them things: through Temporal, which is looked for when it is needed, and through the store."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from weakref import WeakValueDictionary

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities import kinds
from activities.store import RunStore
from control_room.runs import Pulled
from gameday.beginning import Beginning
from gameday.commands import OVER, URGENT, Actor, Command, Verb
from gameday.errors import BadInput, GamedayError, PlaybookError, Refused, SettingsError
from gameday.halt import Halt
from gameday.loading import Loaded, load
from gameday.plan import Plan
from gameday.plan import plan as make_plan
from gameday.settings import Settings
from gameday.yaml_tree import Problem
from reports import postmortem
from worker import lever, starter
from worker.afterwards import add_notes, write_report
from worker.client import send
from worker.connection import address, connect
from worker.doing import tell_done

AGAIN_WITHIN = timedelta(minutes=5)
"""How long after a start its second try may come: what is older than a minute is not tried again."""
IN_FLIGHT = 5
"""Commands that a run is told at the same time. Temporal takes ten; what is urgent waits for none of them."""

log = logging.getLogger(__name__)


@dataclass
class TemporalRuns:
    """Runs as Temporal and the store have them. Temporal is looked for when it is needed: a control room is there before and after it."""

    settings: Settings
    store: RunStore
    _client: tuple[str, Client] | None = field(default=None, repr=False)
    """With the address that it is connected to."""
    _turns: MutableMapping[str, asyncio.Semaphore] = field(default_factory=WeakValueDictionary, repr=False)
    _writing: dict[str, asyncio.Task[None]] = field(default_factory=dict, repr=False)
    _again: set[str] = field(default_factory=set, repr=False)

    async def client(self) -> Client:
        """Connected to where Temporal is now: an embedded one comes up elsewhere each time."""
        where = address(self.settings.home)  # a small file, read here: an abort waits for no thread that a dead store holds
        if self._client is None or self._client[0] != where:
            self._client = where, await connect(self.settings.home)
        return self._client[1]

    async def urgently(self) -> Client:
        """What is urgent is said without a key, where the keys cannot be used."""
        try:
            return await self.client()
        except SettingsError:
            return await connect(self.settings.home, keyless=True)

    async def tell(self, run_id: str, command: Command) -> str:
        if command.verb is Verb.NOTE and await asyncio.to_thread(self.store.outcome, run_id) is not None:
            return await self.add(run_id, [command])
        if command.verb in URGENT:
            return (await send(await self.urgently(), run_id, command)).text
        async with self._turns.setdefault(run_id, asyncio.Semaphore(IN_FLIGHT)):
            if command.verb is Verb.DONE:
                return await tell_done(await self.client(), self.store, run_id, command)
            try:
                said = (await send(await self.client(), run_id, command)).text
            except Refused as refused:
                said = str(refused)
                if command.verb is not Verb.NOTE or said != OVER:
                    raise
        if command.verb is Verb.NOTE and said.startswith(OVER):  # it has ended meanwhile
            return await self.add(run_id, [command])
        return said

    async def start(self, identity: str, playbook: Path, values: Mapping[str, str], by: Actor) -> str:
        made = await asyncio.to_thread(self._planned, identity, playbook, values, by)
        try:
            await starter.start(await self.client(), Beginning.of(made))
        except WorkflowAlreadyStartedError:
            there = await asyncio.to_thread(self.store.plan, made.run_id)
            if there is not None and (there.started_by.id != by.id or made.started_at - there.started_at > AGAIN_WITHIN):
                raise Refused(f"there is a run {made.run_id} already, of somebody else; try again") from None
        return made.run_id

    def _planned(self, identity: str, playbook: Path, values: Mapping[str, str], by: Actor) -> Plan:
        loaded = read_playbook(playbook, values)
        made = make_plan(loaded, kinds.catalogue(), by, datetime.now(UTC), lease=self.settings.lease)
        mark = hashlib.sha256(identity.encode()).hexdigest()[:4]  # it is one run, however often it is tried
        return made.model_copy(update={"run_id": mark + made.run_id[4:]})

    async def halt(self, by: Actor, reason: str) -> Pulled:
        halt = Halt(by.name, by.id, reason or "no reason given", datetime.now(UTC).isoformat(timespec="seconds"))
        hosts = sorted({self.settings.host, *self.settings.hosts})
        pulled = await lever.pull(await self.urgently(), halt, hosts)
        found = [f"{host}: {did if isinstance(did, str) else '; '.join(did.problems) or 'clean'}" for host, did in pulled.hosts.items()]
        found += [f"{run}: {told}" for run, told in pulled.runs.items()]
        clean = all(not isinstance(did, str) and not did.problems for did in pulled.hosts.values())
        short = "every host is proven clean" if clean else "not every host is proven clean; `gameday leftovers` says there what is left"
        return Pulled(f"{pulled.halt.said}. Nothing begins until `gameday halt --release`", "; ".join(found) or "no host and no run was there", short)

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
            again = True
            while again:
                self._again.discard(run_id)
                try:
                    await write_report(run_id)
                except GamedayError as error:
                    log.error("%s", error)
                except Exception:
                    log.exception("the report of %s is not written anew", run_id)
                again = run_id in self._again
            del self._writing[run_id]

        self._writing[run_id] = asyncio.create_task(write())

    async def report(self, run_id: str, open_seals: bool) -> str:
        return await asyncio.to_thread(self._rendered, run_id, open_seals)

    def _rendered(self, run_id: str, open_seals: bool) -> str:
        record = self.store.read(run_id)
        return postmortem.render(record, open_seals, self.store.earlier(record.plan))


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
