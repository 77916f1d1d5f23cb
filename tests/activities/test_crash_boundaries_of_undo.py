"""The other half of the enumeration: what takes a fault off is killed at its lines, the revert and the watchdog's own; the next one ends it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs.crash_recovery import LONG, by_agent, by_watchdog, clean, folder, host, paced, target
from tests.rigs.lab import PAST_EVERY_LEASE, Lab, Rig

__all__ = ["folder", "host", "target"]


@pytest.mark.timeout(LONG)
def test_the_revert_is_killed_at_every_line(target: Rig, host: Lab, record_property: Any) -> None:
    boundary, each = 0, paced(target)
    while True:
        boundary += each
        target.renew()
        before = target.look()
        order = target.order(f"f-revert-{boundary}")
        assert host.ask(order)["status"]["state"] == "active"
        revert = {"op": "revert", "reasons": {order["order"]["fault_id"]: "the scenario is over"}}
        answer = host.ask({**revert, "kill_at": boundary})
        if target.leaves == "as it was":
            by_watchdog(host, target, order)
        if target.leaves != "as it was" or boundary % (4 * each) == 0:
            by_agent(host, target, order)
        clean(host, target, before, f"the revert was killed at line event {boundary}")
        if not answer["killed"]:
            break
    boundaries = answer["boundaries"]
    record_property("counted", f"{target.kind} ({type(target).__name__}): {boundaries} boundaries of revert, {tried(each)}: no leftover")
    assert boundaries > 50


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize("left", ["after_journal", "mid_inject", "active"])
def test_the_watchdogs_revert_is_killed_at_every_line(target: Rig, host: Lab, left: str, record_property: Any) -> None:
    """The recovery of what a killed inject left, or (at fewer lines) of a whole fault, is killed itself; the watchdog's next look ends it."""
    boundary, each = 0, paced(target, 1 if left == "mid_inject" else 3)
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
        f"{target.kind} ({type(target).__name__}): {boundary - each} boundaries of the watchdog's, {tried(each)}, left {left}: no leftover",
    )
    assert boundary > 50


def tried(each: int) -> str:
    return f"each {each}. tried" if each > 1 else "all tried"
