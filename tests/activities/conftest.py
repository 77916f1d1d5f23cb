"""A plan and a store for what is recorded of it; the operations of a host with a watchdog beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities import kinds, watchdog
from activities.journal import Journal
from activities.operators import Operators
from activities.store import RunStore
from gameday.commands import Actor
from gameday.loading import loads
from gameday.plan import Plan, plan
from tests.rigs.lab import until
from tests.rigs.prometheus import prometheus_server

__all__ = ["prometheus_server"]

NOON = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
DAY = b"{name: day, objective: Why, hypothesis: So, faults: [{name: f, inject: process.pause, on: {host: local, process: x}}]}"


@pytest.fixture
def made() -> Plan:
    return plan(loads(DAY, kinds.catalogue()), kinds.catalogue(), Actor(id="os:ada", name="Ada"), NOON)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(f"sqlite:///{tmp_path}/store/gameday.db")


@pytest.fixture
async def operators(tmp_path: Path) -> AsyncIterator[Operators]:
    """Operations in processes of their own, with a real watchdog beside them."""
    home = tmp_path / "home"
    journal = Journal.at(home)
    watchdog.ensure(home)
    built = Operators(home)
    yield built
    await built.close()
    watchdog.dismiss(journal.root)
    await asyncio.to_thread(until, lambda: watchdog.heartbeat(journal.root) is None)
