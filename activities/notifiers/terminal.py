"""`terminal`: the conductor's own terminal, or the log that stands in its place."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from activities.notifiers.notifier import Notifier, NotSent
from gameday.notice import Notice

_BELL = "\a"


class TerminalNotifier(Notifier):
    """Rings the bell where somebody may sit, and writes a plain line where nobody does."""

    kind = "terminal"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._writing = ThreadPoolExecutor(1, "calls-terminal")

    async def send(self, notice: Notice) -> None:
        try:
            # A terminal on hold, or a full pipe, would stop the whole conductor, or take one of the threads that it shares.
            await asyncio.get_running_loop().run_in_executor(self._writing, self._write, notice)
        except (OSError, ValueError) as error:  # ValueError: it was closed
            raise NotSent(f"the terminal takes nothing: {error}") from None

    def _write(self, notice: Notice) -> None:
        stream = self._stream or sys.stderr
        called = f" [{', '.join(notice.to)}]" if notice.to else ""
        if stream.isatty():
            rows = [f"{_BELL}⚠ {notice.severity.upper()}{called} {notice.text}", *(f"    {each}" for each in notice.details)]
        else:
            more = f" ({'; '.join(notice.details)})" if notice.details else ""
            rows = [f"{notice.at.isoformat(timespec='seconds')} CALL {notice.severity} {notice.about}{called} {notice.text}{more}"]
        stream.write("\n".join(rows) + "\n")
        stream.flush()
