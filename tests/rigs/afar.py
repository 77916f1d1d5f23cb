"""gameday's host side on the second machine: orders as the agent gives them, carried out there; and a page on a disk of its own to break."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from activities.bare import ROOT, bare_python
from activities.journal import Order
from activities.steps.command import RunCommand
from activities.steps.step import Step, to_json
from tests.rigs.second_kernel import Guest

DISKS = ("home", "shop")
"""The journal's disk and the target's: syncing one does not save what is on the other."""
HOME = "/run/home/gameday"
PAGE = "/run/shop/page"
WRITE = 'echo "$1" >"$2.new"; sync "$2.new"; mv "$2.new" "$2"; sync "$2" "${2%/*}"'
"""A change to a file that outlives a hard reset, by itself."""
WRITE_ONLY = 'echo "$1" >"$2"'
"""One that does not."""
BARE = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
NOWHERE = "127.0.0.1:1"
"""Where no Temporal answers."""
WITHOUT_FSYNC = "import os; os.fsync = lambda handle: None; from activities import operation; operation.main()"
"""The mutant: what is carried out, without its syncs."""


class Afar:
    """The host side on a machine with the disks above. `temporal` is where its agent finds Temporal, seen from there."""

    def __init__(self, machine: Guest, temporal: str = NOWHERE) -> None:
        self.machine = machine
        self.environment = {"GAMEDAY_HOME": HOME, "GAMEDAY_HOST": "guest", "TEMPORAL_ADDRESS": temporal, "PYTHONDONTWRITEBYTECODE": "1"}
        self.write_page("open")
        self.watch()

    def write_page(self, text: str) -> None:
        self.machine.run("sh", "-c", WRITE, "write", text, PAGE)

    def page(self) -> str:
        return self.machine.run("cat", PAGE).strip()

    def boot_id(self) -> str:
        return self.machine.run("cat", "/proc/sys/kernel/random/boot_id").strip()

    def watch(self) -> None:
        """A real watchdog, detached, as an agent starts it."""
        start = f"from pathlib import Path; from activities import watchdog; watchdog.ensure(Path({HOME!r}))"
        self.machine.run(*bare_python("")[:-2], "-c", start, env=BARE)

    def stop_watchdog(self) -> None:
        """It freezes, so that only a restart ends what it watches."""
        beat = json.loads(self.machine.run("cat", f"{HOME}/journal/.watchdog"))
        self.machine.run("kill", "-STOP", str(beat["pid"]))

    def operate(self, *requests: dict[str, Any], mutant: str = "") -> list[dict[str, Any]]:
        """Carries out operations, one after the other and each to its end; their answers."""
        program = ["-c", mutant] if mutant else ["-m", "activities.operation"]
        typed = "".join(json.dumps(request) + "\n" for request in requests)
        said = self.machine.run(*bare_python("")[:-2], *program, HOME, typed=typed, env=BARE)
        answers: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
        assert len(answers) == len(requests) and not any("error" in answer for answer in answers), said
        return answers

    def freeze(self, request: dict[str, Any], point: str) -> None:
        """Carries out one operation until it stands still at a named point."""
        once = f"/run/{point}"
        env = {**BARE, "GAMEDAY_FAILPOINT": f"freeze@{point}:{once}"}
        pid = self.machine.start(*bare_python("activities.operation"), HOME, typed=json.dumps(request) + "\n", env=env)
        self.machine.until(f"test -e {once} && ! grep -q 'State:.[RSD]' /proc/{pid}/status", f"an operation stands at {point}")

    def live(self) -> list[str]:
        """The entries in the journal without a tombstone."""
        look = f"for each in {HOME}/journal/*/; do [ -e $each/tombstone ] || basename $each; done"
        return self.machine.run("sh", "-c", look).split()

    def tombstone(self, fault_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.machine.run("cat", f"{HOME}/journal/{fault_id}/tombstone"))
        return found

    def leftovers(self, *words: str) -> str:
        return self.machine.run(sys.executable, "-m", "gameday", "leftovers", *words, env=self.environment, timeout=180)

    def start_agent(self) -> None:
        """As the host's init system does after a boot."""
        self.machine.start(sys.executable, "-m", "gameday", "agent", env=self.environment, log="/run/agent.log")

    def has_settled(self, seconds: float = 120) -> None:
        """Waits until everything in the journal has a tombstone."""
        every = f"cd {HOME}/journal && for each in */; do [ ! -d $each ] || [ -e $each/tombstone ] || exit 1; done"
        self.machine.until(every, "everything has a tombstone", timeout=seconds)


def inject(fault_id: str, *steps: Step) -> dict[str, Any]:
    order = Order(fault_id=fault_id, run_id="run", name="fault", kind="test", label=fault_id, lease=3000.0, cap=3000.0)
    return {"op": "inject", "order": asdict(order), "steps": [to_json(step) for step in steps]}


def revert(fault_id: str) -> dict[str, Any]:
    return {"op": "revert", "reasons": {fault_id: "the scenario is over"}}


def closes_the_page(undo: str = WRITE) -> RunCommand:
    """A command that the operator allows: it writes a file, and is taken back by writing it again."""
    do, back = (("/bin/sh", "-c", script, "write", text, PAGE) for script, text in ((WRITE, "closed"), (undo, "open")))
    return RunCommand("close", do, back, ("/bin/grep", "-qx", "closed", PAGE))
