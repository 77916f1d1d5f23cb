"""The keeper, in each agent. It asks each run in the journal what it still wants, renews that, and takes off the rest.

*Yes* renews the lease; *no*, *closed* and *not found* revert; *no answer* does nothing, since the watchdog owns the deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from itertools import groupby

from temporalio.client import Client, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

from activities import halted, watchdog
from activities.entry import Entry
from activities.journal import Journal
from activities.operators import Operators
from gameday.errors import Unavailable
from gameday.fault import FaultOutcome, FaultStatus
from gameday.halt import EVERYWHERE
from gameday.orders import WantsAnswer
from gameday.settings import Settings
from worker import lever

EVERY = 3.0
"""Seconds between two rounds; leases are 15 s or more."""
QUERY_TIMEOUT = timedelta(seconds=2)
RECENT = 3600.0
"""Seconds back from its start for which an agent tells workflows what became of their faults: an earlier one may not have."""

log = logging.getLogger(__name__)


class Word(StrEnum):
    """What a run said of its faults."""

    OPEN = "open"
    CLOSED = "closed"
    SILENT = "silent"


@dataclass(frozen=True)
class Looked:
    """What one run said of its faults: which are kept, which are to be taken off and why."""

    kept: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    why: str = ""


def _renew(entries: list[Entry]) -> list[str]:
    """Renews what needs the journal's word only; returns the rest."""
    for entry in entries:
        if entry.why_ended() is None and not entry.expires:
            entry.renew()
    return [entry.fault_id for entry in entries if entry.expires and entry.why_ended() is None]


