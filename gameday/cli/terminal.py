"""The terminal: key by key while the live view is on, and as it was afterwards, whatever happened."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator

from gameday.cli.keys import Decoder

_NEVER = b"\x00"


@contextlib.contextmanager
def key_by_key() -> Iterator[int]:
    """Keys arrive as they are pressed and are not echoed. Ctrl-C still interrupts; Ctrl-Z does nothing, as it would leave the screen torn."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    tty.setcbreak(handle, termios.TCSANOW)
    now = termios.tcgetattr(handle)
    now[6][termios.VSUSP] = _NEVER
    termios.tcsetattr(handle, termios.TCSANOW, now)
    try:
        yield handle
    finally:
        with contextlib.suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(handle, termios.TCSADRAIN, before)


@contextlib.contextmanager
def listening(press: Callable[[str], None]) -> Iterator[None]:
    """Gives each key to `press`, from the running event loop."""
    import asyncio

    loop, decoder = asyncio.get_running_loop(), Decoder()
    with key_by_key() as handle:

        def read() -> None:
            data = _read(handle)
            if not data:
                loop.remove_reader(handle)
            for key in decoder.keys(data):
                press(key)

        loop.add_reader(handle, read)
        try:
            yield
        finally:
            loop.remove_reader(handle)


def pressed(handle: int, decoder: Decoder, seconds: float) -> list[str]:
    """The keys that arrive within this time."""
    if not select.select([handle], [], [], seconds)[0]:
        return []
    return decoder.keys(_read(handle))


def _read(handle: int) -> bytes:
    """What was typed; nothing when the terminal is gone."""
    try:
        return os.read(handle, 1024)
    except OSError:
        return b""
