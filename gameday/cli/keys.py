"""Keys in the live view: single letters, and a line of text where one is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HINT = "a abort   h hold/resume   g go   n note   d detected   m mitigated   q leave it running"
_ASKS = {"a": ("abort", "Abort: why? (Enter aborts, Esc goes back) "), "n": ("note", "Note: ")}
_TELLS = {"h": "hold", "g": "go", "d": "detected", "m": "mitigated", "q": "leave"}


@dataclass
class Keys:
    """Turns key presses into calls of `do(what, text)`. `hint` is what the last line shows now."""

    do: Callable[[str, str], None]
    asking: str = ""
    typed: str = ""
    answer: str = ""
    prompts: dict[str, str] = field(default_factory=lambda: dict(_ASKS.values()))

    @property
    def hint(self) -> str:
        if self.asking:
            return f"{self.prompts[self.asking]}{self.typed}▏"
        return f"{self.answer}   [{HINT}]" if self.answer else HINT

    def press(self, key: str) -> None:
        if self.asking:
            self._type(key)
        elif key in _ASKS:
            self.asking, self.typed, self.answer = _ASKS[key][0], "", ""
        elif key in _TELLS:
            self.answer = ""
            self.do(_TELLS[key], "")
        elif key == "?":
            self.answer = "Offsets count from inject; ✔ ✘ ? say good, bad, unknown."

    def _type(self, key: str) -> None:
        if key == "\x1b":
            self.asking = ""
        elif key in "\r\n":
            what, text, self.asking = self.asking, self.typed.strip(), ""
            if what == "abort" or text:
                self.do(what, text)
        elif key in "\x7f\b":
            self.typed = self.typed[:-1]
        elif key.isprintable() and len(self.typed) < 500:
            self.typed += key


@contextlib.contextmanager
def listening(keys: Keys) -> Iterator[None]:
    """Reads the terminal key by key; it is as it was afterwards."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    loop = asyncio.get_running_loop()

    def read() -> None:
        for key in os.read(handle, 1024).decode(errors="replace"):
            keys.press(key)

    tty.setcbreak(handle)
    loop.add_reader(handle, read)
    try:
        yield
    finally:
        loop.remove_reader(handle)
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
