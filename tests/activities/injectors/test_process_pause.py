"""A process stands still: one that sleeps, and what happens when responders continue it themselves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from activities.operators import Operators
from gameday.errors import FaultEnded
from gameday.playbook import Target
from tests.rigs.lab import Rig, rig, until


class Sleeper(Rig):
    """A process that can be paused."""

    kind = "process.pause"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.process = subprocess.Popen(["sleep", "1000"], start_new_session=True)

    def on(self) -> Target:
        pid_file = self.folder / "sleeper.pid"
        pid_file.write_text(str(self.process.pid))
        return Target(host="local", pid_file=str(pid_file))

    def look(self) -> object:
        return "stopped" if Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T" else "running"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


async def test_what_responders_take_away_is_neutralised_and_never_put_on_again(tmp_path: Path, operators: Operators) -> None:
    with rig(Sleeper, tmp_path / "rig") as target:
        order = target.order("f-away")
        await operators.perform(order)
        os.kill(target.process.pid, signal.SIGCONT)
        await asyncio.to_thread(until, lambda: target.look() == "running")
        seen = (await operators.perform({"op": "check", "faults": ["f-away"]}))["statuses"][0]
        assert seen["problems"] == ["neutralised"]
        assert (await operators.revert({"f-away": "the test is over"}))[0]["outcome"] == "neutralised"
        with pytest.raises(FaultEnded):
            await operators.perform(order)
        assert target.look() == "running"
