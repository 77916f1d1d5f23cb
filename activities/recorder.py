"""Writing the record so that a store that is down never holds anything up.

What is to be recorded goes to the spool first (files under the home, in order), which takes a moment and no database; from there it goes to
the store, in order, as soon as that takes it. What was spooled by a process that died is written by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import json
import logging
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Required, TypedDict

from activities import durable
from activities.store import NotOpened, RunStore
from gameday.errors import Unavailable
from gameday.event import Event
from gameday.plan import Plan
from gameday.probe import Sample

RETRY = 1.0
"""Seconds before a store that did not answer is asked again."""
MOST_HELD = 100_000
"""Batches kept in memory at the most while the disk is full."""
LOOK = 0.02
"""Seconds between two looks whether what was kept has been written."""

log = logging.getLogger(__name__)


class Batch(TypedDict, total=False):
    """One file of the spool: models of one run as JSON text."""

    run_id: Required[str]
    plan: str
    events: list[str]
    samples: list[str]


Heard = Callable[[Sequence[Event], Plan | None], Awaitable[None]]
"""Somebody who is told what was kept, before whoever told it is answered. It takes a moment, and never fails."""


async def nobody(events: Sequence[Event], plan: Plan | None) -> None:
    """Hears nothing."""


class Recorder:
    """Takes events and samples at once, and sees that the store gets them."""

    def __init__(self, store: RunStore, spool: Path, on_kept: Heard = nobody) -> None:
        self.store, self._spool, self._on_kept = store, spool, on_kept
        self._numbers = itertools.count()
        self._wake = asyncio.Event()
        self._held: deque[Batch] = deque(maxlen=MOST_HELD)
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def events(self, events: Sequence[Event], plan: Plan | None = None) -> None:
        """Keeps events, and with a run's first ones its plan.

        Raises:
            OSError: they cannot be written down: a full disk. Ask again.
        """
        batch = Batch(run_id=events[0].run_id, events=[event.model_dump_json() for event in events])
        if plan is not None:
            batch["plan"] = plan.model_dump_json()
        try:
            await self._keep(batch, safely=True)
        finally:  # a full disk keeps nobody from hearing of it
            await self._on_kept(events, plan)

    async def seen(self, run_id: str, samples: Sequence[Sample], events: Sequence[Event] = ()) -> None:
        """Keeps what an observer saw. It must go on watching: what cannot be written down is kept in memory until it can."""
        batch = Batch(run_id=run_id, samples=[each.model_dump_json() for each in samples], events=[each.model_dump_json() for each in events])
        try:
            await self._keep(batch, safely=bool(events))
        except OSError as error:
            if not self._held:
                log.error("what is observed is kept in memory until it can be written to %s: %s", self._spool, error)
            self._held.append(batch)
        if events:
            await self._on_kept(events, None)

    async def _keep(self, batch: Batch, safely: bool) -> None:
        path = self._spool / f"{time.time_ns():020}-{os.getpid()}-{next(self._numbers):06}.{batch['run_id']}.json"
        await asyncio.to_thread(durable.write, path, json.dumps(batch).encode(), safely)
        self._wake.set()

    async def _write_held(self) -> None:
        while self._held:
            await self._keep(self._held[0], safely=True)
            self._held.popleft()

    async def run(self) -> None:
        """Empties the spool into the store, for as long as the process lives."""
        complained = False
        while True:
            self._wake.clear()
            try:
                await self._write_held()
                waiting = await asyncio.to_thread(drain, self.store, self._spool)
                complained = False
            except Exception as error:  # noqa: BLE001  # whatever it was, it is told once and tried again: the record is kept meanwhile
                if not complained:
                    log.warning("the record is kept in %s until the store takes it: %s", self._spool, error)
                complained = waiting = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), RETRY if waiting or self._held else None)
            if complained:
                await asyncio.sleep(RETRY)

    async def written(self, patience: float, run_id: str = "*") -> None:
        """Waits until the store has all that was kept before (of one run, where it is named), whichever process writes it.

        Raises:
            Unavailable: it does not, after this many seconds.
        """
        deadline = time.monotonic() + patience
        kept = set(await asyncio.to_thread(_batches, self._spool, run_id))
        while kept:
            if time.monotonic() >= deadline:
                raise Unavailable("the run store does not take the record; what is missing is kept and written when it is back")
            await asyncio.sleep(LOOK)
            kept &= set(await asyncio.to_thread(_batches, self._spool, run_id))


def drain(store: RunStore, spool: Path) -> bool:
    """Writes what is spooled, oldest first. One process at a time; another's turn is not waited for.

    Returns:
        Whether something is still waiting: for its turn, or for its run, whose plan is not in the store yet. A run that waits holds up no other.

    Raises:
        Unavailable: the store does not answer; the rest stays.
    """
    with _turn(spool) as ours:
        waiting = set[str]()
        for path in _batches(spool) if ours else []:
            try:
                batch: Batch = json.loads(path.read_bytes())
                if batch["run_id"] in waiting and "plan" not in batch:
                    continue  # after those before it
                _take(store, batch)
            except NotOpened:
                waiting.add(batch["run_id"])
                continue
            except (ValueError, KeyError, TypeError) as error:
                log.error("%s cannot be read (%s); it is kept aside, and the others go on", path, error)
                path.rename(path.with_name(f"unreadable-{path.name}"))
            path.unlink(missing_ok=True)
        return bool(waiting) or not ours


def _batches(spool: Path, run_id: str = "*") -> list[Path]:
    return sorted(spool.glob(f"[0-9]*.{run_id}.json"))


@contextlib.contextmanager
def _turn(spool: Path) -> Iterator[bool]:
    handle = os.open(spool / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def _take(store: RunStore, batch: Batch) -> None:
    if "plan" in batch:
        store.open(Plan.model_validate_json(batch["plan"]))
    if batch.get("events"):
        store.append(Event.model_validate_json(text) for text in batch["events"])
    if batch.get("samples"):
        store.add_samples(batch["run_id"], [Sample.model_validate_json(text) for text in batch["samples"]])
