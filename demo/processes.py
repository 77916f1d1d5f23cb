"""Child processes that cannot outlive the shop, and that stop for certain, frozen or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Where `python -m demo.…` finds this package, whatever directory the caller is in."""

# The interpreter without site-packages: it starts in a few milliseconds.
_TETHER = [sys.executable, "-S", "-E", str(Path(__file__).with_name("tether.py"))]


class ChildDied(RuntimeError):
    """A process of the shop ended while the shop was still waiting for it."""


@dataclass(frozen=True)
class Child:
    """One process of the shop, with its files `NAME.pid` and `NAME.log` in the shop's directory."""

    name: str
    process: subprocess.Popen[bytes]
    pid_file: Path
    log: Path
    stop_signal: signal.Signals

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def entry(self) -> dict[str, str | int]:
        """What shop.json says of every process."""
        return {"pid": self.pid, "pid_file": str(self.pid_file), "log": str(self.log)}

    def check(self) -> None:
        """Raises ChildDied, with the end of its log, if the process has ended."""
        code = self.process.poll()
        if code is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
            raise ChildDied(f"{self.name} ended with code {code}; the end of {self.log}:\n{tail}")


def start(
    name: str,
    command: Sequence[str | Path],
    directory: Path,
    *,
    user: str = "",
    stop_signal: signal.Signals = signal.SIGTERM,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Starts a process of the shop.

    Args:
        name: What its pid file and its log are called.
        command: The program, by its full path, and its arguments.
        directory: The shop's directory.
        user: Whom to run it as, if not the current user.
        stop_signal: How it is asked to stop.
        orphan_signal: What the kernel sends it when this process dies first (Linux only).
    """
    tether = [*_TETHER, str(os.getpid()), str(orphan_signal.value), user]
    log = directory / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*tether, *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,  # a Ctrl-C in the terminal is for the supervisor, which then stops everyone in order
        )
    pid_file = directory / f"{name}.pid"
    write_atomically(pid_file, f"{process.pid}\n")
    return Child(name, process, pid_file, log, stop_signal)


def start_python(name: str, module: str, directory: Path, *arguments: str) -> Child:
    """Starts one of this package's own processes."""
    return start(name, [sys.executable, "-m", module, *arguments], directory)


def stop(children: Iterable[Child], patience: float = 3.0) -> None:
    """Stops these processes: asks them all at once, and kills those still there after `patience` seconds."""
    group = list(children)
    for child in group:
        # A frozen process cannot hear the request: wake it first.
        child.process.send_signal(signal.SIGCONT)
        child.process.send_signal(child.stop_signal)
    deadline = time.monotonic() + patience
    for child in group:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        child.pid_file.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Writes a file so that a reader sees all of it or none."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
