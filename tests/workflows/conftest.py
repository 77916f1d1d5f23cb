"""A town whose processes serve, and what has been told of a run in it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from gameday.errors import NotFound
from gameday.event import EventKind
from tests.rigs.town import DAY, Town, town

TWO = DAY.replace("name: town-day", "name: two-scenarios") + (
    "  - title: Again\n    hypothesis: The same\n    faults:\n"
    "      - {name: second, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: 400ms}\n"
)


@pytest.fixture
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town"), "temporal", "worker", "agent") as built:
        yield built


def kinds_of(place: Town, run_id: str) -> list[EventKind]:
    return [event.kind for event in place.record(run_id).events]


def told(place: Town, run_id: str) -> list[EventKind]:
    try:
        return kinds_of(place, run_id)
    except NotFound:
        return []


def active(place: Town, run_id: str) -> list[str]:
    """The names of the faults that have been on by now."""
    with contextlib.suppress(NotFound):
        return [event.text("name") for event in place.record(run_id).of(EventKind.FAULT_ACTIVE)]
    return []
