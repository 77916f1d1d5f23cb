"""The operation lock: held while something is applied or undone. A holder that makes no progress is killed, and only then.

A kernel lock (flock), so it goes with its holder; the file says who that is and when it last got on. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from activities.steps import processes
from gameday.errors import Unavailable

PATIENCE = 3.0
"""Seconds without progress after which a holder counts as frozen."""


class OperationLock:
    """Exclusive, per fault. `progress()` is the holder's sign of life."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path, self.patience = path, patience
        self._handle = -1
        self._me = {"pid": os.getpid(), "born": processes.born(os.getpid())}

    def __enter__(self) -> OperationLock:
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        seen, since = b"", time.monotonic()
        while not self._taken():
            stamp = os.pread(self._handle, 400, 0)
            if stamp != seen:
                seen, since = stamp, time.monotonic()
            elif time.monotonic() - since > self.patience:
                _kill_frozen(stamp)
                since = time.monotonic()
            time.sleep(0.01)
        self.progress()
        return self

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            os.close(self._handle)
            raise Unavailable(f"the lock {self.path} cannot be taken ({error.strerror}); the journal needs a local file system") from None
        return True

    def progress(self) -> None:
        """Writes who holds the lock and that it gets on."""
        stamp = json.dumps({**self._me, "at": time.monotonic()}).encode()
        with contextlib.suppress(OSError):  # on a full disk the lock still holds
            os.pwrite(self._handle, stamp.ljust(400), 0)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._handle)


def _kill_frozen(stamp: bytes) -> None:
    """Kills the holder that left this stamp, if it is still the same process."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        holder: dict[str, Any] = json.loads(stamp)
        if holder["pid"] != os.getpid():
            processes.send(int(holder["pid"]), str(holder["born"]), signal.SIGKILL)
