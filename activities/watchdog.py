"""The watchdog: ends every fault whose lease or cap is over, whatever has become of those who put it on. Standard library only.

One detached process a journal. It uses the boot clock, no network but its target's own loopback, and no state but the journal's, so it
may be killed and started at any time. Each revert runs in a child of its own, so that one that hangs does not hold up the others.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from activities import durable, engine
from activities.bare import bare_environment, bare_python
from activities.entry import Entry
from activities.journal import Journal
from activities.oplock import Stall, stamp_of_holder
from activities.steps import processes
from gameday.errors import GamedayError

BEAT = 0.2
"""Seconds between two looks at the journal."""
IDLE = 30.0
"""Seconds with nothing to watch after which it leaves; an agent starts one before it arms anything."""
SILENT = 2.0
"""Seconds without a beat after which it counts as dead."""
ASKED = 2.0
"""Seconds that whoever asked for the end of a fault has to take it off."""
RETRY = 2.0
"""Seconds before a revert that was not proven is tried again."""


@dataclass
class Watchdog:
    """Looks at every live entry each beat, acknowledges new ones, and reverts what is due."""

    journal: Journal
    lock: int = -1
    reverting: dict[str, int] = field(default_factory=dict)
    again: dict[str, float] = field(default_factory=dict)
    seen: dict[str, Entry] = field(default_factory=dict)
    stalls: dict[str, Stall] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    """Since when (monotonic) somebody has asked for the end of a fault that is still there."""

    def look(self) -> int:
        """One beat. Returns how many entries are live."""
        self._reap()
        live = self.journal.live()
        self.seen = {entry.fault_id: entry if entry.changed else self.seen.get(entry.fault_id, entry) for entry in live}
        self.asked = {fault_id: since for fault_id, since in self.asked.items() if fault_id in self.seen}
        self.stalls = {fault_id: self.stalls.get(fault_id, Stall()) for fault_id in self.seen}
        for entry in self.seen.values():
            with contextlib.suppress(OSError, GamedayError):  # neither a full disk nor one strange entry ends the watch over the others
                self._look_at(entry)
        return len(live)

    def _look_at(self, entry: Entry) -> None:
        fault_id, due = entry.fault_id, entry.due()
        reason = due or self._left(entry)
        if reason and fault_id not in self.reverting and time.monotonic() >= self.again.get(fault_id, 0.0):
            self.reverting[fault_id] = self._revert(fault_id, reason, "expired" if due else "reverted")
        if not entry.marked("watched"):
            entry.watch()
        lock = self.journal.lock_of(fault_id)
        stamp = stamp_of_holder(lock)
        if stamp is not None:
            self.stalls[fault_id].look(lock, stamp)  # a frozen operation is killed, so that its retry or its revert can go on

    def _left(self, entry: Entry) -> str | None:
        """Why it was asked to end, where whoever asked has not taken it off in time: that one may be dead, or have given up."""
        if not entry.marked("ended"):
            return None
        since = self.asked.setdefault(entry.fault_id, time.monotonic())
        return entry.ended_reason if time.monotonic() - since >= ASKED else None

    def _revert(self, fault_id: str, reason: str, outcome: str) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        with contextlib.suppress(Exception):
            os.close(self.lock)  # only the watchdog itself may hold it: a new one must be able to start
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            code = revert_due(self.journal, fault_id, reason, outcome)
        os._exit(code)

    def _reap(self) -> None:
        for fault_id, pid in list(self.reverting.items()):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.reverting[fault_id]
                self.again[fault_id] = time.monotonic() + RETRY


def revert_due(journal: Journal, fault_id: str, reason: str, outcome: str) -> int:
    """Reverts one fault that has run out, or was left to it. Returns 0 when it is proven gone, 1 when it must be tried again."""
    try:
        engine.revert(journal, fault_id, reason, outcome)
    except Exception as error:  # noqa: BLE001  # whatever it was, it is told and tried again
        with contextlib.suppress(OSError):
            durable.write(journal.folder(fault_id) / "problem", str(error).encode()[:900], durable=False)  # for `gameday leftovers`
        return 1
    return 0


def poke(root: Path) -> None:
    """Wakes the watchdog, so that it does not wait for its next beat."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with _reachable(root) as path:
            sender.sendto(b"!", path)


