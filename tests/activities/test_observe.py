"""The observer as Temporal runs it: in its own activity environment, with probes that misbehave."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.observe import Observer
from activities.probes.probe import Probe, Unknown
from activities.recorder import Recorder
from activities.store import RunStore
from gameday.catalogue import ProbeParams
from gameday.event import EventKind
from gameday.language import Guardrail, Tolerance
from gameday.limits import Sampling
from gameday.observation import ObserveOrder, ObserveResult, Purpose, Steadiness, WatchState, Yardstick
from gameday.plan import Plan


class Told(Probe[ProbeParams]):
    """Says what the test tells it to."""

    kind = "told"
    Params = ProbeParams
    says: ClassVar[Callable[[], Any]] = staticmethod(lambda: 1.0)

    async def sample(self) -> float:
        found = type(self).says()
        return await found if asyncio.iscoroutine(found) else found  # type: ignore[no-any-return]  # whatever the test wants


class Good(Probe[ProbeParams]):
    kind = "good"
    Params = ProbeParams

    async def sample(self) -> float:
        return 1.0


class Bench:
    """An observer with a recorder, and what it wrote."""

    def __init__(self, store: RunStore, plan: Plan, spool: Path) -> None:
        self.store, self.plan, self.recorder = store, plan, Recorder(store, spool)
        store.open(plan)
        self.observer = Observer(self.recorder, {"told": Told, "good": Good})
        self.environment = ActivityEnvironment()
        self.beats: list[Any] = []
        self.environment.on_heartbeat = lambda *details: self.beats.append(details)

    def order(
        self, state: WatchState | None = None, guarded: bool = False, duration: float = 0.6, sampling: dict[str, Any] | None = None, **more: Any
    ) -> ObserveOrder:
        return ObserveOrder(
            run_id=self.plan.run_id,
            scenario=0,
            purpose=Purpose.WATCH,
            probes={"told": {"told": {}}, "good": {"good": {}}},
            yardstick=Yardstick(
                units={"told": "count", "good": "count"},
                steady_state=(Tolerance.parse("told > 0"),),
                abort_when=(Guardrail.parse("told > 5 in 2 of 3 samples"),) if guarded else (),
            ),
            sampling=Sampling.model_validate({"every": "100ms", "timeout": "100ms", "unknown_for": "10s", **(sampling or {})}),
            duration=timedelta(seconds=duration),
            state=state or WatchState(steadiness=Steadiness(needed=2)),
        )

    async def watch(self, order: ObserveOrder) -> ObserveResult:
        try:
            return await self.environment.run(self.observer.observe, order)  # type: ignore[no-any-return]  # as the activity says
        finally:
            running = asyncio.create_task(self.recorder.run())
            await self.recorder.written(10)
            running.cancel()

    @property
    def record(self) -> Any:
        return self.store.read(self.plan.run_id)


@pytest.fixture
def bench(store: RunStore, made: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(Told, "says", staticmethod(lambda: 1.0))
    return Bench(store, made, tmp_path / "spool")


def says(monkeypatch: pytest.MonkeyPatch, what: Callable[[], Any]) -> None:
    monkeypatch.setattr(Told, "says", staticmethod(what))


def raising(error: Exception) -> Callable[[], Any]:
    def say() -> Any:
        raise error

    return say


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda: asyncio.sleep(60), "no answer in 0.1 s"),
        (raising(Unknown("several series")), "several series"),
        (raising(ZeroDivisionError()), "the probe failed: ZeroDivisionError"),
        (lambda: float("nan"), ""),
        (lambda: None, "the probe failed: TypeError"),
        (lambda: "much", "the probe failed"),
    ],
)
async def test_a_probe_that_misbehaves_is_unknown_and_the_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, what: Callable[[], Any], why: str
) -> None:
    says(monkeypatch, what)
    result = await bench.watch(bench.order())
    samples = bench.record.samples
    assert result.ended == "over"
    assert {each.value for each in samples if each.probe == "good"} == {1.0}
    assert all(each.value is None and why in each.unknown for each in samples if each.probe == "told")


async def test_it_beats_while_one_tick_takes_longer_than_temporal_has_patience(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, lambda: asyncio.sleep(4, 1.0))
    watching = asyncio.create_task(bench.watch(bench.order(duration=3, sampling={"timeout": "10s"})))
    await asyncio.sleep(3)
    assert len(bench.beats) >= 2
    await watching


async def test_unknown_for_too_long_is_blind(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, raising(Unknown("down")))
    result = await bench.watch(bench.order(duration=60, sampling={"unknown_for": "300ms"}))
    assert (result.ended, result.what) == ("blind", "told: unknown for 0.3 s")


async def test_each_loss_of_steady_state_is_told_and_each_return(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    says(monkeypatch, lambda: next(values, 1.0))
    await bench.watch(bench.order(duration=1.0))
    kinds = [event.kind for event in bench.record.events]
    assert kinds == [EventKind.STEADY_LOST, EventKind.STEADY_BACK] * 2


async def test_a_breach_is_proven_by_every_sample_of_its_window(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([1.0, 1.0, 7.0, 1.0, 8.0])
    says(monkeypatch, lambda: next(values))
    result = await bench.watch(bench.order(duration=60, guarded=True))
    assert result.ended == "breach" and result.breach is not None
    assert [each.value for each in result.breach.samples] == [7.0, 8.0]


async def test_who_takes_over_admits_the_gap_and_goes_on_with_the_totals(bench: Bench) -> None:
    """The state of the one before travels in heartbeats: totals go on, and the ticks that nobody watched are unknown."""
    first = await bench.watch(bench.order())
    last = first.state.last_tick
    assert last is not None
    earlier = first.state.model_copy(update={"last_tick": last - timedelta(seconds=30)})
    second = await bench.watch(bench.order(state=earlier, sampling={"unknown_for": "60s"}))
    unknown = [each for each in bench.record.samples if each.unknown and "nobody watched for" in each.unknown]
    assert 290 <= sum(each.probe == "told" for each in unknown) <= 330
    assert second.state.totals["told"].last == first.state.totals["told"].last
    assert bench.record.first(EventKind.OBSERVER_GAP).data["seconds"] >= 30


@pytest.mark.parametrize("late", [True, False], ids=["its first worker died", "in time"])
async def test_who_begins_late_admits_that_nobody_watched_since_the_order(bench: Bench, late: bool) -> None:
    """A worker that dies before its first sign of life leaves no word of when it began."""
    info = bench.environment.info
    bench.environment.info = dataclasses.replace(info, started_time=info.scheduled_time + timedelta(seconds=8 if late else 0.1))
    await bench.watch(bench.order())
    gaps = list(bench.record.of(EventKind.OBSERVER_GAP))
    assert [float(gap.text("seconds")) >= 8 for gap in gaps] == ([True] if late else [])
    assert [event.text("what") for event in bench.record.of(EventKind.STEADY_LOST)] == [gap.text("reason") for gap in gaps]
    unknown = [sample for sample in bench.record.samples if sample.value is None]
    assert 2 * 79 <= len(unknown) <= 2 * 100 if late else not unknown


@pytest.mark.parametrize(("rails", "ended"), [((), "blind"), (("told > 5 for 20s",), "breach"), (("told is unknown for 20s",), "breach")])
async def test_a_gap_that_is_too_long_ends_the_day(bench: Bench, rails: tuple[str, ...], ended: str) -> None:
    """Nobody watched: that is unknown, and unknown is not healthy."""
    last = datetime.now(UTC) - timedelta(seconds=30)
    order = bench.order(state=WatchState(steadiness=Steadiness(needed=2), last_tick=last))
    yardstick = order.yardstick.model_copy(update={"abort_when": tuple(map(Guardrail.parse, rails))})
    result = await bench.watch(order.model_copy(update={"yardstick": yardstick}))
    assert result.ended == ended
    assert "nobody watched for 30 s" in (result.breach.seen if result.breach else result.what)


async def test_a_gap_breaks_no_guardrail_that_counts_samples(bench: Bench) -> None:
    last = datetime.now(UTC) - timedelta(seconds=5)
    state = WatchState(steadiness=Steadiness(needed=2), last_tick=last)
    assert (await bench.watch(bench.order(state=state, guarded=True))).ended == "over"


async def test_recalled_it_brings_home_what_it_knows(bench: Bench) -> None:
    watching = asyncio.create_task(bench.watch(bench.order(duration=60)))
    await asyncio.sleep(0.5)
    bench.environment.cancel(ActivityCancellationDetails(cancel_requested=True))
    result = await watching
    assert result.ended == "recalled" and result.state.last_tick is not None


async def test_a_worker_that_stops_recalls_nobody(bench: Bench) -> None:
    watching = asyncio.create_task(bench.watch(bench.order(duration=60)))
    await asyncio.sleep(0.3)
    bench.environment.cancel(ActivityCancellationDetails(worker_shutdown=True))
    with pytest.raises(asyncio.CancelledError):
        await watching


async def test_a_kind_that_this_conductor_does_not_know_is_said_once_and_not_retried(bench: Bench) -> None:
    order = bench.order().model_copy(update={"probes": {"told": {"nonesuch": {}}}})
    with pytest.raises(ApplicationError, match="use the same gameday everywhere") as raised:
        await bench.watch(order)
    assert raised.value.non_retryable


async def test_a_full_disk_does_not_stop_the_watch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen is kept in memory until it can be written; a guardrail still aborts."""
    from activities import durable

    says(monkeypatch, lambda: 9.0)
    write = durable.write
    monkeypatch.setattr(durable, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    result = await bench.environment.run(bench.observer.observe, bench.order(duration=60, guarded=True))
    assert result.ended == "breach"
    monkeypatch.setattr(durable, "write", write)
    running = asyncio.create_task(bench.recorder.run())
    for _ in range(500):
        await asyncio.sleep(0.02)
        if bench.record.samples:
            break
    running.cancel()
    assert {each.value for each in bench.record.samples if each.probe == "told"} == {9.0}
