"""The broadest row of the fault-survival matrix: the host side is killed at every line that it executes, for every injector.

After each kill somebody else takes over, as would happen: a restarted agent, the watchdog alone, a retry that adopts. In the end the
target is as it was, and nothing is left. The recovery itself is killed at every line too. The lines are found by tracing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.activities.injectors.test_command import Switch
from tests.rigs.lab import PAST_EVERY_LEASE, Lab, Rig, lab, rig, rigs

EVERY = int(os.environ.get("GAMEDAY_CRASH_EVERY", "1"))
"""Try each n-th boundary only: for a quick look while working. CI tries all."""


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


def injected_and_killed_everywhere(
    host: Lab, target: Rig, recover: Callable[[Lab, Rig, dict[str, Any]], None], mutant: str = "", first: int = 1, each: int = 1
) -> int:
    """Kills the inject at each of its lines, or at each n-th from the first on. Returns the number of the last boundary."""
    each *= EVERY * target.every
    boundary = first - each
    while True:
        boundary += each
        target.renew()
        before = target.look()
        order = target.order(f"f-{recover.__name__.replace('_', '-')}-{boundary}")
        killed = host.ask({**order, "kill_at": boundary, "mutant": mutant})["killed"]
        recover(host, target, order)
        clean(host, target, before, f"killed at line event {boundary}, recovered {recover.__name__}")
        if not killed:
            return boundary - each


def clean(host: Lab, target: Rig, before: object, when: str) -> None:
    if target.leaves == "spent":
        target.renew()
    assert target.look() == before, f"not as it was: {when}"
    assert [entry.fault_id for entry in host.journal.live()] == [], f"a trace is left: {when}"
    host.forget()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("recover", "first", "each"), [(by_agent, 1, 4), (by_watchdog, 1, 1), (by_retry, 3, 4)], ids=["by_agent", "by_watchdog", "by_retry"]
)
def test_the_inject_is_killed_at_every_line(target: Rig, host: Lab, recover: Any, first: int, each: int, record_property: Any) -> None:
    """Recovered by the watchdog at each line; at each fourth one by an agent or a retry too, in turn."""
    boundaries = injected_and_killed_everywhere(host, target, recover, first=first, each=each)
    step = each * EVERY * target.every
    how = recover.__name__.replace("_", " ") + (f" at each {step}th" if step > 1 else "")
    tried = (boundaries - first) // step + 1
    record_property(
        "counted", f"{target.kind} ({type(target).__name__}): {boundaries} boundaries of inject, {tried} tried, recovered {how}: no leftover"
    )
    assert boundaries > 100


@pytest.mark.timeout(600)
def test_the_revert_is_killed_at_every_line(target: Rig, host: Lab, record_property: Any) -> None:
    boundary, each = 0, EVERY * target.every
    while True:
        boundary += each
        target.renew()
        before = target.look()
        order = target.order(f"f-revert-{boundary}")
        assert host.ask(order)["status"]["state"] == "active"
        revert = {"op": "revert", "reasons": {order["order"]["fault_id"]: "the scenario is over"}}
        killed = host.ask({**revert, "kill_at": boundary})["killed"]
        if target.leaves == "as it was":
            by_watchdog(host, target, order)
        by_agent(host, target, order)
        clean(host, target, before, f"the revert was killed at line event {boundary}")
        if not killed:
            break
    record_property("counted", f"{target.kind} ({type(target).__name__}): {boundary - each} boundaries of revert, each {each}. tried: no leftover")
    assert boundary > 50


@pytest.mark.timeout(600)
@pytest.mark.parametrize("left", ["after_journal", "mid_inject", "active"])
def test_the_watchdogs_revert_is_killed_at_every_line(target: Rig, host: Lab, left: str, record_property: Any) -> None:
    """The recovery of what a killed inject left, or (at each fifth line) of a whole fault, is killed itself; the watchdog's next look ends it."""
    boundary, each = 0, EVERY * target.every * (1 if left == "mid_inject" else 5)
    while True:
        boundary += each
        target.renew()
        before = target.look()
        order = target.order(f"f-{left.replace('_', '-')}-{boundary}")
        assert host.ask({**order, "die_at": left})["killed"] is (left != "active")
        alive = host.ask({"watchdog": True, "ahead": PAST_EVERY_LEASE, "kill_at": boundary})["live"]
        by_watchdog(host, target, order)
        clean(host, target, before, f"left {left}, the watchdog's revert was killed at line event {boundary}")
        if not alive:
            break
    record_property(
        "counted",
        f"{target.kind} ({type(target).__name__}): {boundary - each} boundaries of the watchdog's, each {each}. tried, left {left}: no leftover",
    )
    assert boundary > 50


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", ["apply before journal", "tombstone before undo", "journal written in place", "undo only if present"])
def test_a_mutant_is_caught(mutant: str, folder: Path, host: Lab) -> None:
    """The enumeration would notice these mistakes: with each of them something is left at some boundary."""
    with rig(Switch, folder / "rig") as target, pytest.raises(AssertionError, match=r"not as it was|a trace is left"):
        if mutant == "tombstone before undo":
            reverted_and_killed_everywhere(host, target, mutant)
        elif mutant == "undo only if present":
            injected_and_killed_everywhere(host, target, by_agent_with(mutant))
        else:
            injected_and_killed_everywhere(host, target, by_agent, mutant)


def by_agent_with(mutant: str) -> Callable[[Lab, Rig, dict[str, Any]], None]:
    def by_mutant(host: Lab, target: Rig, order: dict[str, Any]) -> None:
        host.ask({"op": "revert", "reasons": {order["order"]["fault_id"]: "its run is over"}, "mutant": mutant})

    return by_mutant


def reverted_and_killed_everywhere(host: Lab, target: Rig, mutant: str) -> None:
    for boundary in range(1, 400):
        before = target.look()
        order = target.order(f"f-mutant-{boundary}")
        host.ask(order)
        revert = {"op": "revert", "reasons": {order["order"]["fault_id"]: "the scenario is over"}}
        host.ask({**revert, "kill_at": boundary, "mutant": mutant})
        host.ask(revert)
        clean(host, target, before, f"the revert was killed at line event {boundary}")
