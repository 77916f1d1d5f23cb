"""Ties a child to its supervisor: when that dies, also by SIGKILL, the child is told to stop. Linux; elsewhere nothing is tied.

Run as a program it asks the kernel (PR_SET_PDEATHSIG survives the exec) and becomes the command. Source: prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tethered(argv: list[str]) -> list[str]:
    """The argv that runs another argv tied to this process."""
    if sys.platform != "linux":
        return argv
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv]


def main() -> None:
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)  # it died before we asked
    os.execvp(argv[0], argv)  # noqa: S606  # an argv list, no shell


if __name__ == "__main__":
    main()
