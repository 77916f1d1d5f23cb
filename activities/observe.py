"""The observer: one heartbeating activity a phase. Every probe each tick, concurrently; judged at once; written in batches."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.alerts import AlertSource, source_of
from activities.instruments import Kinds, instruments
from activities.presence import Roll
from activities.probes.probe import Probe, Unknown
from activities.probes.reading.client import client
from activities.probes.reading.reach import Reach
from activities.recorder import Recorder
from gameday.catalogue import ProbeParams
from gameday.event import Event, EventKind, event_id
from gameday.model import Model, one_line
from gameday.observation import Breach, ObserveOrder, ObserveResult, Purpose, Steadiness, Verdict, WatchState
from gameday.probe import Baseline, Sample

BEAT = 2.0
"""Seconds between two signs of life, beside those of each tick."""
FLUSH_EVERY = 1.0
"""Seconds between two batches of samples written."""
KEPT = 600.0
"""Seconds that the instruments of a run are kept after their last use."""
ON_ITS_WAY = timedelta(seconds=3)
"""How long after its order a watch may begin and still be in time; later, nobody watched until then."""
LONG_GAP = 100_000
"""The most unknown samples that one gap is written as: more than a day of one probe a second."""


log = logging.getLogger(__name__)


class Progress(Model):
    """What travels in heartbeats, so that another worker goes on where this one stopped."""

    began: datetime
    state: WatchState


@dataclass
class Bench:
    """The instruments of one run. They are kept from phase to phase, since a rate needs the reading before."""

    http: httpx.AsyncClient
    probes: dict[str, Probe[ProbeParams]]
    alerts: AlertSource | None
    read_at: float = 0.0
    """When they were read last (monotonic): after a pause, as at a gate, a rate has no reading before to go by."""
    used: float = field(default_factory=time.monotonic)


class Observer:
    """The `observe` activity, with what it needs injected."""

    def __init__(self, recorder: Recorder, probes: Kinds, reach: Reach | None = None) -> None:
        self._recorder, self._kinds, self._reach = recorder, probes, reach or Reach()
        self._benches: dict[str, Bench] = {}

    @activity.defn(name="observe")
    async def observe(self, order: ObserveOrder) -> ObserveResult:
        """Samples until something decides or the time is over; returns why, and what it knows."""
        details = activity.info().heartbeat_details
        progress = Progress.model_validate(details[0]) if details else Progress(began=datetime.now(UTC), state=order.state)
        since = progress.began if details else _ordered_at(order)
        try:
            bench = await self._bench(order)
        except (KeyError, ValueError) as error:
            raise ApplicationError(f"this conductor cannot read the probes: {error}; use the same gameday everywhere", non_retryable=True) from error
        watch = Watch(order, progress, bench, self._recorder, since)
        beating = asyncio.create_task(watch.beat())
        calling = asyncio.create_task(watch.roll.call()) if watch.roll else None
        try:
            return await watch.run()
        except Exception as error:
            log.exception("the observer of %s failed", order.run_id)
            raise ApplicationError(f"the observer failed: {type(error).__name__}: {error}"[:500], non_retryable=True) from error
        except asyncio.CancelledError:
            cancelled = activity.cancellation_details()
            if cancelled is None or not cancelled.cancel_requested:
                raise  # its worker stops, or it is taken for lost: another goes on
            return watch.result("recalled")
        finally:
            beating.cancel()
            if calling:
                calling.cancel()
            bench.used = time.monotonic()
            await watch.flush()

    async def _bench(self, order: ObserveOrder) -> Bench:
        for run_id, old in list(self._benches.items()):
            if time.monotonic() - old.used > KEPT and run_id != order.run_id:
                del self._benches[run_id]
                await old.http.aclose()
        if order.run_id not in self._benches:
            http = client(self._reach)
            probes = instruments(order.probes, self._kinds, http, self._reach)
            self._benches[order.run_id] = Bench(http, probes, source_of(order.alerts, http) if order.alerts else None)
        bench = self._benches[order.run_id]
        bench.used = time.monotonic() + order.duration.total_seconds()
        return bench

    async def close(self) -> None:
        for bench in self._benches.values():
            await bench.http.aclose()
        self._benches.clear()


def _ordered_at(order: ObserveOrder) -> datetime:
    """Since when nobody has watched, where no earlier attempt left word: the worker that took the order may have died. A baseline begins anew."""
    info, now = activity.info(), datetime.now(UTC)
    waited = info.started_time - info.scheduled_time  # by one clock, the server's
    return now if waited <= ON_ITS_WAY or order.purpose is Purpose.BASELINE else now - waited


class Watch:
    """One phase under observation."""

    def __init__(self, order: ObserveOrder, progress: Progress, bench: Bench, recorder: Recorder, since: datetime) -> None:
        self.order, self.bench, self.recorder, self.since = order, bench, recorder, since
        self.probes, self.alerts = bench.probes, bench.alerts
        self.began, self.state = progress.began, progress.state
        self.every = order.sampling.every
        self.pending: list[Sample] = []
        self.baseline: list[Sample] = []
        self.seen: Verdict | None = None
        self.what = ""
        self.standing = ""
        """A guardrail that holds while nothing is on: no fault is put on what should be stopped already."""
        self.flushed = time.monotonic()
        self.alerts_unknown = False
        self.roll = Roll(recorder.store, order.run_id, order.attendance) if order.attendance else None

    async def run(self) -> ObserveResult:
        result = await self.admit_gap()
        if result is None and time.monotonic() - self.bench.read_at > 3 * self.every.total_seconds():
            await self.read_all(datetime.now(UTC))  # not a sample: the reading before the first one
            await asyncio.sleep(self.every.total_seconds())
        while result is None:
            began = time.monotonic()
            at = datetime.now(UTC)
            tick, firing = await asyncio.gather(self.read_all(at), self.read_alerts())
            self.bench.read_at = time.monotonic()
            result = await self.judge(at, tick, firing)
            activity.heartbeat(Progress(began=self.began, state=self.state).model_dump(mode="json"))
            if result is None:
                await self.flush_now_and_then()
                await asyncio.sleep(max(self.every.total_seconds() - (time.monotonic() - began), 0.0))
        return result

    async def beat(self) -> None:
        """Says that the watch goes on, also where one tick takes longer than Temporal has patience."""
        while True:
            activity.heartbeat(Progress(began=self.began, state=self.state).model_dump(mode="json"))
            await asyncio.sleep(BEAT)

    async def read_all(self, at: datetime) -> dict[str, Sample]:
        names = list(self.probes)
        read = await asyncio.gather(*(self.read(name, at) for name in names))
        return dict(zip(names, read, strict=True))

    async def read(self, name: str, at: datetime) -> Sample:
        """One sample, or why there is none. Whatever a probe does, the others and the tick go on."""
        began = time.monotonic()
        limit = self.order.sampling.timeout.total_seconds()
        try:
            return Sample.read(name, at, await asyncio.wait_for(self.probes[name].sample(), limit), _since(began))
        except Unknown as unknown:
            return Sample(probe=name, at=at, unknown=one_line(str(unknown), 300) if str(unknown) else "no reason given", took_ms=_since(began))
        except TimeoutError:
            return Sample(probe=name, at=at, unknown=f"no answer in {limit:g} s", took_ms=_since(began))
        except Exception as error:  # noqa: BLE001  # a probe's own mistake is an unknown, not the end of the watch
            return Sample(probe=name, at=at, unknown=f"the probe failed: {type(error).__name__}", took_ms=_since(began))

    async def read_alerts(self) -> frozenset[str] | None:
        if self.alerts is None:
            return None
        try:
            return await asyncio.wait_for(self.alerts.firing(), self.order.sampling.timeout.total_seconds())
        except Exception as error:  # noqa: BLE001  # whatever the source does, the tick goes on, and it is told once
            why = str(error) if isinstance(error, Unknown) else "no answer" if isinstance(error, TimeoutError) else type(error).__name__
            if not self.alerts_unknown:
                await self.tell(EventKind.OBSERVER_GAP, datetime.now(UTC), reason=f"alerts cannot be read: {why}"[:300], alerts="unread")
            self.alerts_unknown = True
            return None

    async def judge(self, at: datetime, tick: dict[str, Sample], firing: frozenset[str] | None) -> ObserveResult | None:
        """The state after a tick; a result when something decides."""
        yardstick, order = self.order.yardstick, self.order
        self.pending += tick.values()
        calibrating = order.purpose is Purpose.BASELINE
        before = self.state.steadiness
        self.state, breach = yardstick.advance(self.state, at, tick, only_absolute=calibrating)
        verdict, tolerance = yardstick.steady(tick, only_absolute=calibrating)
        if verdict is not Verdict.GOOD and tolerance is not None:
            sample = tick.get(tolerance.probe)
            seen = sample.unknown if sample and sample.value is None else yardstick.show(tolerance.probe, sample.value if sample else None)
            self.what = f"{tolerance}, and it is {'' if sample and sample.value is not None else 'not known: '}{seen}"
        fresh = await self.heed_alerts(at, firing)
        if breach is not None and order.purpose in (Purpose.BASELINE, Purpose.CHECK):
            self.standing = f"the guardrail '{breach.guardrail}' holds already, and nothing has been put on: {breach.seen}"
        if calibrating:
            self.baseline += tick.values()
            return self.calibrated(at)
        if order.purpose is Purpose.WATCH:
            return await self.watched(at, tick, breach, before, fresh)
        if order.purpose is Purpose.CHECK and self.standing:
            return self.result("over", self.standing).model_copy(update={"steady": False})
        steadiness = self.state.steadiness
        if steadiness.steady and steadiness.row_began is not None and at - steadiness.row_began >= order.steady_for:
            return self.result("steady")
        return self.result("over", self.what) if at - self.began >= order.duration else None

    def calibrated(self, at: datetime) -> ObserveResult | None:
        sampling = self.order.sampling
        enough = len(self.baseline) >= sampling.baseline_samples * max(len(self.probes), 1)
        if at - self.began < sampling.baseline or not enough:
            return None
        baselines = tuple(Baseline.of(name, self.baseline) for name in self.probes)
        needed = min(self.order.sampling.steady_samples, max(len(self.baseline) // max(len(self.probes), 1), 1))
        steady = not self.standing and (not self.order.yardstick.steady_state or self.state.steadiness.row >= needed)
        return ObserveResult(ended="over", what="" if steady else self.standing or self.what, baselines=baselines, steady=steady, state=self.state)

    async def watched(self, at: datetime, tick: Mapping[str, Sample], breach: Breach | None, before: Steadiness, fresh: bool) -> ObserveResult | None:
        """Findings while a fault may be on: told when they begin, and returned when somebody waits for them."""
        steadiness, order = self.state.steadiness, self.order
        if before.whole and not steadiness.whole and order.yardstick.steady_state:
            await self.tell(EventKind.STEADY_LOST, at, what=self.what)
        if not before.whole and steadiness.whole:
            await self.tell(EventKind.STEADY_BACK, at, samples=steadiness.needed, since=_iso(steadiness.back_at))
        if breach is not None:
            return self.result("breach", breach=breach)
        if self.state.unknown_since is not None and at - self.state.unknown_since >= order.sampling.unknown_for:
            unknown = ", ".join(name for name, sample in tick.items() if sample.value is None)
            return self.result("blind", f"{unknown}: unknown for {order.sampling.unknown_for.total_seconds():g} s")
        if "mitigated" in order.return_on and steadiness.back_at is not None and order.yardstick.steady_state:
            return self.result("mitigated", found_at=steadiness.bad_at)
        if "detected" in order.return_on and fresh:
            return self.result("detected", found_at=at)
        if self.roll is not None and (self.roll.was_asked_for or self.roll.is_over(at)):
            return self.result("present" if self.roll.was_asked_for else "alone")
        return self.result("over") if at - self.began >= order.duration else None

    async def heed_alerts(self, at: datetime, firing: frozenset[str] | None) -> bool:
        """Tells alerts that began or ended. Returns whether one that the playbook names has begun."""
        if firing is None:
            return False
        if self.alerts_unknown:
            await self.tell(EventKind.OBSERVER_GAP, at, reason="alerts can be read again", alerts="read")
        self.alerts_unknown = False
        before = frozenset(self.state.firing)
        for name in sorted(firing - before):
            expected, early = name in self.order.named_alerts, self.order.purpose in (Purpose.BASELINE, Purpose.CHECK)
            kind = "expected" if expected else "unrelated" if early else "unexpected"
            await self.tell(EventKind.ALERT_FIRING, at, alert=name, expected=expected, **{"class": kind})
        for name in sorted(before - firing):
            await self.tell(EventKind.ALERT_RESOLVED, at, alert=name)
        self.state = self.state.model_copy(update={"firing": tuple(sorted(firing))})
        return bool((firing - before) & self.order.named_alerts)

    async def admit_gap(self) -> ObserveResult | None:
        """After an interruption: the ticks that nobody watched are unknown, never a line drawn across. A result when that was too long."""
        last, now = self.state.last_tick or self.since, datetime.now(UTC)
        if now - last < 3 * self.every:
            return None
        reason = f"nobody watched for {(now - last).total_seconds():.0f} s"
        missed = min(int((now - last) / self.every) - 1, LONG_GAP // max(len(self.probes), 1))
        self.pending += [Sample(probe=name, at=last + self.every * (place + 1), unknown=reason) for place in range(missed) for name in self.probes]
        before = self.state.steadiness
        self.state = self.state.model_copy(update={"steadiness": before.after(last + self.every, Verdict.UNKNOWN)})
        await self.tell(EventKind.OBSERVER_GAP, now, seconds=round((now - last).total_seconds(), 1), reason=reason)
        if self.order.purpose is not Purpose.WATCH:
            return None
        if before.whole and self.order.yardstick.steady_state:
            await self.tell(EventKind.STEADY_LOST, last + self.every, what=reason)
        breach = self.order.yardstick.unwatched(self.state, last + self.every, now, reason)
        if breach is not None:
            return self.result("breach", breach=breach)
        self.state = self.state.model_copy(update={"unknown_since": self.state.unknown_since or last + self.every})
        return self.result("blind", reason) if now - last >= self.order.sampling.unknown_for else None

    def result(self, ended: str, what: str = "", breach: Breach | None = None, found_at: datetime | None = None) -> ObserveResult:
        steady, roll = self.state.steadiness.steady, self.roll
        who, when = (roll.name, roll.at) if roll else (None, None)
        return ObserveResult(
            ended=ended, what=what[:500], found_at=found_at, breach=breach, present=who, present_at=when, steady=steady, state=self.state
        )

    async def tell(self, kind: EventKind, at: datetime, **data: object) -> None:
        order = self.order
        identity = event_id(order.run_id, kind, order.scenario, order.purpose, at.isoformat(), data.get("alert", ""))
        event = {"id": identity, "run_id": order.run_id, "at": at, "kind": kind, "scenario": order.scenario, "data": data}
        await self.recorder.seen(order.run_id, (), [Event.model_validate(event)])

    async def flush_now_and_then(self) -> None:
        if time.monotonic() - self.flushed >= FLUSH_EVERY:
            await self.flush()

    async def flush(self) -> None:
        """Everything that was sampled is with the recorder when this returns."""
        batch, self.pending, self.flushed = self.pending, [], time.monotonic()
        if batch:
            await self.recorder.seen(self.order.run_id, batch)


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
