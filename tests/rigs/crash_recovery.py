"""What somebody does after a kill, and what must be so then: what the enumerations of crash boundaries share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.lab import PAST_EVERY_LEASE, Lab, Rig, lab, rig, rigs

EVERY = os.environ.get("GAMEDAY_CRASH_EVERY", "1")
"""A number: of the boundaries that would be tried, each n-th, for a quick look while working. `all`: each single one, in hours, by `make crash`."""
IN_CI = 8
"""Of the boundaries of each kind CI has time for each eighth one at the most."""


LONG = 6 * 3600 if EVERY == "all" else 600
"""Seconds that one enumeration may take."""


def paced(target: Rig, each: int = 1) -> int:
    """Each how manieth boundary is tried; `each` says how much more seldom one way of recovery is tried than another."""
    return 1 if EVERY == "all" else int(EVERY) * max(target.every, IN_CI) * each


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: thousands of rounds sync their journal, and what is tried is the order of writes, not the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="gameday-lab-", dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


@pytest.fixture(params=rigs().values(), ids=list(rigs()))
def target(request: pytest.FixtureRequest, folder: Path) -> Iterator[Rig]:
    with rig(request.param, folder / "rig") as built:
        yield built


@pytest.fixture
def host(folder: Path) -> Iterator[Lab]:
    with lab(folder) as built:
        yield built


def by_agent(host: Lab, target: Rig, order: dict[str, Any]) -> None:
    """A restarted agent finds the run gone and takes the fault off; a late attempt to inject is then refused."""
    answer = host.ask({"op": "revert", "reasons": {order["order"]["fault_id"]: "its run is over"}})
    assert answer["statuses"][0]["state"] == "ended", answer
    assert host.ask(order).get("error") == "FaultEnded"


def by_watchdog(host: Lab, target: Rig, order: dict[str, Any]) -> None:
    """Nobody comes back: the lease runs out, and the watchdog reverts."""
    assert host.ask({"watchdog": True, "ahead": PAST_EVERY_LEASE})["live"] == []


def by_retry(host: Lab, target: Rig, order: dict[str, Any]) -> None:
    """Temporal retries the inject: one fault is on, not two, and it comes off. A fault may also have been ended by its own failure."""
    again = host.ask(order)
    assert again.get("error") in (None, "FaultEnded", "Refused"), again
    if "error" not in again:
        assert again["status"]["state"] == "active"
    by_agent(host, target, order)


def clean(host: Lab, target: Rig, before: object, when: str) -> None:
    if target.leaves == "spent":
        target.renew()
    assert target.look() == before, f"not as it was: {when}"
    assert [entry.fault_id for entry in host.journal.live()] == [], f"a trace is left: {when}"
    host.forget()
