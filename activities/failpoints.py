"""Named points at which a test may kill the process, to see what survives. Armed by GAMEDAY_FAILPOINT, for instance `kill9@after_journal`.

With a path after it (`kill9@after_journal:/tmp/once`) it acts once, for all processes that are so armed: the path is made then.

Standard library only. No installation has the tests beside it, so there nothing can be armed. Unarmed a failpoint is one comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent / "tests" / "rigs" / "crash_lab.py"
_ARMED = os.environ.get("GAMEDAY_FAILPOINT", "") if _TESTS.is_file() else ""


def failpoint(name: str) -> None:
    """Kills or freezes this process here when the test armed this point."""
    if not _ARMED:
        return
    action, _, where = _ARMED.partition("@")
    point, _, once = where.partition(":")
    if point == name and _first(once):
        os.kill(os.getpid(), {"kill9": signal.SIGKILL, "freeze": signal.SIGSTOP}[action])


def _first(once: str) -> bool:
    """Whether this is the first time; always, where no path was given."""
    try:
        if once:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True
