"""The terminal is as it was afterwards, whatever happened."""

from __future__ import annotations

import sys
import termios
from pathlib import Path

import pytest

from tests.gameday.cli.pseudo import ALTERNATE, Terminal, restored

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
