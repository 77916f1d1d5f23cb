"""People called: a caller at work, notifiers of a test's own, and events that ask for a call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx

from activities.caller import Caller
from activities.notifiers.named import named
from activities.notifiers.notifier import Notifier
from activities.recorder import Recorder
from activities.store import RunStore
from gameday.event import Event, EventKind
from gameday.notice import Notice
from gameday.notify import About, NotifierSettings
from gameday.plan import Plan
from tests.activities.conftest import NOON
from tests.activities.notifiers.conftest import Clock

HOOK = {"secret": "secret://env/HOOK"}


class Scripted(Notifier):
    """Notes what it is told; fails as often as it has failures for."""

    kind: ClassVar[str] = "scripted"

    def __init__(self, *failures: Exception, about: frozenset[About] = frozenset(About)) -> None:
        self.failures, self.told, self.about = list(failures), list[Notice](), about

    async def send(self, notice: Notice) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(notice)

    @property
    def ids(self) -> list[str]:
        return [notice.id for notice in self.told]


class Dead(Notifier):
    """Never answers."""

    kind: ClassVar[str] = "dead"

    async def send(self, notice: Notice) -> None:
        await asyncio.Event().wait()


def event(made: Plan, identity: str, kind: EventKind = EventKind.ABORTED, seconds: float = 0, about: str = "f-1", **data: Any) -> Event:
    facts: dict[EventKind, dict[str, Any]] = {
        EventKind.ABORTED: {"reason": "enough", "by": "abort"},
        EventKind.FAULT_DIRTY: {"name": "frozen", "label": "local", "problems": ["still stopped"]},
        EventKind.FAULT_ENDED: {"name": "frozen", "outcome": "reverted", "took_ms": 9.0},
        EventKind.ALERT_FIRING: {"alert": "DiskFull", "expected": False, "class": "unexpected"},
    }
    fault = about if kind.name.startswith("FAULT") else None
    data = facts.get(kind, {}) | data
    return Event(id=identity, run_id=made.run_id, at=NOON + timedelta(seconds=seconds), kind=kind, scenario=0, fault=fault, actor="Ada", data=data)


@contextlib.asynccontextmanager
async def _at_work(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """At the end it dies as a conductor does."""
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


@contextlib.asynccontextmanager
async def calling(notifiers: Mapping[str, Notifier], folder: Path, store: RunStore, clock: Clock) -> AsyncIterator[Caller]:
    """A caller at work, as the conductor has it."""
    built = Caller(notifiers, folder / "calls", store, clock, clock.sleep)
    async with _at_work(built.run()):
        yield built


@contextlib.asynccontextmanager
async def recording(store: RunStore, folder: Path, heard: Caller) -> AsyncIterator[Recorder]:
    built = Recorder(store, folder / "spool", heard.hear)
    async with _at_work(built.run()):
        yield built


def hook(url: str, client: httpx.AsyncClient, clock: Clock) -> Notifier:
    return named({"hook": NotifierSettings.model_validate({"webhook": {"url": url, **HOOK}})}, client, clock)["hook"]
