"""A terminal of its own for a process under test: what it shows, what is typed, and how it leaves the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
ALTERNATE, MAIN = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
HOME = "\x1b[H"
"""Where a picture begins."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])")


class Terminal:
    """A process under a terminal of its own, of 100 by 30; it is the one that Ctrl-C there reaches."""

    def __init__(self, *argv: str, **more: str) -> None:
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (30, 100))
        self.before = termios.tcgetattr(theirs)
        environment = {**os.environ, "TERM": "xterm-256color", **more}
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_controlled
        )
        self.theirs, self.said = theirs, b""

    def until(self, text: bytes) -> None:
        """Reads until the process has written this; one that ended without it would be waited for in vain."""
        patience = time.monotonic() + 60
        while text not in self.said:
            if select.select([self.ours], [], [], 0.1)[0]:
                self.said += os.read(self.ours, 65536)
            elif self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode} before it said {text!r}; its last words: {self.said[-500:]!r}")
            if time.monotonic() > patience:
                raise AssertionError(f"did not say {text!r}; its last words: {self.said[-3000:]!r}")

    def until_shown(self, *facts: str, gone: str = "") -> None:
        """Reads until one picture has all these facts, and not what has to be gone."""
        self.until_so(lambda: all(fact in self.picture for fact in facts) and not (gone and gone in self.picture), f"shows {facts} and not {gone!r}")

    def until_so(self, holds: Callable[[], bool], what: str) -> None:
        """Reads until something is so, on the screen or elsewhere."""
        patience = time.monotonic() + 60
        while not holds():
            if select.select([self.ours], [], [], 0.05)[0]:
                self.said += os.read(self.ours, 65536)
            elif self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode} before: {what}; its last words: {self.said[-500:]!r}")
            if time.monotonic() > patience:
                raise AssertionError(f"never came: {what}; the picture:\n{self.picture}")

    @property
    def picture(self) -> str:
        """The last picture that was drawn whole, without its colours."""
        drawn = self.said.decode(errors="replace").split(HOME)
        return _ESCAPES.sub("", drawn[-2]) if len(drawn) > 2 else ""

    @property
    def told(self) -> str:
        """What stays to be read after the live view, as plain lines."""
        return _ESCAPES.sub("", self.said.rpartition(MAIN)[2].decode(errors="replace")).replace("\r\n", "\n")

    def types(self, text: bytes) -> None:
        os.write(self.ours, text)

    def end(self) -> int:
        """Waits for the end of the process, reading all the while. Returns its exit status."""
        os.set_blocking(self.ours, False)
        while self.process.poll() is None:
            self._read()
            time.sleep(0.02)
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        try:
            self.said += os.read(self.ours, 65536)
        except BlockingIOError:
            return

    @property
    def after(self) -> list[Any]:
        return termios.tcgetattr(self.theirs)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


def restored(terminal: Terminal) -> bool:
    """The settings are as before, the main screen is back, and the cursor is seen."""
    return terminal.after == terminal.before and terminal.said.rfind(MAIN) > terminal.said.rfind(ALTERNATE) and SHOW_CURSOR in terminal.said


def _controlled() -> None:
    """Makes the terminal the controlling one of the new session, so that what is typed can interrupt."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
