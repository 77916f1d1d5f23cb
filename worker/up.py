"""`gameday up`: Temporal, conductor and agent as one tree of supervised processes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from temporalio.service import RPCError

from activities import durable
from activities.journal import Journal
from activities.steps import processes
from gameday.errors import Refused, Unavailable
from gameday.settings import Settings
from worker import connection, temporal_server
from worker.connection import FOR_EVER
from worker.tether import tethered

RESTART_AFTER = 0.3
"""Seconds before a child that died is started again; doubled each time, up to 5 s."""
IDLE_EVERY, IDLE_LOOKS = 5.0, 4
"""A tree that was brought up for one run leaves after this many looks, this many seconds apart, that found no open run."""
STOP_PATIENCE = 40.0
"""Seconds that a child gets to stop in order: an agent reverts first."""


@dataclass
class Child:
    """One supervised process: started again whenever it ends, until it is told to stop."""

    name: str
    argv: list[str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    stopping: bool = False

    async def keep(self, said: Callable[[str], None]) -> None:
        pause = RESTART_AFTER
        while not self.stopping:
            try:
                with self.log.open("ab") as log:
                    self.process = await asyncio.create_subprocess_exec(
                        *tethered(self.argv), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                    )
            except OSError as error:
                said(f"{self.name} cannot be started now ({error}); it is tried again")
                await asyncio.sleep(5.0)
                continue
            if self.stopping:  # it was told to while this one was being started
                self.process.terminate()
            code = await self.process.wait()
            if not self.stopping:
                said(f"{self.name} ended (exit {code}) and is started again; its log: {self.log}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def stop(self) -> None:
        self.stopping = True
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_PATIENCE)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Up:
    """The tree under one home. One at a time: a second is refused, and told where the first is."""

    def __init__(self, settings: Settings, said: Callable[[str], None], ui_port: int | None = None, leave_when_idle: bool = False) -> None:
        self.settings, self.said = settings, said
        self.home = settings.home
        (self.home / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port, self.ui_port = temporal_server.free_port(), ui_port or temporal_server.free_port()
        self.leave_when_idle = leave_when_idle
        self.children: list[Child] = []
        self.keeping: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Brings everything up, and holds it until SIGTERM or Ctrl-C.

        Raises:
            Refused: another is up under this home.
            Unavailable: something did not come up.
        """
        with self._alone():
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            try:
                await self._start()
                if self.leave_when_idle:
                    idle = asyncio.create_task(self._watch_idleness(stop))
                await stop.wait()
                if self.leave_when_idle:
                    idle.cancel()
                self.said("stopping: taking everything off first")
            finally:
                await self._stop()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self.home / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            up = connection.embedded(self.home)
            where = f" at {up.address} (pid {up.pid})" if up else ""
            raise Refused(f"gameday is up already under {self.home}{where}; use it, or stop it first") from None
        try:
            yield
        finally:
            (self.home / connection.UP_FILE).unlink(missing_ok=True)
            os.close(handle)

    async def _start(self) -> None:
        if not connection.configured():
            self._add("temporal", self._server())
            up: dict[str, str | int] = {"address": f"127.0.0.1:{self.port}", "ui": f"http://127.0.0.1:{self.ui_port}"}
            up |= {"pid": os.getpid(), "born": processes.born(os.getpid())}
            await self._answers()
            durable.write(self.home / connection.UP_FILE, json.dumps(up).encode(), durable=False)
        command = [sys.executable, "-P", "-m", "gameday"]
        self._add("worker", [*command, "worker"])
        self._add("agent", [*command, "agent"])

    def _server(self) -> list[str]:
        program = temporal_server.binary(self.settings)
        if program is not None:
            return temporal_server.command(program, self.home / "temporal.db", self.port, self.ui_port)
        return [sys.executable, "-P", "-m", "gameday", "server", f"--port={self.port}", f"--ui-port={self.ui_port}"]

    async def _answers(self) -> None:
        for _ in range(600):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise Unavailable(f"the Temporal server did not come up within 30 s; its log: {self.home / 'logs' / 'temporal.log'}")

    async def _watch_idleness(self, stop: asyncio.Event) -> None:
        """Whoever brought this up for one run may be gone without a word: then it leaves once no run is open."""
        client = await connection.connect(self.home, FOR_EVER)
        idle = 0
        while idle < IDLE_LOOKS:
            await asyncio.sleep(IDLE_EVERY)
            try:
                count = await client.count_workflows("ExecutionStatus = 'Running'")
            except RPCError:
                continue
            idle = idle + 1 if count.count == 0 else 0
        stop.set()

    def _add(self, name: str, argv: list[str]) -> None:
        child = Child(name, argv, self.home / "logs" / f"{name}.log")
        self.children.append(child)
        self.keeping.append(asyncio.create_task(child.keep(self.said)))

    async def _stop(self) -> None:
        """The agent first, which reverts; Temporal last, so that all can still be told."""
        for child in reversed(self.children):
            await child.stop()
        await asyncio.gather(*self.keeping, return_exceptions=True)

    def left(self) -> int:
        """How many faults are not proven gone on this machine."""
        return len(Journal.at(self.home).live())