@contextlib.contextmanager
def _reachable(root: Path) -> Iterator[str]:
    """The wake-up socket by a path that is short enough for a socket address (108 bytes), wherever the journal lies."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/.wake"
    finally:
        os.close(handle)


def heartbeat(root: Path) -> float | None:
    """Seconds since the watchdog of this journal was last seen alive; None when there is none. Judged by its beat, not by its pid."""
    try:
        beat = json.loads((root / ".watchdog").read_bytes())
        if processes.same(int(beat["pid"]), str(beat["born"])) is None:
            return None
        return processes.boot_clock() - float(beat["at"])
    except (OSError, ValueError, KeyError, GamedayError):
        return None


def homes() -> set[Path]:
    """The homes whose faults are watched on this machine now, whoever's they are: a watchdog's argv names its own."""
    found = set()
    for each in Path("/proc").glob("[0-9]*"):
        argv = processes.argv(int(each.name))
        if "activities.watchdog" in argv[:-1]:
            found.add(Path(argv[argv.index("activities.watchdog") + 1]))
    return found


def beats(root: Path) -> bool:
    """Whether the watchdog of this journal watches: alive, and seen within `SILENT` seconds."""
    age = heartbeat(root)
    return age is not None and age < SILENT


def ensure(home: Path) -> None:
    """Starts a watchdog for the journal under `home`, detached, unless one is alive. Returns once it beats.

    Raises:
        GamedayError: none came up.
    """
    root = home / "journal"
    if beats(root):
        return
    _end_frozen(root)
    middle = os.posix_spawn(sys.executable, [*bare_python("activities.watchdog"), str(home), "--detach"], bare_environment())
    os.waitpid(middle, 0)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if beats(root):
            return
        time.sleep(0.01)
    raise GamedayError(f"the watchdog of {root} did not start; expected a beat within 10 s. See {root / '.watchdog.log'}")


def _end_frozen(root: Path) -> None:
    """A watchdog that does not beat watches nothing, and keeps another from starting: it is judged by its beat, and ended."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        beat = json.loads((root / ".watchdog").read_bytes())
        if processes.boot_clock() - float(beat["at"]) > SILENT:
            processes.send(int(beat["pid"]), str(beat["born"]), signal.SIGKILL)


def dismiss(root: Path) -> None:
    """Tells the watchdog that it may leave: it does once nothing is live."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        beat = json.loads((root / ".watchdog").read_bytes())
        processes.send(int(beat["pid"]), str(beat["born"]), signal.SIGTERM)


def main(home: Path, detach: bool) -> None:
    """Runs until there is nothing to watch."""
    journal = Journal.at(home)
    if detach:
        _detach(journal.root)
    lock = os.open(journal.root / ".watchdog.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another one watches this journal
    _spare_me()
    leave: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: leave.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _watch(Watchdog(journal, lock), leave)


def _watch(watchdog: Watchdog, leave: list[int]) -> None:
    root = watchdog.journal.root
    me = {"pid": os.getpid(), "born": processes.born(os.getpid())}
    idle_since = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.settimeout(BEAT)
        with _reachable(root) as path:
            (root / ".wake").unlink(missing_ok=True)
            wake.bind(path)
        while _is_ours(root, watchdog.lock):
            live = 1
            with contextlib.suppress(OSError):
                live = watchdog.look()
            with contextlib.suppress(OSError):  # on a full disk it watches on, though nobody can see its beat
                durable.write(root / ".watchdog", json.dumps({**me, "at": processes.boot_clock()}).encode(), durable=False)
            if live:
                idle_since = time.monotonic()
            elif leave or time.monotonic() - idle_since > IDLE:
                return
            with contextlib.suppress(TimeoutError, InterruptedError):
                wake.recv(16)


def _is_ours(root: Path, lock: int) -> bool:
    """Whether the journal is still the one we were started for, and not deleted or another in its place."""
    try:
        return os.path.samestat((root / ".watchdog.lock").stat(), os.fstat(lock))
    except OSError:
        return False


def _detach(root: Path) -> None:
    """A daemon: a session of its own, no terminal, no parent, no open files but its log. Source: daemon(7)."""
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(root / ".watchdog.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    os.closerange(3, 256)


def _spare_me() -> None:
    """The last one that the kernel should kill for memory; only root may ask for that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-900")


if __name__ == "__main__":
    main(Path(sys.argv[1]), detach="--detach" in sys.argv[2:])
