"""The terminal is as it was afterwards, whatever happened."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
ALTERNATE, MAIN = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"

RAISES = """
import sys
from gameday.cli.screens import LiveScreen
from gameday.cli.terminal import key_by_key

def frame(view, width, height):
    raise ZeroDivisionError

screen = LiveScreen(frame)
try:
    with key_by_key():
        screen.show(None)
except ZeroDivisionError:
    pass
finally:
    screen.close()
sys.exit(7)
"""


class Terminal:
    """A process under a terminal of its own, of 100 by 30."""

    def __init__(self, *argv: str, **more: str) -> None:
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (30, 100))
        self.before = termios.tcgetattr(theirs)
        environment = {**os.environ, "TERM": "xterm-256color", **more}
        self.process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
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


def replaying(*words: str, **more: str) -> Terminal:
    return Terminal(sys.executable, "-m", "gameday", "replay", *words, **more)


def test_a_replay_plays_to_its_end_and_leaves_the_terminal_as_it_was(home: Path) -> None:
    terminal = replaying("--speed", "50")
    try:
        terminal.until(b"REPLAY x 50")
        assert terminal.after != terminal.before
        assert terminal.end() == 0
        assert restored(terminal)
        assert b"nothing is left behind: 2 faults, 2 reverted, 0 dirty" in terminal.said
    finally:
        terminal.close()


@pytest.mark.parametrize("how", [b"q", b"\x03"])
def test_leaving_early_leaves_the_terminal_as_it_was(home: Path, how: bytes) -> None:
    terminal = replaying("--speed", "1")
    try:
        terminal.until(b"REPLAY x 1")
        if how == b"\x03":
            os.killpg(terminal.process.pid, signal.SIGINT)
        else:
            terminal.types(how)
        assert terminal.end() == 0
        assert restored(terminal)
    finally:
        terminal.close()


def test_it_follows_the_size_of_the_terminal(home: Path) -> None:
    """Also where a shell has exported a size of its own."""
    terminal = replaying("--speed", "0.2", COLUMNS="60", LINES="20")
    try:
        terminal.until(b"commander Ada")
        terminal.said = b""
        termios.tcsetwinsize(terminal.theirs, (12, 30))
        terminal.until(b"\xe2\x80\xa6")  # what does not fit any more ends in an ellipsis
        terminal.types(b"q")
        assert terminal.end() == 0
    finally:
        terminal.close()


def test_an_exception_leaves_the_terminal_as_it_was() -> None:
    terminal = Terminal(sys.executable, "-c", RAISES)
    try:
        assert terminal.end() == 7
        assert restored(terminal)
    finally:
        terminal.close()


def test_a_dumb_terminal_gets_plain_lines(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = replaying(TERM="dumb")
    try:
        assert terminal.end() == 0
        assert ALTERNATE not in terminal.said
        assert b"LedgerDown is firing" in terminal.said
    finally:
        terminal.close()
