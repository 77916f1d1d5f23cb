"""Calling people from the record: what was kept is looked at, and each notice goes to every notifier that is for it (docs/decisions/0011).

Nothing waits for a call: neither the record nor a workflow, and no notifier for another. An event that may call somebody is on disk before
whoever told it is answered; from there on it is called until somebody took it, also by the conductor that is started next.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from activities.delivery import Delivery
from activities.notifiers.notifier import Notifier
from activities.outbox import Outbox
from activities.store import RunStore
from gameday.event import Event, EventKind
from gameday.notice import TELLING, Notice, heeds, notice
from gameday.plan import Plan

STORE_PATIENCE = 4.0
"""Seconds that the store gets to say more of a run. Without it the seals stay closed."""
LOOK = 1.0
"""Seconds between two looks for what other processes of this home have put in."""
TIDY_EVERY = 24 * 3600.0
"""Seconds between two looks for marks that nobody needs any more."""
MOST_PLANS = 50
"""Plans kept in memory."""

Stored = tuple[Plan | None, tuple[Event, ...]]
"""What the store knows of a run."""

log = logging.getLogger(__name__)


class Caller:
    """Hears what the recorder keeps, and calls people."""

    def __init__(
        self,
        notifiers: Mapping[str, Notifier],
        folder: Path,
        store: RunStore,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder, self._store = folder, store
        self._heard = Outbox(folder / "_heard", clock) if notifiers else None  # no notifier's name begins so
        self._wake = asyncio.Event()
        self._deliveries = [Delivery(name, each, Outbox(folder / name, clock), clock, sleep) for name, each in notifiers.items()]
        self._plans: dict[str, Plan] = {}
        self._asking = ThreadPoolExecutor(1, "calls-ask-the-store")  # one that hangs takes none of the threads that write the record

    async def hear(self, events: Sequence[Event], plan: Plan | None) -> None:
        """Keeps what may call somebody. It takes a moment and never fails, since the record waits for it."""
        if self._heard is None:
            return
        if plan is not None:
            self._plans[plan.run_id] = plan
            while len(self._plans) > MOST_PLANS:
                del self._plans[next(iter(self._plans))]
        heeded = [event for event in events if heeds(event)]
        if heeded:
            try:
                await asyncio.to_thread(_put, self._heard, heeded)
            except Exception:
                log.exception("nobody is called about what was just recorded")
            self._wake.set()

    async def run(self) -> None:
        """Calls, for as long as the process lives. Of several conductors of one home, one does."""
        if self._heard is None:
            return
        try:
            with contextlib.ExitStack() as held:
                while not _turn(self._folder, held):  # noqa: ASYNC110  # another process has it
                    await asyncio.sleep(LOOK)
                sending = [_forever(each.wake, each.send) for each in self._deliveries]
                await asyncio.gather(_forever(self._wake, self._sort), *sending, self._tidy())
        finally:
            self._asking.shutdown(wait=False, cancel_futures=True)

    async def _tidy(self) -> None:
        while True:
            try:
                for box in self._boxes():
                    await asyncio.to_thread(box.tidy)
            except Exception:
                log.exception("old marks of calls stay for now")
            await asyncio.sleep(TIDY_EVERY)

    async def settled(self, patience: float) -> bool:
        """Waits until everybody is called who is to be; False where that takes longer than this many seconds."""
        deadline = time.monotonic() + patience
        for box in self._boxes():  # what leaves the first is in the others before
            while await asyncio.to_thread(box.waiting):  # another process may be the one that calls
                if time.monotonic() >= deadline:
                    return False
                await asyncio.sleep(0.02)
        return True

    def _boxes(self) -> list[Outbox]:
        return [self._heard, *(each.outbox for each in self._deliveries)] if self._heard else []

    async def _sort(self) -> None:
        """Makes notices of what was heard, and hands them to the deliveries."""
        assert self._heard is not None  # nothing runs without it
        stored: dict[str, Stored | None] = {}
        for document in await asyncio.to_thread(self._heard.waiting):
            event = _event(document.text)
            if event is None:
                log.error("%s cannot be read: nobody is called about it", document.name)
                await asyncio.to_thread(self._heard.done, document)
                continue
            if event.run_id not in stored:
                silent = None in stored.values()  # a store that has just kept us waiting is not asked again for each event
                stored[event.run_id] = None if silent else await self._ask(event.run_id)
            made = await self._notice(event, stored[event.run_id])
            if made is not None:
                for each in self._deliveries:
                    await each.take(made)
            await asyncio.to_thread(self._heard.done, document, forget=made is None and event.kind not in TELLING)

    async def _notice(self, event: Event, stored: Stored | None) -> Notice | None:
        assert self._heard is not None  # nothing runs without it
        here = await asyncio.to_thread(self._heard.kept, event.run_id, frozenset(kind.name for kind in TELLING))
        plan, told = stored or (None, ())
        known = (*told, *filter(None, map(_event, here)))
        try:
            return notice(event, self._plans.get(event.run_id) or plan, known)
        except Exception:
            log.exception("a call about %s says less than it could", event.kind)
            return notice(event, None, known)

    async def _ask(self, run_id: str) -> Stored | None:
        """What the store knows of a run; None where it does not answer."""
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._asking, self._stored, run_id)
            return await asyncio.wait_for(asked, STORE_PATIENCE)
        except Exception as error:  # noqa: BLE001  # whatever keeps the store from answering, people are called without it
            why = str(error) or f"{type(error).__name__} after {STORE_PATIENCE:g} s at the most"
            log.warning("calls about %s say only what anybody may know, since the store says nothing of it: %s", run_id, why)
            return None

    def _stored(self, run_id: str) -> Stored:
        return self._plans.get(run_id) or self._store.plan(run_id), self._store.told(run_id, TELLING)


def _put(outbox: Outbox, events: Sequence[Event]) -> None:
    for event in events:
        # Of the many ends of faults hardly one follows a dirty one, so they are not synced: a crash of the machine may cost an all-clear.
        outbox.put(event.run_id, event.kind.name, event.id, event.model_dump_json(), safely=event.kind is not EventKind.FAULT_ENDED)


def _event(text: str) -> Event | None:
    try:
        return Event.model_validate_json(text)
    except ValueError:
        return None


async def _forever(wake: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        wake.clear()
        try:
            await work()
        except Exception:
            log.exception("calling people goes on after a mistake of its own")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), LOOK)


def _turn(folder: Path, held: contextlib.ExitStack) -> bool:
    """Whether it is ours to call, until `held` is closed."""
    try:
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # a full disk: two that call are better than none
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    held.callback(os.close, handle)
    return True
