"""The refusal of a host: while it stands, nothing is put on there. A file, on disk before anything is taken off. Standard library only.

There are two, so that lifting one does not lift the other: `everywhere` is the lever's, which the keeper sets and lifts as Temporal says,
`here` is for this host alone, set and lifted by `gameday halt --local`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from activities import durable
from gameday.errors import Refused
from gameday.halt import EVERYWHERE, HERE, Halt


def halt(root: Path, wanted: Halt) -> None:
    """Sets the refusal of a journal, durably; one of the same scope that stands stays as it is.

    Raises:
        OSError: it could not be written.
    """
    if not _file(root, wanted.scope).exists():
        durable.write(_file(root, wanted.scope), json.dumps(asdict(wanted)).encode())


def release(root: Path, scope: str) -> bool:
    """Lifts one refusal. Returns whether it stood."""
    try:
        _file(root, scope).unlink()
    except FileNotFoundError:
        return False
    durable.sync_directory(root)
    return True


def standing(root: Path) -> Halt | None:
    """The refusal that stands, or None. One that cannot be read stands all the same."""
    for scope in (HERE, EVERYWHERE):
        try:
            return Halt(**json.loads(_file(root, scope).read_bytes()))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError):
            return Halt("somebody", "?", "its file cannot be read", "an unknown time", scope)
    return None


def refuse(root: Path) -> None:
    """Raises Refused while a refusal stands."""
    stands = standing(root)
    if stands is not None:
        raise Refused(f"this host is {stands}")


def _file(root: Path, scope: str) -> Path:
    return root / f".halted-{scope}"
