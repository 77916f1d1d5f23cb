"""`process`: a process on the machine that the conductor runs on. For one on another machine, ask what it serves, by `http` or `openmetrics`.

    {process: {pid_file: /run/ledger.pid}}                          running: 1 or 0
    {process: {name: postgres, measure: memory}}                    bytes, of all processes of that name together

A name is that of the command or of its program's file, as in a fault's target. With both `pid_file` and `name`, the process of the pid
file must bear the name too: a pid is given to others once its process has ended.

- `running`: the share that is alive and neither stopped nor a zombie; 0 when there is none. A paused process serves nobody.
- `stopped`: the share that is paused (SIGSTOP, or held by a debugger); 0 when there is none. So paused is told from gone.
- `cpu`: processor time over time passed since the reading before; 1 is one core kept busy, so that it can exceed 1.
- `memory`: resident bytes. Pages that processes share count for each.
- `open_files`: open descriptors: files, sockets and pipes.

The last three are unknown when there is no such process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os.path
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, TypeVar

import psutil
from pydantic import StringConstraints, model_validator

from activities.probes.probe import Probe, Unknown
from activities.probes.reading.params import measured_as
from gameday.catalogue import ProbeParams
from gameday.model import ThingName
from gameday.units import Unit

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class Measure(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    CPU = "cpu"
    MEMORY = "memory"
    OPEN_FILES = "open_files"


_UNITS = {Measure.MEMORY: "B", Measure.OPEN_FILES: "count"}
_STOPPED = {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
_ENDED = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


class ProcessParams(ProbeParams):
    """Which process, and what to measure of it."""

    pid_file: Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]{1,400}$")] | None = None
    """The file that holds its pid, by its whole path."""
    name: ThingName | None = None
    """The name of its command, or of its program's file."""
    measure: Measure = Measure.RUNNING
    """`running` (1 or 0), `stopped` (1 while paused), `cpu` (1 is a core kept busy), `memory` in bytes, or `open_files`."""

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.pid_file is None and self.name is None:
            raise ValueError("no process is named; expected 'pid_file' or 'name'")
        return self

    def measured_in(self) -> Unit:
        return measured_as(self, _UNITS.get(self.measure, "ratio"))


class ProcessProbe(Probe[ProcessParams]):
    """Looks at a process of the conductor's own machine."""

    kind = "process"
    Params = ProcessParams

    def __init__(self, params: ProcessParams, http: httpx.AsyncClient) -> None:
        super().__init__(params, http)
        self._before: _Cpu | None = None

    async def sample(self) -> float:
        # In a thread: a process that is being torn down can hold whoever reads about it.
        return await asyncio.to_thread(self._sample)

    def _sample(self) -> float:
        try:
            alive = dict(_alive(self._found()))
            match self.params.measure:
                case Measure.RUNNING:
                    return _share(state not in _STOPPED for state in alive.values())
                case Measure.STOPPED:
                    return _share(state in _STOPPED for state in alive.values())
                case Measure.CPU:
                    return self._cpu(alive)
                case Measure.MEMORY:
                    return sum(self._each(alive, lambda process: float(process.memory_info().rss)))
                case Measure.OPEN_FILES:
                    return sum(self._each(alive, lambda process: float(process.num_fds())))
        except psutil.AccessDenied:
            raise Unknown("the process belongs to another user, and only that one may read this") from None

    def _each(self, alive: Iterable[psutil.Process], read: Callable[[psutil.Process], T]) -> list[T]:
        """A reading of each process that is still there."""
        readings = []
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                readings.append(read(process))
        if not readings:
            raise Unknown(f"there is no process {self.params.name or 'of this pid file'}")
        return readings

    def _cpu(self, alive: Iterable[psutil.Process]) -> float:
        spent = self._each(alive, lambda process: ((process.pid, process.create_time()), sum(process.cpu_times()[:2])))
        before, self._before = self._before, _Cpu(time.monotonic(), time.time(), dict(spent))
        if before is None or self._before.at <= before.at:
            raise Unknown("this needs two readings, and there is one")
        return sum(seconds - before.spent(*who, seconds) for who, seconds in spent) / (self._before.at - before.at)

    def _found(self) -> Iterator[psutil.Process]:
        name, pid_file = self.params.name, self.params.pid_file
        candidates = psutil.process_iter() if pid_file is None else _of_pid_file(Path(pid_file))
        return (process for process in candidates if name is None or name in _names(process))


@dataclass(frozen=True)
class _Cpu:
    """Processor seconds spent by each process (pid and start time), as of a moment of both clocks."""

    at: float
    wall: float
    seconds: dict[tuple[int, float], float]

    def spent(self, pid: int, born: float, now: float) -> float:
        """What a process had spent by then: nothing if it began since, all that it has `now` if it was merely not looked at."""
        return self.seconds.get((pid, born), 0.0 if born >= self.wall else now)


def _of_pid_file(path: Path) -> Iterator[psutil.Process]:
    """The process that the file names; none where there is no file, since services take it away when they end."""
    try:
        if path.exists() and not path.is_file():
            raise Unknown("the pid file is no file")
        pid = int(path.read_text()[:20])
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unknown(f"the pid file cannot be read: {error.strerror}") from None
    except ValueError:
        raise Unknown("the pid file holds no pid") from None
    with contextlib.suppress(psutil.NoSuchProcess, ValueError, OverflowError):
        yield psutil.Process(pid)


def _names(process: psutil.Process) -> set[str]:
    """The command's name and that of its program's file; none when it has ended meanwhile."""
    try:
        return {process.name(), os.path.basename(next(iter(process.cmdline()), ""))}  # noqa: PTH119  # a name, not a path
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()


def _alive(found: Iterable[psutil.Process]) -> Iterator[tuple[psutil.Process, str]]:
    """Processes with their states, without those that have ended, zombies too."""
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            state = process.status()
            if state not in _ENDED:
                yield process, state


def _share(true: Iterable[bool]) -> float:
    each = list(true)
    return sum(each) / len(each) if each else 0.0
