"""Child processes that cannot outlive the shop, and that stop for certain, frozen or not."""

from __future__ import annotations

import ctypes
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

_PR_SET_PDEATHSIG = 1
# Loaded here, once: between fork and exec is no time to load a library.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


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
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Starts a process of the shop.

    Args:
        name: What its pid file and its log are called.
        command: The program and its arguments.
        directory: The shop's directory.
        user: The user to run it as, if not the current one.
        stop_signal: How it is asked to stop.
        orphan_signal: What the kernel sends it when this process dies first (Linux only).
    """
    parent = os.getpid()
    log = directory / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT if user is None else "/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,  # a Ctrl-C in the terminal is for the supervisor, which then stops everyone in order
            user=user,
            group=user and _group_of(user),
            extra_groups=[] if user else None,
            preexec_fn=lambda: _die_with(parent, orphan_signal),
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


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _die_with(parent: int, by: signal.Signals) -> None:
    """In the child, before its program: ties its life to the parent's, which may have died a moment ago."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
