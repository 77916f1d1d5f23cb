"""A process is killed, and started again or not. Its successor is whom its pid file names since then."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from activities.hands import JournaledHands
from activities.steps import process_signal, processes
from activities.steps.process_signal import Kill
from activities.steps.step import State
from gameday.playbook import Target
from gameday.settings import HostSettings, ProcessSettings
from tests.rigs.lab import Rig, until


class Service(Rig):
    """A process with a pid file that its restart command starts again, and that may be killed."""

    kind = "process.kill"
    variant = "and restart"
    params: ClassVar[dict[str, Any]] = {"restart": True}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pid_file = folder / "service.pid"
        self.program = folder / "service"
        lines = ["import os, time", f"file = {str(self.pid_file)!r}", "part = open(file + '.part', 'w')", "part.write(str(os.getpid()))"]
        lines += ["part.close()", "os.rename(file + '.part', file)", "time.sleep(1000)"]
        self.program.write_text("\n".join((f"#!{sys.executable} -S", *lines)) + "\n")
        self.program.chmod(0o700)
        self.renew()

    def settings(self) -> HostSettings:
        known = ProcessSettings(pid_file=str(self.pid_file), restart=(str(self.program),))
        return HostSettings(processes={"service": known})

    def on(self) -> Target:
        return Target(host="local", process="service")

    def look(self) -> object:
        return "running" if processes.find(pid_file=str(self.pid_file)) else "gone"

    def renew(self) -> None:
        if self.look() == "gone":
            subprocess.run(["setsid", "--fork", str(self.program)], check=True)
            until(lambda: self.look() == "running")

    def close(self) -> None:
        for pid in processes.find(pid_file=str(self.pid_file)):
            os.kill(pid, signal.SIGKILL)


class Polite(Service):
    """The same, asked to end."""

    variant = "by SIGTERM, and restart"
    params: ClassVar[dict[str, Any]] = {"signal": "SIGTERM", "restart": True}


class Mortal(Service):
    """The same, killed without a restart: momentary."""

    variant = ""
    params: ClassVar[dict[str, Any]] = {}
    leaves = "spent"

    def settings(self) -> HostSettings:
        return HostSettings(processes={"service": ProcessSettings(pid_file=str(self.pid_file))})


def test_an_old_pid_file_that_names_another_process_by_now_is_no_successor(tmp_path: Path) -> None:
    gone, stranger = subprocess.Popen(["sleep", "1000"]), subprocess.Popen(["tail", "-f", "/dev/null"])
    file = tmp_path / "service.pid"
    file.write_text(str(gone.pid))
    step = Kill(gone.pid, processes.born(gone.pid), "SIGKILL", ("true",), ("pid_file", str(file)))
    hands = JournaledHands(None, lambda: None)
    undo = step.capture(hands)
    written = file.stat()
    try:
        gone.kill()
        gone.wait()
        file.write_text(str(stranger.pid))
        os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))  # as if the stranger had been given the old pid
        assert step.read(undo, hands).state is State.APPLIED
        file.write_text(str(stranger.pid))
        assert step.read(undo, hands).state is State.GONE, "a pid file that was written since names the successor"
    finally:
        stranger.kill()
        stranger.wait()


def test_who_ran_beside_it_is_no_successor(tmp_path: Path) -> None:
    """A service of two processes of one name, of which one is killed: the other has not taken its place, and the restart is due."""
    program = tmp_path / "gd-shop"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    killed, beside = subprocess.Popen([program, "1000"]), subprocess.Popen([program, "1000"])
    there = tmp_path / "started-again"
    step = Kill(killed.pid, processes.born(killed.pid), "SIGKILL", ("touch", str(there)), ("name", "gd-shop"))
    hands = JournaledHands(tmp_path, lambda: None)
    try:
        until(lambda: all(Path(f"/proc/{each.pid}/comm").read_text() == "gd-shop\n" for each in (killed, beside)))  # each has become what it is
        undo = step.capture(hands)
        step.apply(undo, hands)
        killed.wait()
        assert step.read(undo, hands).state is State.APPLIED
        step.undo(undo, hands)
        until(there.exists)
        successor = subprocess.Popen([program, "1000"])
        try:
            until(lambda: step.read(undo, hands).state is State.GONE)  # once it has become what it is
        finally:
            successor.kill()
            successor.wait()
    finally:
        beside.kill()
        beside.wait()


STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not end when it is asked to."""
    process = subprocess.Popen([sys.executable, "-S", "-c", STUBBORN], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(("before", "state"), [(False, State.BEFORE), (True, State.PART)], ids=["never asked", "asked by an earlier attempt"])
def test_what_could_not_be_asked_to_end_was_not_asked_unless_it_had_been(
    tmp_path: Path, stubborn: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, before: bool, state: State
) -> None:
    """An agent that may not signal it has changed nothing, and has nothing to undo; a retry forgets nothing of what an earlier attempt did."""
    step = Kill(stubborn.pid, processes.born(stubborn.pid), "SIGTERM", ("false",), ("name", "stubborn-no-more"))
    hands = JournaledHands(tmp_path, lambda: None)
    undo = step.capture(hands)

    def refused(*_: object) -> bool:
        raise PermissionError("not yours")

    if before:
        hands.intend(str(stubborn.pid))
    monkeypatch.setattr(processes, "send", refused)
    with pytest.raises(PermissionError):
        step.apply(undo, hands)
    assert step.read(undo, hands).state is state


@pytest.mark.parametrize("asked", [True, False], ids=["it may have been asked to end", "nobody asked it to end"])
def test_an_undo_ends_and_starts_again_whom_a_killed_inject_may_have_asked_to_end(
    tmp_path: Path, stubborn: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    """Left alone it would end one day, with nobody there to start it again."""
    monkeypatch.setattr(process_signal, "GRACE", 0.2)
    there = tmp_path / "started-again"
    step = Kill(stubborn.pid, processes.born(stubborn.pid), "SIGTERM", ("touch", str(there)), ("name", "stubborn-no-more"))
    hands = JournaledHands(tmp_path, lambda: None)
    undo = step.capture(hands)
    if asked:
        hands.intend(str(stubborn.pid))
    step.undo(undo, hands)
    until(lambda: there.exists() or not asked)
    assert (stubborn.poll() is None, there.exists()) == (not asked, asked)
    assert step.read(undo, hands).state is (State.APPLIED if asked else State.BEFORE)
