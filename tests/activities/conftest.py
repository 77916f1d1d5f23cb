"""A plan and a store for what is recorded of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities import kinds
from activities.store import RunStore
from gameday.commands import Actor
from gameday.loading import loads
from gameday.plan import Plan, plan

NOON = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
DAY = b"{name: day, objective: Why, hypothesis: So, faults: [{name: f, inject: process.pause, on: {host: local, process: x}}]}"


@pytest.fixture
def made() -> Plan:
    return plan(loads(DAY, kinds.catalogue()), kinds.catalogue(), Actor(id="os:ada", name="Ada"), NOON)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(f"sqlite:///{tmp_path}/store/gameday.db")
