"""The observer's memory over a day of ticks: 86,400 of them, one after the other, in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil

from activities.observe import Bench, Progress, Watch
from activities.recorder import Recorder
from activities.store import RunStore
from benchmarks.table import Result, Row
from gameday.event import Event
from gameday.language import Guardrail, Tolerance
from gameday.limits import Sampling
from gameday.observation import ObserveOrder, Purpose, Steadiness, WatchState, Yardstick
from gameday.probe import Baseline, Sample

HOUR, DAY = 3600, 86_400
MOST_GROWTH_MB = 2.0
"""What may come and go with the allocator between the first hour and the whole day."""


class Nowhere(Recorder):
    """A recorder that counts what it is given, and keeps nothing."""

    def __init__(self) -> None:
        super().__init__(RunStore("sqlite://"), Path(tempfile.mkdtemp()))
        self.taken = 0

    async def seen(self, run_id: str, samples: Sequence[Sample], events: Sequence[Event] = ()) -> None:
        self.taken += len(samples) + len(events)


async def measure() -> Result:
    said = await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "benchmarks.observer"], capture_output=True, text=True, check=True)
    hour, whole = json.loads(said.stdout)
    grown = whole["rss"] - hour["rss"]
    row = Row(
        "observer, 24 h of ticks (3 probes, 3 guardrails, 1 a second)",
        f"Rss {grown:+.1f} MB, Python objects {whole['objects'] - hour['objects']:+.0f} KB since the 1st hour",
        f"heartbeat {hour['heartbeat']} B after 1 h, {whole['heartbeat']} B after 24 h; {whole['tick_us']:.0f} µs a tick with tracemalloc",
        f"flat: under {MOST_GROWTH_MB:g} MB",
        grown < MOST_GROWTH_MB,
    )
    return Result([row])


def _order() -> ObserveOrder:
    return ObserveOrder(
        run_id="bench",
        scenario=0,
        purpose=Purpose.WATCH,
        probes={},
        yardstick=Yardstick(
            units={"errors": "ratio", "latency": "s", "failed": "count"},
            baselines=(Baseline(probe="latency", median=0.1, known=30),),
            steady_state=(Tolerance.parse("errors < 1 %"), Tolerance.parse("latency < 1.5 x baseline")),
            abort_when=tuple(map(Guardrail.parse, ("errors > 5 % in 3 of 5 samples", "failed > 100000000 in total", "latency is unknown for 60s"))),
        ),
        sampling=Sampling(),
        duration=timedelta(days=2),
        state=WatchState(steadiness=Steadiness(needed=5)),
    )


def _tick(number: int, at: datetime) -> dict[str, Sample]:
    """Steady with a bad minute every hour, and an unknown sample now and then."""
    bad = number % HOUR < 60
    latency = Sample(probe="latency", at=at, value=0.1 + bad * 0.3)
    if number % 97 == 0:
        latency = Sample(probe="latency", at=at, unknown="no answer in 1 s")
    return {
        "errors": Sample(probe="errors", at=at, value=0.02 if bad else 0.001),
        "latency": latency,
        "failed": Sample(probe="failed", at=at, value=float(number)),
    }


async def _drive() -> list[dict[str, float]]:
    recorder = Nowhere()
    began = datetime.now(UTC)
    found = []
    order = _order()
    async with httpx.AsyncClient() as http:
        watch = Watch(order, Progress(began=began, state=order.state), Bench(http, {}, None), recorder, began)
        clock = time.monotonic()
        for number in range(DAY):
            at = began + timedelta(seconds=number)
            assert await watch.judge(at, _tick(number, at), frozenset()) is None
            beat = Progress(began=watch.began, state=watch.state).model_dump(mode="json")
            await watch.flush()  # as after every second
            if number + 1 in (HOUR, DAY):
                gc.collect()
                rss, objects = psutil.Process().memory_info().rss / 1e6, tracemalloc.get_traced_memory()[0] / 1e3
                tick_us = (time.monotonic() - clock) / (number + 1) * 1e6
                found.append({"rss": rss, "objects": objects, "heartbeat": len(json.dumps(beat)), "tick_us": tick_us})
    assert recorder.taken >= 3 * DAY, "every sample came to the recorder"
    return found


if __name__ == "__main__":
    tracemalloc.start()
    print(json.dumps(asyncio.run(_drive())))
