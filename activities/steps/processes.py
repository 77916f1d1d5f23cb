"""Which process is which. A pid alone is not an identity: it is reused. Pid, start time and boot are one. Source: proc(5)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gameday.errors import NotFound, NotReverted

_UNITS = (".service", ".scope", ".socket", ".slice")
"""What the name of a unit that has processes ends with; systemctl(1) takes a name without as that of a service."""
CGROUPS = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup"))
"""Where the cgroups of units are: on v1 (name=systemd), on v2."""


_EXITING = 0x4
"""PF_EXITING, of the kernel's sched.h."""
_KILL = 1 << (signal.SIGKILL - 1)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def time_namespace() -> str:
    """The time namespace: boot time and start times shift with it while the boot id does not."""
    try:
        return str(Path("/proc/self/ns/time").readlink())
    except OSError:
        return "none"


def boot_clock() -> float:
    """Seconds since boot, suspended time included. Wall clock changes do not move it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Life:
    """A process as it is now: state letter of proc(5), start time in clock ticks since boot, parent."""

    state: str
    start: int
    parent: int


def life(pid: int) -> Life | None:
    """The process with this pid, None when there is none or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    state = fields[0]
    return None if state in "ZX" else Life(state, int(fields[19]), int(fields[1]))


def born(pid: int) -> str:
    """The identity of a living process beside its pid: boot, time namespace and start time.

    Raises:
        NotFound: there is no such process.
    """
    alive = life(pid)
    if alive is None:
        raise NotFound(f"there is no process {pid}; expected a running one")
    return f"{boot_id()}/{time_namespace()}/{alive.start}"


def same(pid: int, identity: str) -> Life | None:
    """The process, if it is still the very one; None when it has gone, also when a successor has its pid.

    Raises:
        NotReverted: start times cannot be compared from here, since this is another time namespace.
    """
    boot, namespace, start = identity.rsplit("/", 2)
    if boot != boot_id():
        return None
    if namespace != time_namespace():
        raise NotReverted(f"process {pid} was seen from another time namespace ({namespace}); run the agent where it ran")
    alive = life(pid)
    return alive if alive is not None and alive.start == int(start) else None


def send(pid: int, identity: str, number: signal.Signals) -> bool:
    """Signals exactly this process, never a successor. Returns whether it was there."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if same(pid, identity) is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
            return True
        return False
    finally:
        os.close(handle)


def may_signal(pid: int) -> bool:
    """Whether this user may signal the process; also when it has gone."""
    try:
        os.kill(pid, 0)  # asks only: signal 0 is none
    except PermissionError:
        return False
    except ProcessLookupError:
        pass
    return True


def is_dying(pid: int) -> bool:
    """Whether a kill is on its way to the process, or it is ending already: it may still look alive. Source: proc(5), SigPnd, ShdPnd and flags."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        flags = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()[6])
        pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd:", "ShdPnd:"))]
    except (OSError, IndexError, ValueError):
        return False  # it has ended: `same` tells
    return bool(flags & _EXITING) or any(each & _KILL for each in pending)


def command_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "?"


def argv(pid: int) -> list[str]:
    """How the process was started; empty when it has gone or is none of a program."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def find(pid_file: str | None = None, name: str | None = None, unit: str | None = None) -> list[int]:
    """The pids of a process by its pid file, its name (comm, or the base name of its program), or its systemd unit."""
    if pid_file is not None:
        try:
            pids = [int(Path(pid_file).read_text().split()[0])]
        except (OSError, ValueError, IndexError):
            return []
    elif unit is not None:
        pids = _unit(unit)
    else:
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdecimal() and name in _names(int(entry))]
    return sorted(pid for pid in pids if life(pid) is not None)


def _names(pid: int) -> set[str]:
    words = argv(pid)
    return {command_name(pid), os.path.basename(words[0])} if words else set()  # noqa: PTH119  # a name, not a path


def _unit(unit: str) -> list[int]:
    """Members of a system unit's cgroup and of those below it, in whatever slice it is. Sources: systemd.unit(5), systemd.slice(5).

    Slices only are looked through: a user's own systemd, or one in a container, may have units of the same name.
    """
    wanted = unit if unit.endswith(_UNITS) else f"{unit}.service"
    for root in CGROUPS:
        members = [pid for slice_ in _slices(root) for pid in _members(slice_ / wanted)]
        if members:
            return members
    return []


def _slices(root: Path) -> Iterator[Path]:
    yield root
    for below in sorted(root.glob("*.slice")):
        if below.name != "user.slice":
            yield from _slices(below)


def _members(group: Path) -> Iterator[int]:
    for listed in [group / "cgroup.procs", *sorted(group.glob("**/*/cgroup.procs"))]:
        with contextlib.suppress(OSError):  # it has gone meanwhile, or there is none
            yield from map(int, listed.read_text().split())


def ancestors() -> set[int]:
    """This process and all that it descends from."""
    chain, pid = set(), os.getpid()
    while pid > 0 and pid not in chain:
        chain.add(pid)
        alive = life(pid)
        pid = alive.parent if alive else 0
    return chain
