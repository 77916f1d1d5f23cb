"""The soak: days with several faults, during which processes are killed, frozen, started again or cut off at random; after each, nothing is left.

    .venv/bin/python -m tests.rigs.soak --rounds 200 [--seed TEXT]      (`make soak`)

Every round is made from its seed alone, which is printed: `--seed SEED --rounds 1` plays it again. A failed round says what was done to whom.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from temporalio.service import RPCError

from activities import watchdog
from gameday.commands import Verb
from gameday.errors import GamedayError
from gameday.fault import LEASE
from gameday.orders import DayResult
from tests.rigs.town import Town
from worker import client as talking

GRACE = timedelta(seconds=5)
SETTLES = 90.0
"""Seconds after the healing within which a day has ended, with its report."""
PEOPLE = ("worker", "agent", "temporal")
DAY = """
name: soak
objective: Is anything left?
sampling: {every: 200ms, timeout: 500ms, baseline: 200ms, baseline_samples: 1, steady_samples: 2}
probes: {up: {process: {pid_file: FIRST}}}
steady_state: ['up > 0 %']
abort_when: ['up is unknown for 120s']
gates: {inject: off}
scenarios:
  - title: Three at once
    hypothesis: Nothing is left
    faults:
      - {name: first, inject: process.pause, on: {host: local, pid_file: FIRST}, for: 60s}
      - {name: second, inject: process.pause, on: {host: local, pid_file: SECOND}, for: 60s}
      - {name: flipped, inject: command, with: {name: flip}, for: 60s}
    afterwards: {steady_for: 0s, recover_within: 5s}
