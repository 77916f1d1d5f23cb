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
from gameday.errors import GamedayError, Unavailable

PATIENCE = 3.0
"""Seconds without progress after which a holder that is stopped counts as frozen."""
SILENT = 15.0
"""Seconds without progress after which any holder does: a slow disk or a slow peer is waited for this long."""


STAMP_BYTES = 400


class Stall:
    """Notices that a holder makes no progress, from its stamp: killed after `patience` seconds of the same one."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience, self._stamp, self._since = patience, b"", time.monotonic()

    def look(self, path: Path, stamp: bytes) -> None:
        """Called again and again while somebody else holds the lock."""
        if stamp != self._stamp:
            self._stamp, self._since = stamp, time.monotonic()
            return
        silent = time.monotonic() - self._since
        if silent > self._patience:
            _kill_frozen(path, stamp, only_stopped=silent < SILENT)


def stamp_of_holder(path: Path) -> bytes | None:
    """What the holder of a lock wrote last; None when nobody holds it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(handle, STAMP_BYTES, 0)
    except OSError:
        return None
    finally:
        os.close(handle)
    return None


class OperationLock:
    """Exclusive, per fault. `progress()` is the holder's sign of life."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path, self.patience = path, patience
        self._handle = -1
        self._me = {"pid": os.getpid(), "born": processes.born(os.getpid())}

    def __enter__(self) -> OperationLock:
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        stall = Stall(self.patience)
        while not self._taken():
            stall.look(self.path, os.pread(self._handle, STAMP_BYTES, 0))
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
            os.pwrite(self._handle, stamp.ljust(STAMP_BYTES), 0)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._handle)


def _kill_frozen(path: Path, stamp: bytes, only_stopped: bool) -> None:
    """Kills the holder of the lock: whom the kernel names. A stamp may be an earlier holder's, if this one froze before it could write."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, GamedayError):
        pid = _holder(path)
        if pid is None:  # the kernel does not tell, as in some containers
            holder: dict[str, Any] = json.loads(stamp)
            pid, born = int(holder["pid"]), str(holder["born"])
        else:
            born = processes.born(pid)
        alive = processes.same(pid, born)
        if pid != os.getpid() and alive is not None and (alive.state in "Tt" or not only_stopped):
            processes.send(pid, born, signal.SIGKILL)


def _holder(path: Path) -> int | None:
    """Who holds the lock on a file. Source: proc_locks(5)."""
    wanted = f":{path.stat().st_ino}"
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[5].endswith(wanted) and int(words[4]) > 0:
            return int(words[4])
    return None
