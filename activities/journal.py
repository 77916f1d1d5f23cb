"""The journal: undos on the target host, on disk before anything is changed.

    <root>/<fault id>/entry        the order, its steps and their undos, with an HMAC; written once, whole or not at all
                     /lease        the deadline, renewed by the keeper (boot clock)
                     /watched      the watchdog has seen the entry
                     /active       applied, and read back
                     /reverting    what was found when the first undo began
                     /ended        somebody asked for its end: nothing is applied after this
                     /helper       the helper process that may be running for it; otherwise its space, `helper.reserve`
                     /started      the process that was started last to stand in for one that it ended
                     /intended-…   a change that nobody can see at once may have begun
                     /tombstone    how it ended; the last thing written
    <root>/.locks/<fault id>       the operation lock, held while something is applied or undone
    <root>/.halted-…               nothing is put on while it is there (activities/halted.py)

An entry without a tombstone is the claim on its target. Standard library only.

What is executed of an entry is what was sealed with the key. Who could have got at the key, or put another's files in its place, is asked of the
file system: a journal that is not private to whoever reads it is never executed. Whoever has read an entry before goes by what it read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities import durable
from activities.entry import ENDED_BYTES, TOMBSTONE_BYTES, Entry, sealed, written_at
from activities.oplock import OperationLock
from activities.steps import processes
from activities.steps.step import Step, Undo, to_json
from gameday.errors import FaultEnded, GamedayError, Refused, TargetTaken

KEY_BYTES = 32
HELPER_BYTES = 512
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_WRITES = stat.S_IWGRP | stat.S_IWOTH
_READS = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True)
class Order:
    """What the journal and the engine need of a fault's order: plain data, without pydantic.

    `lease` and `cap` are seconds from arming; `run_id` is also the workflow that says whether the fault is still wanted.
    """

    fault_id: str
    run_id: str
    name: str
    kind: str
    label: str
    lease: float
    cap: float
    momentary: bool = False
    quiet: bool = False
    """Sealed: the journal is private to its owner, and lists of leftovers show the id only."""


class Journal:
    """All faults of one host. Private to its owner; the key lies outside."""

    def __init__(self, root: Path, key: bytes) -> None:
        self.root, self._key = root, key
        self._read: dict[str, dict[str, Any]] = {}
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        (root / ".locks").mkdir(exist_ok=True, mode=0o700)

    @classmethod
    def at(cls, home: Path) -> Journal:
        """The journal under a gameday home, with its key (made once, 256 random bits)."""
        path = home / "keys" / "journal"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = path.with_name(f"{path.name}.{os.getpid()}")
            durable.write(beside, os.urandom(32))
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
            beside.unlink()
        key = path.read_bytes()
        if len(key) < KEY_BYTES:
            raise GamedayError(f"the journal's key {path} is damaged: nothing in {home / 'journal'} can be told from a forgery. Restore it")
        return cls(home / "journal", key)

    def distrust(self) -> str:
        """Why what lies here may be somebody else's: the journal, or its key, does not belong to this user alone. Empty when it does."""
        key = self.root.parent / "keys" / "journal"
        for path, others in ((self.root, _WRITES), (key.parent, _WRITES), (key, _WRITES | _READS)):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                if found.st_uid != os.geteuid():
                    return f"{path} belongs to another user (uid {found.st_uid}), who could have written anything into it"
                if found.st_mode & others:
                    may = "be written" if found.st_mode & _WRITES else "be read"
                    return f"{path} can {may} by others: chmod {'600' if path == key else '700'} {path}"
        return ""

    def folder(self, fault_id: str) -> Path:
        if not _ID.fullmatch(fault_id):
            raise FaultEnded(f"{fault_id!r} is not a fault id")
        return self.root / fault_id

    def find(self, fault_id: str) -> Entry | None:
        folder = self.folder(fault_id)
        return self._entry(folder, self.distrust()) if folder.is_dir() else None

    def _entry(self, folder: Path, distrust: str) -> Entry:
        """An entry as it is on disk; as it was, where this process has read it and somebody has changed it since."""
        entry = Entry(folder, self._key, distrust)
        if entry.authentic:
            self._read[entry.fault_id] = entry.data
        elif entry.fault_id in self._read:
            entry.go_by(self._read[entry.fault_id])
        return entry

    def live(self) -> list[Entry]:
        """Every entry without a tombstone."""
        with os.scandir(self.root) as found:
            names = sorted(each.name for each in found if _ID.fullmatch(each.name))
        # Thousands of buried entries may lie here, and the watchdog looks every beat: no Path is made for those.
        live = [name for name in names if not os.access(f"{self.root}/{name}/tombstone", os.F_OK)]
        self._read = {name: self._read[name] for name in live if name in self._read}
        distrust = self.distrust() if live else ""
        return [self._entry(self.root / name, distrust) for name in live]

    @contextlib.contextmanager
    def operation(self, fault_id: str, patience: float) -> Iterator[OperationLock]:
        """Holds the operation lock of a fault. A holder that makes no progress for `patience` seconds is killed first."""
        self.folder(fault_id)
        with OperationLock(self.lock_of(fault_id), patience) as lock:
            yield lock

    def lock_of(self, fault_id: str) -> Path:
        return self.root / ".locks" / fault_id

    def recent(self, within: float) -> set[str]:
        """The ids of faults that are live, or were buried within this many seconds."""
        horizon = time.time() - within
        buried = {path.parent.name for path in self.root.glob("*/tombstone") if written_at(path) > horizon}
        return buried | {entry.fault_id for entry in self.live()}

    def open(self, order: Order, steps: Sequence[Step], undos: Sequence[Undo]) -> Entry:
        """Writes a new entry, complete and durable, and so claims its target.

        Raises:
            TargetTaken: another live entry turns one of the same knobs; the message says whose, until when.
            Refused: the journal is not private: who else could have written into it is not known.
        """
        distrust = self.distrust()
        if distrust:
            raise Refused(f"nothing is put on: {distrust}")
        now = processes.boot_clock()
        data = {
            **order.__dict__,
            "steps": [to_json(step) for step in steps],
            "undos": list(undos),
            "expires": any(step.expires for step in steps),
            "knobs": [knob for step in steps for knob in step.knobs()],
            "boot_id": processes.boot_id(),
            "time_namespace": processes.time_namespace(),
            "armed_at": now,
            "armed_wall": time.time(),
            "ends_at": now + order.cap,
        }
        folder = self.folder(order.fault_id)
        beside = self.root / f".new-{order.fault_id}"
        with OperationLock(self.root / ".locks" / ".claims", patience=10.0):
            self.refuse_taken(order, frozenset(data["knobs"]))
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(mode=0o700)
            durable.reserve(beside / "tombstone.reserve", TOMBSTONE_BYTES)
            durable.reserve(beside / "helper.reserve", HELPER_BYTES)
            durable.reserve(beside / "started.reserve", HELPER_BYTES)
            durable.reserve(beside / "ended.reserve", ENDED_BYTES)
            durable.write(beside / "lease", json.dumps(now + order.lease).encode())
            durable.write(beside / "entry", sealed(data, self._key))
            beside.rename(folder)
            durable.sync_directory(self.root)
        return self._entry(folder, distrust)

    def refuse_taken(self, order: Order, knobs: frozenset[str]) -> None:
        """Raises TargetTaken when another live entry turns one of these knobs. `open` asks again, under the lock of all claims."""
        for other in self.live():
            if other.fault_id != order.fault_id and knobs & frozenset(other.knobs):
                left = max(other.ends_at - processes.boot_clock(), 0)
                name = "another fault" if other.data.get("quiet") else f"the fault {other.data.get('name')!r}"
                whose = "this very run" if other.run_id == order.run_id else f"run {other.run_id}"
                raise TargetTaken(f"{order.label} is held by {name} of {whose}, for {left:.0f} s at the most; wait, or abort that run")

    def refuse_later(self, fault_id: str, status: dict[str, Any]) -> None:
        """A tombstone for a fault that was never armed here, so that a late attempt to inject it is refused."""
        beside = self.root / f".new-{fault_id}"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        durable.write(beside / "tombstone", json.dumps(status).encode())
        beside.rename(self.folder(fault_id))
        durable.sync_directory(self.root)

    def prune(self, older_than: float) -> int:
        """Removes entries buried longer ago than this many seconds, and what was begun and never became one. Returns how many entries."""
        horizon = time.time() - older_than
        for begun in self.root.glob(".new-*"):
            if begun.stat().st_mtime < time.time() - min(older_than, 3600.0):
                shutil.rmtree(begun, ignore_errors=True)
        old = [path.parent for path in self.root.glob("*/tombstone") if path.stat().st_mtime < horizon]
        for folder in old:
            gone = self.root / f".new-{folder.name}"
            shutil.rmtree(gone, ignore_errors=True)
            folder.rename(gone)  # at once: half of an entry, without its tombstone, would be live again
            shutil.rmtree(gone, ignore_errors=True)
            (self.root / ".locks" / folder.name).unlink(missing_ok=True)
        return len(old)