@dataclass
class Keeper:
    """Looks after every fault in this host's journal."""

    client: Client
    settings: Settings
    journal: Journal
    operators: Operators
    known: set[str] = field(default_factory=set)
    """Faults whose workflows are to hear how they end."""
    has_looked_back: bool = False
    wanted: list[str] = field(default_factory=list)
    """Faults that their runs wanted when they were asked last."""
    going: set[str] = field(default_factory=set)
    """Faults that are being taken off."""
    renewing: set[str] = field(default_factory=set)
    """Faults whose lease the kernel or a server holds, and that are being renewed."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def remember(self, fault_id: str) -> None:
        """A fault is being armed: its workflow is to hear how it ends."""
        self.known.add(fault_id)

    async def run(self) -> None:
        looks = (self.renew, self.tell_of_ended, self.notice_taken_away, self.heed_the_lever)
        await asyncio.gather(*map(self._every, looks))

    async def _every(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await look()
            except Exception as error:  # noqa: BLE001  # nothing ends the keeping but the end of the agent
                log.warning("the keeper goes on after: %s", error)
            await asyncio.sleep(EVERY)

    async def renew(self) -> None:
        """Renews what is wanted, and has the rest taken off. Nothing slow is waited for: a lease would run out meanwhile."""
        live = await asyncio.to_thread(self.journal.live)
        if not live:
            self.wanted = []
            return None
        refusal = halted.standing(self.journal.root)
        if refusal is not None:
            self.wanted = []
            return self.begin_to_take_off([entry.fault_id for entry in live], refusal.said)
        if not await self.is_watched():
            self.wanted = []
            self.begin_to_take_off([entry.fault_id for entry in live], "its watchdog had died")
            await asyncio.to_thread(watchdog.ensure, self.settings.home)
            return None
        by_run = groupby(sorted(live, key=lambda entry: entry.run_id), key=lambda entry: entry.run_id)
        answers = await asyncio.gather(*(self.renew_wanted(run_id, list(entries)) for run_id, entries in by_run))
        for why in dict.fromkeys(answer.why for answer in answers):
            self.begin_to_take_off([fault_id for answer in answers if answer.why == why for fault_id in answer.unwanted], why)
        self.wanted = [fault_id for answer in answers for fault_id in answer.kept]
        return None

    async def heed_the_lever(self) -> None:
        """Sets or lifts this host's refusal as Temporal says; without an answer it stays as it is. What is on comes off at the next renewal."""
        root = self.journal.root
        before = halted.standing(root)  # one that is set while Temporal answers is younger than the answer
        try:
            halt = await lever.standing(self.client)
            if halt is not None:
                await asyncio.to_thread(halted.halt, root, halt)
            elif before is not None:
                await asyncio.to_thread(halted.release, root, EVERYWHERE)
        except (Unavailable, OSError) as error:
            log.info("the lever: %s", error)

    def begin_to_take_off(self, faults: Iterable[str], reason: str) -> None:
        """All at once, in a task of its own; what is being taken off already is left to that."""
        new = [fault_id for fault_id in faults if fault_id not in self.going]
        if new:
            self.going |= set(new)
            task = asyncio.create_task(self.take_off(new, reason))
            self.tasks.add(task)
            task.add_done_callback(partial(self._has_taken_off, new))

    def begin_to_renew(self, faults: Iterable[str]) -> None:
        """What the kernel or a server holds, in a task of its own: an operation may take a while, and no other lease waits for it."""
        new = [fault_id for fault_id in faults if fault_id not in self.renewing]
        if new:
            self.renewing |= set(new)
            task = asyncio.create_task(self.renew_held(new))
            self.tasks.add(task)
            task.add_done_callback(partial(self._has_renewed, new))

    async def renew_held(self, faults: list[str]) -> None:
        answer = await self.operators.perform({"op": "renew", "faults": faults})
        for problem in (problem for status in answer["statuses"] for problem in status.get("problems", ())):
            log.warning("not renewed: %s", problem)

    def _has_renewed(self, faults: list[str], task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.renewing -= set(faults)
        if not task.cancelled() and task.exception() is not None:
            log.warning("not renewed, and tried again: %s", task.exception())

    def _has_taken_off(self, faults: Iterable[str], task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.going -= set(faults)
        if not task.cancelled() and task.exception() is not None:
            log.warning("not taken off, and tried again: %s", task.exception())

    async def is_watched(self) -> bool:
        """Whether the watchdog beats: judged by its heartbeat, not by its pid. It was started before anything was armed or adopted."""
        return await asyncio.to_thread(watchdog.beats, self.journal.root)

    async def renew_wanted(self, run_id: str, entries: list[Entry]) -> Looked:
        """Asks one run what it wants, and renews that at once: a lease waits for nothing else of the round."""
        word, wanted = await ask(self.client, run_id)
        if word is Word.SILENT:
            return Looked()
        kept = [entry for entry in entries if entry.fault_id in wanted]
        self.begin_to_renew(await asyncio.to_thread(_renew, kept))
        self.known |= {entry.fault_id for entry in kept}
        why = "its run is over" if word is Word.CLOSED else "its run does not want it any more"
        return Looked([entry.fault_id for entry in kept], [entry.fault_id for entry in entries if entry.fault_id not in wanted], why)

    async def take_off(self, faults: list[str], reason: str) -> None:
        statuses = await self.operators.revert(dict.fromkeys(faults, reason))
        for status in statuses:
            await self.tell(FaultStatus.model_validate(status))

    async def notice_taken_away(self) -> None:
        """Responders may have taken a fault away: then it is over, and never put on again."""
        if not self.wanted:
            return
        answer = await self.operators.perform({"op": "check", "faults": self.wanted})
        away = [status["fault_id"] for status in answer["statuses"] if "neutralised" in status.get("problems", ())]
        if away:
            await self.take_off(away, "it was taken away by others")

    async def tell_of_ended(self) -> None:
        """Faults that the watchdog ended since the last round, or before this agent began: their workflows learn it."""
        if not self.has_looked_back:
            self.known |= await asyncio.to_thread(self.journal.recent, RECENT)
            self.has_looked_back = True
        live = await asyncio.to_thread(self.journal.live)
        for fault_id in self.known - {entry.fault_id for entry in live}:
            entry = self.journal.find(fault_id)
            buried = entry.tombstone if entry else None
            if buried:
                await self.tell(FaultStatus.model_validate(buried))

    async def tell(self, status: FaultStatus) -> None:
        """Tells the fault's workflow what its host did; one that has ended needs no telling."""
        entry = self.journal.find(status.fault_id)
        if entry is None or status.outcome in (None, FaultOutcome.DIRTY):
            return
        try:
            handle = self.client.get_workflow_handle(f"{entry.run_id}-{status.fault_id}")
            await handle.signal("ended-by-host", status, rpc_timeout=QUERY_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                log.info("the workflow of %s is told later: %s", status.fault_id, error.message)
                return
        self.known.discard(status.fault_id)


async def ask(client: Client, run_id: str) -> tuple[Word, frozenset[str]]:
    """One Query to the run: it needs server, conductor and an open run to be answered, so an answer proves all three."""
    try:
        answer = await client.get_workflow_handle(run_id).query(
            "wants", result_type=WantsAnswer, reject_condition=QueryRejectCondition.NOT_OPEN, rpc_timeout=QUERY_TIMEOUT
        )
    except WorkflowQueryRejectedError:
        return Word.CLOSED, frozenset()
    except RPCError as error:
        return (Word.CLOSED if error.status is RPCStatusCode.NOT_FOUND else Word.SILENT), frozenset()
    except Exception as error:  # noqa: BLE001  # an answer that cannot be understood is no answer
        log.warning("the run %s gave no usable answer: %s", run_id, error)
        return Word.SILENT, frozenset()
    return Word.OPEN, frozenset(answer.faults)