"""


class Relay:
    """The wire between the agent and Temporal, which can be cut: what is sent meanwhile arrives nowhere, and nobody is told."""

    def __init__(self, there: int) -> None:
        self.there, self.is_cut = there, False
        self.open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self.is_cut = True

    def mend(self) -> None:
        """Connections that lost something are of no use any more."""
        self.is_cut = False
        for writer in self.open:
            writer.close()

    async def close(self) -> None:
        self.mend()
        self.server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.there)
        except OSError:
            writer.close()
            return
        mine = {writer, back}
        self.open |= mine
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        for each in mine:
            each.close()
        self.open -= mine

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not self.is_cut:
                target.write(data)
                await target.drain()
        target.close()


@dataclass
class Soak:
    """One town that goes through all rounds, and its three targets."""

    place: Town
    relay: Relay
    second: subprocess.Popen[bytes]
    done: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def start(self, name: str) -> None:
        address = self.relay.port if name == "agent" else self.place.port
        self.place.environment["TEMPORAL_ADDRESS"] = f"127.0.0.1:{address}"
        self.place.start(name)

    def look(self) -> tuple[str, ...]:
        """The targets as they are: whether each runs, and since when; and what is in the folder."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in (self.place.sleeper.pid, self.second.pid)]
        states = [f"{'stopped' if stat[0] == 'T' else 'running'} since {stat[19]}" for stat in stats]
        return (*states, *sorted(path.name for path in (self.place.home / "state").iterdir()))

    def pid(self, who: str) -> int | None:
        if who != "watchdog":
            process = self.place.processes[who]
            return process.pid if process.poll() is None else None
        if watchdog.heartbeat(self.place.journal.root) is None:
            return None
        return int(json.loads((self.place.journal.root / ".watchdog").read_bytes())["pid"])

    def strike(self, dice: random.Random) -> None:
        """One thing that happens to somebody."""
        what = dice.choice(["kill", "kill", "freeze", "restart", "cut"])
        who = dice.choice(["worker", "agent", "watchdog", "temporal"])
        pid = self.pid(who)
        self.done.append(f"{what} {'the wire' if what == 'cut' else who}")
        self.tally[what] += 1
        if what == "cut":
            self.relay.cut()
        elif pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP if what == "freeze" else signal.SIGKILL)
            if what == "restart" and who != "watchdog":
                self.place.processes[who].wait()
                self.start(who)

    async def heal(self) -> None:
        """Whoever is frozen goes on, whoever is dead is started again, the wire is mended."""
        self.relay.mend()
        for who in (*PEOPLE, "watchdog"):
            pid = self.pid(who)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(0.1)
        for who in ("temporal", "worker", "agent"):
            if self.pid(who) is None:
                self.start(who)
        await self.place.serve()

    async def round(self, seed: str) -> None:
        """One day.

        Raises:
            AssertionError: something is left, or was left for too long; the message says what was done.
        """
        dice, before = random.Random(seed), self.look()  # to be played again, not a secret
        self.done.clear()
        text = DAY.replace("FIRST", str(self.place.home / "sleeper.pid")).replace("SECOND", str(self.place.home / "second.pid"))
        handle = await self.place.begin(self.place.day(text=text))
        await asyncio.sleep(dice.uniform(0.0, 3.0))  # also before, and while, they are put on
        for _ in range(dice.randint(1, 4)):
            self.strike(dice)
            await asyncio.sleep(dice.choice([0.0, 0.3, dice.uniform(0.0, 2.0)]))
        if dice.random() < 0.2:
            self.done.append("and nobody came for longer than a lease")
            await asyncio.sleep((LEASE + GRACE).total_seconds() + 1)
            self.nothing_outlived_its_watchdog(before)
        await self.heal()
        healed = time.monotonic()
        with contextlib.suppress(GamedayError):  # it may be over already
            await self.place.tell(handle, Verb.ABORT, reason="the soak's round is over")
        limit = (LEASE + GRACE).total_seconds()
        while self.look() != before or self.place.journal.live():
            assert time.monotonic() - healed < limit, f"left {limit:g} s after all was healed: {self.look()}, {self.place.journal.live()}"
            await asyncio.sleep(0.05)
        self.slowest = max(self.slowest, time.monotonic() - healed)
        result = await self.result(handle.id)
        assert Path(result.report).is_file() and result.outcome != "dirty", f"{result}"
        assert self.look() == before and not self.place.journal.live(), "it was put on again"

    def nothing_outlived_its_watchdog(self, before: tuple[str, ...]) -> None:
        """Nobody has healed anything yet: where a watchdog was left alive and awake, and nobody could renew, the leases have ended everything."""
        struck = {each.split()[-1] for each in self.done}
        came_back = any(each.startswith("restart") for each in self.done)
        if struck & {"worker", "temporal", "wire"} and not struck & {"agent", "watchdog"} and not came_back:
            assert self.look() == before and not self.place.journal.live(), f"left after a lease, with its watchdog alive: {self.look()}"

    async def result(self, run_id: str) -> DayResult:
        """Of the day: by whatever connection is there now."""
        deadline = time.monotonic() + SETTLES
        while True:
            try:
                handle = (await self.place.client()).get_workflow_handle(run_id, result_type=DayResult)
                return await asyncio.wait_for(talking.outcome(handle, run_id), deadline - time.monotonic())
            except RPCError:
                assert time.monotonic() < deadline, "Temporal never told how the day ended"
                await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def soaking(home: Path) -> AsyncIterator[Soak]:
    place = Town(home)
    relay = Relay(place.port)
    second = _sleeper(home / "second.pid")
    state = home / "state"
    state.mkdir()
    on = str(state / "on")
    flip = {"do": ["touch", on], "undo": ["rm", "-f", on], "check": ["test", "-e", on]}
    (home / "settings.toml").write_text("[commands.flip]\n" + "".join(f"{name} = {json.dumps(argv)}\n" for name, argv in flip.items()))
    place.environment["GAMEDAY_SETTINGS"] = str(home / "settings.toml")
    try:
        await relay.start()
        built = Soak(place, relay, second)
        for name in ("temporal", "worker", "agent"):
            built.start(name)
        await place.serve()
        yield built
    finally:
        relay.mend()
        await asyncio.to_thread(place.close)
        second.kill()
        second.wait()
        await relay.close()


def _sleeper(pid_file: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["sleep", "1000000"], start_new_session=True)
    pid_file.write_text(str(process.pid))
    return process


async def soak(home: Path, rounds: int, seed: str) -> tuple[str, Soak]:
    """Plays rounds. Returns what came of them, in a line, and the soak.

    Raises:
        AssertionError: of the first round that left something, with its seed.
    """
    async with soaking(home) as built:
        for number in range(rounds):
            mine = seed if rounds == 1 else f"{seed}.{number}"
            try:
                await built.round(mine)
            except AssertionError as error:
                raise AssertionError(f"the round of the seed {mine} ({', '.join(built.done)}): {error}") from error
            print(f"{mine:<14} {', '.join(built.done)}: nothing left", flush=True)
        strikes = ", ".join(f"{count} x {what}" for what, count in sorted(built.tally.items()))
        said = f"soak of {rounds} rounds, seed {seed}: 0 leftovers ({strikes}); slowest {built.slowest:.1f} s from healed to clean"
        return said, built


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", default=secrets.token_hex(3))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gameday-soak-") as folder:
        said, _ = asyncio.run(soak(Path(folder) / "home", options.rounds, options.seed))
    print(said)


if __name__ == "__main__":
    main()
