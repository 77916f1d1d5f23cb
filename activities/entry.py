"""One fault on disk: what is executed of it, and the marks of its life; activities/journal.py lists the files. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activities import durable
from activities.halted import standing
from activities.steps import processes
from activities.steps.step import Step, Undo, from_json
from gameday.errors import FaultEnded, NotReverted

TOMBSTONE_BYTES = 16_384
ENDED_BYTES = 1_024


def written_at(path: Path) -> float:
    """When a file was written; 0 when it has just been pruned."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _mac(data: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, json.dumps(data, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def sealed(data: dict[str, Any], key: bytes) -> bytes:
    return json.dumps({"entry": data, "hmac": _mac(data, key)}).encode()


class Entry:
    """One fault on disk. What is written once is read once; marks are looked at each time."""

    def __init__(self, folder: Path, key: bytes, distrust: str = "") -> None:
        self.folder, self.fault_id = folder, folder.name
        self.authentic, self.changed, self.distrust = False, False, distrust
        self.data: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            sealed = json.loads((folder / "entry").read_bytes())
            data = sealed["entry"]
            self.authentic = hmac.compare_digest(_mac(data, key), str(sealed["hmac"])) and data["fault_id"] == self.fault_id
            self.authentic = self.authentic and not distrust
            self.data = data if self.authentic else {}

    def go_by(self, data: dict[str, Any]) -> None:
        """Takes what this process has read of it before it was changed: enough to end it, and for nothing else."""
        self.data, self.authentic, self.changed = data, True, True

    @property
    def run_id(self) -> str:
        return str(self.data.get("run_id", "?"))

    @property
    def knobs(self) -> list[str]:
        return list(self.data.get("knobs", ()))

    @property
    def lease(self) -> float:
        """Seconds that it lives without being renewed."""
        return float(self.data.get("lease", 0.0))

    @property
    def expires(self) -> bool:
        """Whether a renewal is more than a word in the journal: the kernel or a server holds the lease of one of its steps."""
        return bool(self.data.get("expires"))

    @property
    def ends_at(self) -> float:
        """The absolute cap, on the boot clock."""
        return float(self.data.get("ends_at", 0.0))

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the host has not been restarted since."""
        return bool(self.data.get("boot_id") == processes.boot_id())

    def pairs(self) -> list[tuple[Step, Undo]]:
        """The steps with their undos, in the order of applying.

        Raises:
            NotReverted: the entry was tampered with or damaged; it is never executed.
        """
        if not self.authentic:
            why = self.distrust or "it is damaged, or was changed"
            raise NotReverted(f"the journal entry {self.fault_id} is not authentic ({why}): it is never executed. Look at the target by hand")
        return [(from_json(step), undo) for step, undo in zip(self.data["steps"], self.data["undos"], strict=True)]

    def due(self) -> str | None:
        """Why the fault must end by itself, or None: its lease ran out, its cap, or the machine was restarted."""
        if not self.authentic:
            return "the entry is not authentic"
        if self.changed:
            return "its journal entry was changed by somebody else"
        if not self.is_of_this_boot:
            return "the host was restarted"
        if self.data["time_namespace"] != processes.time_namespace():
            return "the clock is another one"
        now = processes.boot_clock()
        if now >= self.ends_at:
            return "its longest time was over"
        return "its lease ran out" if now >= self.deadline else None

    @property
    def deadline(self) -> float:
        """When the lease ends, on the boot clock; a lease that cannot be read has ended."""
        try:
            return float(json.loads((self.folder / "lease").read_bytes()))
        except (OSError, ValueError, TypeError):
            return 0.0

    def renew(self) -> None:
        """Extends the lease by its full length from now; the cap stands."""
        durable.write(self.folder / "lease", json.dumps(processes.boot_clock() + self.lease).encode(), durable=False)

    def marked(self, mark: str) -> bool:
        return (self.folder / mark).exists()

    def watch(self) -> None:
        (self.folder / "watched").touch(mode=0o600)

    def await_watch(self, poke: Any, timeout: float = 3.0) -> None:
        """Waits until the watchdog has acknowledged the entry.

        Raises:
            FaultEnded: nobody watches: the fault is not applied.
        """
        deadline = time.monotonic() + timeout
        while not self.marked("watched"):
            if time.monotonic() >= deadline:
                raise FaultEnded(f"no watchdog acknowledged {self.fault_id} within {timeout:.0f} s: nothing is applied without one")
            poke()
            time.sleep(0.005)

    def proceed(self) -> None:
        """Called before each change.

        Raises:
            FaultEnded: somebody asked for the end, or the time is over: a late holder must not apply.
        """
        reason = self.why_ended()
        if reason:
            raise FaultEnded(f"the fault {self.fault_id} is not applied: {reason}")

    def why_ended(self) -> str | None:
        if self.marked("tombstone"):
            return "it has been ended"
        halted = standing(self.folder.parent)
        return self.ended_reason or self.due() or (f"this host is {halted}" if halted else None)

    @property
    def ended_reason(self) -> str | None:
        try:
            return (self.folder / "ended").read_bytes().rstrip(b"\n\0").decode(errors="replace") or "it was asked to end"
        except FileNotFoundError:
            return None

    def end(self, reason: str) -> None:
        """Asks for the end, once; the first reason stays. Needs no new space."""
        if self.marked("ended"):
            return
        if (self.folder / "ended.reserve").exists():
            durable.fill(self.folder / "ended.reserve", reason.encode()[: ENDED_BYTES - 1], self.folder / "ended")
        else:
            durable.write(self.folder / "ended", reason.encode())

    def activate(self) -> None:
        durable.write(self.folder / "active", b"", durable=True)

    @property
    def active_at(self) -> str | None:
        """When it was active (ISO 8601), None when it never was."""
        written = written_at(self.folder / "active")
        return datetime.fromtimestamp(written, UTC).isoformat() if written else None

    def reverting(self, found: dict[str, bool]) -> dict[str, bool]:
        """Keeps what was found when the first undo began; a later attempt gets that, not what the first one left."""
        with contextlib.suppress(OSError, ValueError):
            kept: dict[str, bool] = json.loads((self.folder / "reverting").read_bytes())
            return kept
        with contextlib.suppress(OSError):  # on a full disk the revert goes on, and only this nuance is lost
            durable.write(self.folder / "reverting", json.dumps(found).encode())
        return found

    @property
    def tombstone(self) -> dict[str, Any] | None:
        try:
            status: dict[str, Any] = json.loads((self.folder / "tombstone").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:
            return {}  # there is one, and it cannot be read
        return status

    def bury(self, status: dict[str, Any]) -> None:
        """Writes how the fault ended, into the space kept for it. After this nothing is applied under this id, ever."""
        data = json.dumps(status).encode()
        if (self.folder / "tombstone.reserve").exists() and len(data) < TOMBSTONE_BYTES:
            durable.fill(self.folder / "tombstone.reserve", data, self.folder / "tombstone")
        else:
            durable.write(self.folder / "tombstone", data)
