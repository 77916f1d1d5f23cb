"""From an abort to its revert: a whole day beside a bare Update, round by round on the same server."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.client import Client

from benchmarks.floor import QUEUE, Floor
from benchmarks.place import Proof, day, entries, proof, stages, warm_town
from benchmarks.table import Result, Row, percentile, spread
from gameday.commands import Command, Verb
from tests.rigs.town import ADA, ROOT, Town, begin
from worker import client as talking

ROUNDS = 30
MOST = 1.5
"""How many times the floor an abort may take."""
QUIET = 0.3
"""Seconds between the fault being on and the abort, so that both wait in peace."""


async def measure() -> Result:
    subject: list[tuple[float, Proof, dict[str, float]]] = []
    floor: list[tuple[float, float, dict[str, float]]] = []
    async with warm_town() as built:
        client = await built.client()
        with _floor_workers(built):
            for number in range(ROUNDS + 2):
                one, other = await _abort(built, client), await _touch(client, number)
                if number >= 2:  # two rounds to warm up
                    subject.append(one)
                    floor.append(other)
    control = [(ended.began - sent) * 1000 for sent, ended, _ in subject]
    bare = [(touched - sent) * 1000 for sent, touched, _ in floor]
    whole = [(ended.buried - sent) * 1000 for sent, ended, _ in subject]
    ratio = percentile(control, 0.95) / percentile(bare, 0.95)
    return Result(
        [
            Row(
                "abort sent → its revert begins and is then verified, the injector's own time excluded",
                spread(control),
                f"bare Update → activity on another worker: {spread(bare)}",
                f"p95 {ratio:.2f} x the floor's; at most {MOST} x",
                ratio <= MOST,
            ),
            Row("abort sent → verified and its tombstone on disk, everything included", spread(whole)),
        ],
        [
            f"injector's own time (undo, read-back, two fsyncs): {spread([ended.own * 1000 for _, ended, _ in subject])}",
            "of an abort, median ms from sending: " + _stages([(sent, {**at, **ended.stages()}) for sent, ended, at in subject]),
            "of the floor, median ms from sending: " + _stages([(sent, {**at, "activity begins": touched}) for sent, touched, at in floor]),
        ],
    )


def _stages(rounds: list[tuple[float, dict[str, float]]]) -> str:
    names = rounds[0][1]
    return ", ".join(f"{name} {statistics.median((at[name] - sent) * 1000 for sent, at in rounds if name in at):.0f}" for name in names)


async def _abort(built: Town, client: Client) -> tuple[float, Proof, dict[str, float]]:
    made = built.day(text=day([built.home / "sleeper.pid"], "60s"))
    handle = await begin(client, made)
    await built.until(lambda: bool(entries(built, made.run_id)), "the sleeper is frozen")
    (entry,) = entries(built, made.run_id)
    await asyncio.sleep(QUIET)
    command = Command(verb=Verb.ABORT, id=f"bench-{time.monotonic_ns()}", actor=ADA, reason="measured")
    sent = time.time()
    await talking.send(client, made.run_id, command)
    await built.until(lambda: entry.marked("tombstone"), "the fault is buried")
    await asyncio.wait_for(handle.result(), 60)
    assert (entry.tombstone or {}).get("outcome") == "reverted", entry.tombstone
    return sent, proof(entry), await stages(handle, "host.revert")


async def _touch(client: Client, number: int) -> tuple[float, float, dict[str, float]]:
    handle = await client.start_workflow(Floor.run, id=f"floor-{number}-{time.time_ns()}", task_queue=QUEUE)
    await asyncio.sleep(QUIET)
    sent = time.time()
    await handle.execute_update(Floor.abort, rpc_timeout=timedelta(seconds=20))
    return sent, await handle.result(), await stages(handle, "touch")


@contextmanager
def _floor_workers(built: Town) -> Iterator[None]:
    environment = {**os.environ, "TEMPORAL_ADDRESS": f"127.0.0.1:{built.port}", "GAMEDAY_HOME": str(built.home)}
    workers = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.floor", role], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL)
        for role in ("workflows", "activities")
    ]
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
