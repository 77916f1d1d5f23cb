"""Named points at which a test may kill the process, to see what survives. Armed by GAMEDAY_FAILPOINT, for instance `kill9@after_journal`.

Standard library only. Unarmed (always, outside tests) a failpoint is one comparison.
"""

from __future__ import annotations

import os
import signal

_ARMED = os.environ.get("GAMEDAY_FAILPOINT", "")


def failpoint(name: str) -> None:
    """Kills or freezes this process here when the test armed this point."""
    if not _ARMED:
        return
    action, _, where = _ARMED.partition("@")
    if where == name:
        os.kill(os.getpid(), {"kill9": signal.SIGKILL, "freeze": signal.SIGSTOP}[action])
