"""Starting Python for the host side: the standard library only, a clean environment, no secrets in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "GAMEDAY_FAILPOINT")


def bare_python(module: str) -> list[str]:
    """An argv that runs a module without site-packages of its own choosing, user site or current directory."""
    return [sys.executable, "-s", "-S", "-P", "-m", module]


def bare_environment() -> dict[str, str]:
    """What a host-side process gets to see: where programs are, who it is, where gameday's code is."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
