"""Become a program whose life is tied to its parent's: python tether.py PARENT SIGNAL USER PROGRAM [ARGUMENT …]

PARENT is the parent's process id, SIGNAL the number of what the kernel is to send when it dies, and USER whom to run
the program as, or empty. A small program of its own, because the other way, Python code between fork and exec
(`preexec_fn`), can deadlock a parent that has threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: str, signal: str, user: str, *command: str) -> None:
    """Takes over the command line and does not return."""
    if user:
        _become(user)
    # Only now: a change of user would undo it. The exec below does not.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent died before we were tied to it")
    os.execv(command[0], command)


def _become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.chdir("/")


if __name__ == "__main__":
    main(*sys.argv[1:])
