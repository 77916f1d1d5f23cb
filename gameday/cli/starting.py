"""Starting a run by a process that gets ready while the playbook is being checked; and a Ctrl-C that comes before anybody follows the run."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from gameday.beginning import Beginning
from gameday.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from gameday.plan import Plan


PATIENCE = 20.0
"""Seconds that the answer may take: a try to connect, and the start itself, each have their own time."""
PROGRAM = (sys.executable, "-P", "-m", "worker.starter")


class Starter:
    """The process that starts the run (worker/starter.py).

    `interrupts` counts the Ctrl-Cs that came since the start: whoever follows the run acts on them.
    """

    def __init__(self, program: Sequence[str] = PROGRAM) -> None:
        self.interrupts = 0
        # of a session of its own: a Ctrl-C at the terminal must not reach it between the start and its answer
        self.process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Starter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

    def start(self, home: Path, plan: Plan) -> bool:
        """Starts the run. Returns False where no Temporal is configured and none is up.

        From here on a Ctrl-C or SIGTERM ends nothing by itself: a run that has begun must be aborted by whoever follows it.
        A second one ends the waiting.

        Raises:
            BadInput: Temporal's configuration cannot be used.
            Unavailable: Temporal does not answer, or did not take the run.
        """
        before = {number: signal.signal(number, self._keep) for number in (signal.SIGINT, signal.SIGTERM)}
        started = False
        try:
            started = self._asked(home, plan)
        finally:
            if not started:
                for number, action in before.items():
                    signal.signal(number, action)
        if not started and self.interrupts:
            raise KeyboardInterrupt
        return started

    def _asked(self, home: Path, plan: Plan) -> bool:
        assert self.process.stdin and self.process.stdout
        unsure = f"nobody can say whether {plan.run_id} has begun; `gameday abort {plan.run_id}` makes sure that it does not go on"
        try:
            self.process.stdin.write(json.dumps({"home": str(home), "run": asdict(Beginning.of(plan))}).encode() + b"\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                self.process.kill()
            said = json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            raise Unavailable(unsure) from None
        if "error" in said:
            raise (BadInput if said["bad_input"] else Unavailable)(said["error"])
        return bool(said["started"])

    def _keep(self, number: int, frame: FrameType | None) -> None:
        self.interrupts += 1
        if self.interrupts > 1:  # whoever does not want to wait need not
            self.process.kill()
