"""Starting Python for the host side: the standard library only, a clean environment, no secrets in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG")


def bare_python(module: str) -> list[str]:
    """An argv that runs a module without site-packages of its own choosing, user site or current directory."""
    return [sys.executable, "-s", "-S", "-P", "-m", module]


def bare_environment() -> dict[str, str]:
    """What a host-side process gets to see: where programs are, who it is, where gameday's code is."""
    return {**_environment(*_KEPT, "GAMEDAY_FAILPOINT"), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def helper_environment() -> dict[str, str]:
    """What the operator's own commands get to see: nothing of gameday's."""
    return _environment(*_KEPT)


def _environment(*names: str) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}
