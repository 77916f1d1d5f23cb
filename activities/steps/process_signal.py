"""Signals to one process: pause it, or kill it and perhaps start it again. Source: signal(7), pidfd_open(2)."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from activities.steps import processes
from activities.steps.step import Hands, Reading, State, Step, Undo, primitive
from gameday.errors import Refused

_STOPPED = "Tt"
GRACE = 4.0
"""Seconds that a process gets to end after SIGTERM, or once its kill is on the way."""
MOMENT = 0.005
"""Seconds in which a kill that is on the way, and not to be seen any more, comes to its end."""


def _checked(pid: int, identity: str) -> None:
    if not isinstance(pid, int) or isinstance(pid, bool) or pid < 2 or not isinstance(identity, str) or identity.count("/") < 2:
        raise ValueError("a process is a pid above 1 and its identity")


@primitive
@dataclass(frozen=True)
class Pause(Step):
    """SIGSTOP, undone by SIGCONT. Keyed by pid and start time: a successor is never touched."""

    pid: int
    born: str

    primitive: ClassVar[str] = "process.pause"

    def __post_init__(self) -> None:
        _checked(self.pid, self.born)

    def knobs(self) -> tuple[str, ...]:
        return (f"process/{self.pid}/{self.born}",)

    def capture(self, hands: Hands) -> Undo:
        alive = processes.same(self.pid, self.born)
        if alive is None:
            raise Refused(f"process {self.pid} has gone since it was chosen; expected it to run. Choose again")
        if alive.state in _STOPPED:
            raise Refused(f"process {self.pid} is stopped already, and not by this fault; continue it first")
        return {"name": processes.command_name(self.pid)}

    def apply(self, undo: Undo, hands: Hands) -> None:
        processes.send(self.pid, self.born, signal.SIGSTOP)

    def read(self, undo: Undo, hands: Hands) -> Reading:
        alive = processes.same(self.pid, self.born)
        if alive is None:
            return Reading(State.GONE, f"pid {self.pid} has ended")
        if alive.state in _STOPPED:
            return Reading(State.APPLIED, f"stopped (pid {self.pid})")
        return Reading(State.BEFORE, f"running (pid {self.pid})")

    def undo(self, undo: Undo, hands: Hands) -> None:
        processes.send(self.pid, self.born, signal.SIGCONT)

    def before(self, undo: Undo) -> str:
        return f"{undo['name']} running (pid {self.pid})"


@primitive
@dataclass(frozen=True)
class Kill(Step):
    """Ends one process. With a restart command, undo starts it again, unless somebody has already.

    Args:
        pid, born: the process, frozen when the fault was planned.
        number: the signal's name, SIGKILL or SIGTERM.
        restart: argv from the settings; empty when nobody is to be started.
        found_by: how a successor is found: `pid_file`, `name` or `unit`, and its value.
    """

    pid: int
    born: str
    number: str
    restart: tuple[str, ...] = ()
    found_by: tuple[str, str] = ("name", "")

    primitive: ClassVar[str] = "process.kill"
    settle: ClassVar[float] = 5.0
    holds: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _checked(self.pid, self.born)
        if self.number not in ("SIGKILL", "SIGTERM") or self.found_by[0] not in ("pid_file", "name", "unit"):
            raise ValueError("a kill is by SIGKILL or SIGTERM, its successor found by pid_file, name or unit")
        if not all(isinstance(word, str) and word for word in self.restart):
            raise ValueError("a restart command is a list of words")

    @property
    def momentary(self) -> bool:  # type: ignore[override]  # it depends on whether there is a restart
        return not self.restart

    def knobs(self) -> tuple[str, ...]:
        return (f"process/{self.pid}/{self.born}",)

    def capture(self, hands: Hands) -> Undo:
        if processes.same(self.pid, self.born) is None:
            raise Refused(f"process {self.pid} has gone since it was chosen; expected it to run. Choose again")
        others = [[pid, processes.born(pid)] for pid in self._found() if pid != self.pid]
        return {"name": processes.command_name(self.pid), "pid_file_written": self._pid_file_written(), "others": others}

    def apply(self, undo: Undo, hands: Hands) -> None:
        """An asked process that does not end in time is ended all the same, as systemd does: it would be a late fault otherwise."""
        first = self.number == "SIGTERM" and not hands.intended(str(self.pid))  # an earlier attempt may have asked it
        if first:
            hands.intend(str(self.pid))
        try:
            processes.send(self.pid, self.born, signal.Signals[self.number])
        except Exception:
            if first:
                hands.give_up(str(self.pid))
            raise
        if not self._ends(hands):
            processes.send(self.pid, self.born, signal.SIGKILL)

    def read(self, undo: Undo, hands: Hands) -> Reading:
        if processes.same(self.pid, self.born) is not None:
            asked = hands.intended(str(self.pid))
            return Reading(State.PART if asked else State.BEFORE, f"{'asked to end, ' if asked else ''}running (pid {self.pid})")
        successors = self._successors(undo)
        if successors and self.restart:
            return Reading(State.GONE, f"ended (pid {self.pid}), running again as pid {successors[0]}")
        return Reading(State.APPLIED, f"ended (pid {self.pid})")

    def undo(self, undo: Undo, hands: Hands) -> None:
        if not self.restart:
            return
        if not self._ends(hands):
            if not hands.intended(str(self.pid)):
                return
            processes.send(self.pid, self.born, signal.SIGKILL)  # it was asked to end, and would, with nobody there to start it again
            self._ends(hands)
        if not self._successors(undo) and not hands.has_started():
            hands.start(self.restart)

    def _ends(self, hands: Hands) -> bool:
        """Whether the process is gone. One that may have been asked to end is given its time, and one that is being killed is no living one."""
        asked, began = hands.intended(str(self.pid)), time.monotonic()
        while processes.same(self.pid, self.born) is not None:
            patience = GRACE if asked or processes.is_dying(self.pid) else MOMENT
            if time.monotonic() - began >= patience:
                return False
            hands.progress()
            time.sleep(0.005)
        return True

    def _successors(self, undo: Undo) -> list[int]:
        """Who runs in its place: nobody who did beside it. What an old pid file names is none when somebody else has got that pid since."""
        beside = {pid for pid, born in undo.get("others", ()) if processes.same(pid, born) is not None}
        found = [pid for pid in self._found() if pid not in beside]
        if self._pid_file_written() != undo["pid_file_written"]:
            return found
        return [pid for pid in found if processes.command_name(pid) == undo["name"]]

    def _found(self) -> list[int]:
        return processes.find(**{self.found_by[0]: self.found_by[1]})

    def _pid_file_written(self) -> int:
        """When its pid file was written (ns); 0 where there is none."""
        by, value = self.found_by
        try:
            return Path(value).stat().st_mtime_ns if by == "pid_file" else 0
        except OSError:
            return 0

    def before(self, undo: Undo) -> str:
        return f"{undo['name']} running (pid {self.pid})"
