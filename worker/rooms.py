"""That each room was loaded from gameday's own distribution: names like `workflows` exist elsewhere, and one may shadow the other."""

from __future__ import annotations

import importlib
from pathlib import Path

import gameday
from gameday.errors import GamedayError

ROOMS = ("workflows", "activities", "reports", "control_room", "worker")


def check() -> None:
    """Raises where a room is somebody else's."""
    home = Path(gameday.__file__).parent.parent
    for room in ROOMS:
        loaded = importlib.import_module(room).__file__
        if loaded is None or Path(loaded).parent.parent != home:
            raise GamedayError(
                f"the package {room!r} was loaded from {loaded}, not from gameday ({home}); install gameday in an environment of its own"
            )
