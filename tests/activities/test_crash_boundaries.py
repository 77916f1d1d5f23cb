"""The broadest row of the fault-survival matrix: the host side is killed at every line that it executes, for every injector.

After each kill somebody else takes over, as would happen: a restarted agent, the watchdog alone, a retry that adopts. In the end the
target is as it was, and nothing is left. The recovery itself is killed too. The lines are found by tracing; of those between which nothing
leaves the process, one is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.activities.injectors.test_command import Switch
from tests.rigs.crash_recovery import LONG, by_agent, by_retry, by_watchdog, clean, folder, host, paced, target
from tests.rigs.lab import Lab, Rig, rig

__all__ = ["folder", "host", "target"]


def injected_and_killed_everywhere(
    host: Lab, target: Rig, recover: Callable[[Lab, Rig, dict[str, Any]], None], mutant: str = "", first: int = 1, each: int = 1
) -> tuple[int, int]:
    """Kills the inject at each of its lines, or at each n-th from the first on. Returns how many there are, and how many were tried."""
    each = paced(target, each)
    tried, boundary = 0, min(first, each)
    while True:
        target.renew()
        before = target.look()
        order = target.order(f"f-{recover.__name__.replace('_', '-')}-{boundary}")
        answer = host.ask({**order, "kill_at": boundary, "mutant": mutant})
        recover(host, target, order)
        clean(host, target, before, f"killed at line event {boundary}, recovered {recover.__name__}")
        if not answer["killed"]:
            return answer["boundaries"], tried
        tried, boundary = tried + 1, boundary + each


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize(
    ("recover", "first", "each"), [(by_agent, 1, 3), (by_watchdog, 1, 1), (by_retry, 5, 3)], ids=["by_agent", "by_watchdog", "by_retry"]
)
def test_the_inject_is_killed_at_every_line(target: Rig, host: Lab, recover: Any, first: int, each: int, record_property: Any) -> None:
    """Recovered by the watchdog; at each third one of these lines by an agent or a retry too."""
    boundaries, tried = injected_and_killed_everywhere(host, target, recover, first=first, each=each)
    step = paced(target, each)
    how = recover.__name__.replace("_", " ") + (f" at each {step}." if step > 1 else "")
    record_property(
        "counted", f"{target.kind} ({type(target).__name__}): {boundaries} boundaries of inject, {tried} tried, recovered {how}: no leftover"
    )
    assert boundaries > 100


class SlowSwitch(Switch):
    """Half done for so long that a kill while it is waited for finds it so."""

    pause = 0.1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", ["apply before journal", "tombstone before undo", "journal written in place", "undo only if present"])
def test_a_mutant_is_caught(mutant: str, folder: Path, host: Lab) -> None:
    """The enumeration would notice these mistakes: with each of them something is left at some boundary."""
    with rig(SlowSwitch, folder / "rig") as target, pytest.raises(AssertionError, match=r"not as it was|a trace is left|is not authentic"):
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
