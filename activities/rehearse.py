"""What a rehearsal tries without touching anything: probes, the alert source, and the guardrails on what has been."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from temporalio import activity

from activities.alerts import source_of
from activities.instruments import Kinds, instruments
from activities.probes.probe import Probe, Unknown
from activities.probes.reading.client import client
from activities.probes.reading.reach import Reach
from activities.store import RunStore
from gameday.backtest import Past, baseline_of, held, trips
from gameday.catalogue import ProbeParams
from gameday.language import Guardrail, Tolerance
from gameday.observation import Yardstick
from gameday.orders import Checked, RehearsalAnswer, RehearsalQuestion, Rehearsed, RehearseOrder
from gameday.units import Dimension, format_value, spoken

READINGS = 3
"""How often each probe is read at the least: a rate and a quantile need one before."""
PAUSE = 2.0
"""Seconds between two readings at the most."""
FINEST = timedelta(seconds=1)
"""The finest step of the past."""
TOO_FAR = 1000.0
"""How many times the other a reading and its bound may be, before it is asked whether one unit is another."""
MOST_POINTS = 200_000
"""Readings of one probe's past: two and a half days at one a second; a longer past is read at a coarser step."""
MISSING = 0.01
PAST_PATIENCE = 240.0
"""Seconds that the past of one probe may take."""


@dataclass
class Rehearsing:
    """The conductor's part of a rehearsal."""

    store: RunStore
    kinds: Kinds
    reach: Reach = field(default_factory=Reach)

    @activity.defn(name="rehearse")
    async def rehearse(self, order: RehearseOrder) -> Rehearsed:
        """Tries every probe, the alert source and the guardrails' past. Nothing raises: what cannot be done is a finding."""
        async with client(self.reach) as http:
            trial = Trial(order, instruments(order.probes, self.kinds, http, self.reach))
            beating = asyncio.create_task(_beat())
            try:
                findings = list(await asyncio.gather(*map(trial.reads, trial.probes)))
                findings += await trial.alerts(http)
                findings += [each async for each in trial.past()]
            finally:
                beating.cancel()
        return Rehearsed(findings=tuple(findings))

    @activity.defn(name="rehearsal.find")
    async def find(self, question: RehearsalQuestion) -> RehearsalAnswer:
        """When the playbook was rehearsed last, as it is now, and passed."""
        return RehearsalAnswer(at=await asyncio.to_thread(self.store.rehearsed, question.playbook, question.rehearsed_as))


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(2.0)


class Trial:
    """One rehearsal's probes."""

    def __init__(self, order: RehearseOrder, probes: Mapping[str, Probe[ProbeParams]]) -> None:
        self.order, self.probes, self.yardstick = order, probes, order.yardstick
        self.limit = order.sampling.timeout.total_seconds()

    async def reads(self, name: str) -> Checked:
        """Whether a probe answers, and whether what it says can be what it is said to be."""
        about, why, values = f"probe {name}", "", list[float]()
        for _ in range(READINGS):
            try:
                values.append(await asyncio.wait_for(self.probes[name].sample(), self.limit))
            except Exception as error:  # noqa: BLE001  # whatever a probe does is what the rehearsal finds
                why = self._why(error)
            await asyncio.sleep(min(self.order.sampling.every.total_seconds(), PAUSE))
        if not values:
            return _no(about, why)
        seen = format_value(values[-1], self.yardstick.unit(name))
        strange = self._strange(name, values[-1])
        if strange:
            return _no(about, f"reads {seen}: {strange}")
        doubts = [*self._doubts(name, values[-1])]
        missed = f", {READINGS - len(values)} of {READINGS} readings unknown ({why})" if len(values) < READINGS - 1 else ""
        return Checked(state="part" if doubts or missed else "ok", about=about, said="; ".join([f"reads {seen}{missed}", *doubts])[:600])

    def _strange(self, name: str, value: float) -> str:
        """Why this cannot be what the probe is said to measure; empty when it can."""
        dimension = self.yardstick.unit(name).dimension
        if dimension is Dimension.RATIO and not 0 <= value <= 1:
            return "a ratio is between 0 and 100 %; is its unit '%' rather than ratio, or is it a count?"
        return "a negative time, size or rate is none; look at its query and its unit" if value < 0 and dimension is not Dimension.COUNT else ""

    def _doubts(self, name: str, value: float) -> list[str]:
        """Bounds of a time that are so far from what is read that one of the two may be in another unit."""
        unit = self.yardstick.unit(name)
        if unit.dimension is not Dimension.TIME or not value:
            return []
        guards = [guard.tolerance for guard in self.yardstick.abort_when if guard.tolerance]
        mine = [each for each in (*self.yardstick.steady_state, *guards) if each.probe == name and not each.bound.times_baseline]
        limits = [(each, each.limit(unit, None)) for each in mine]
        far = [str(each) for each, limit in limits if limit and not 1 / TOO_FAR <= value / limit <= TOO_FAR]
        return [f"'{each}' is very far from that: are both in the unit that is meant?" for each in far]

    def _why(self, error: Exception) -> str:
        if isinstance(error, Unknown):
            return str(error)
        return f"no answer in {self.limit:g} s" if isinstance(error, TimeoutError) else f"it failed: {type(error).__name__}"

    async def alerts(self, http: httpx.AsyncClient) -> list[Checked]:
        if self.order.alerts is None:
            return []
        try:
            firing = await asyncio.wait_for(source_of(self.order.alerts, http).firing(), self.limit)
        except Exception as error:  # noqa: BLE001  # see above
            return [_no("alerts", self._why(error))]
        named = sorted(firing & self.order.named_alerts)
        if named:
            return [_no("alerts", f"{', '.join(named)} fires already: nobody could tell it from the drill")]
        return [Checked(state="ok", about="alerts", said=f"{len(firing)} firing, none of those that the day is to raise")]

    async def past(self) -> AsyncIterator[Checked]:
        """Every guardrail and every tolerance of the steady state, on what its probe would have read. One probe after the other: a past is large."""
        if not self.order.past:
            return
        finest = max(self.order.sampling.every, FINEST, self.order.past / MOST_POINTS)
        step = timedelta(seconds=math.ceil(finest.total_seconds()))
        end = datetime.now(UTC).replace(microsecond=0)
        for name, probe in self.probes.items():
            try:
                found = await asyncio.wait_for(probe.past(end - self.order.past, end, step), PAST_PATIENCE)
                past: Past | str = "its source keeps no past" if found is None else found or "nothing of that time is kept"
            except Exception as error:  # noqa: BLE001  # see above
                past = str(error) if isinstance(error, Unknown) else f"its past could not be read ({type(error).__name__})"
            for each in await asyncio.to_thread(self._judged, name, past, step):
                yield each

    def _judged(self, name: str, past: Past | str, step: timedelta) -> list[Checked]:
        rails = [each for each in self.yardstick.abort_when if each.probe == name]
        steady = [each for each in self.yardstick.steady_state if each.probe == name]
        if isinstance(past, str):
            return [
                _untried(f"{what} {each}", past) for what, each in [*(("guardrail", each) for each in rails), *(("steady", each) for each in steady)]
            ]
        yardstick = self.yardstick.model_copy(update={"baselines": (baseline_of(name, past),)})
        coarse = f", at a step of {spoken(step)}" if step > max(self.order.sampling.every, FINEST) else ""
        judged = [self._tripped(yardstick, each, past, step, coarse) for each in rails]
        return judged + [_held(yardstick, each, past, step, coarse) for each in steady]

    def _tripped(self, yardstick: Yardstick, guardrail: Guardrail, past: Past, step: timedelta, coarse: str) -> Checked:
        if guardrail.tolerance is None:
            return _untried(f"guardrail {guardrail}", "what was unknown is not kept")
        at = trips(yardstick, guardrail, past, step, self.order.planned_length).at
        last = f", the last time at {at[-1]:%Y-%m-%d %H:%M:%S} UTC" if at else ""
        said = f"would have tripped {_times(len(at))} in {_length(past)} without any fault{last}{_kept(past, step)}{coarse}"
        return Checked(state="part" if at else "ok", about=f"guardrail {guardrail}"[:200], said=said)


def _held(yardstick: Yardstick, tolerance: Tolerance, past: Past, step: timedelta, coarse: str) -> Checked:
    how = held(yardstick, tolerance, past, step)
    worst = f"; out of it for {spoken(how.longest)} at the longest" if how.longest else ""
    said = f"held {how.share:.1%} of {_length(past)}{worst}{_kept(past, step)}{coarse}"
    return Checked(state="ok" if how.share > 0.99 else "part", about=f"steady {tolerance}"[:200], said=said)


def _untried(about: str, why: str) -> Checked:
    return Checked(state="part", about=about[:200], said=f"not tried on the past: {why}"[:600])


def _kept(past: Past, step: timedelta) -> str:
    """How much of that time is not kept, where it is worth saying: what was unknown then would have counted as a breach in a live run."""
    share = 1 - len(past) / ((past[-1][0] - past[0][0]) / step + 1)
    return f"; of {share:.0%} of that time nothing is kept" if share > MISSING else ""


def _no(about: str, said: str) -> Checked:
    return Checked(state="no", about=about, said=said[:600] or "no answer")


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _length(past: Past) -> str:
    """How much of the past there was."""
    days = (past[-1][0] - past[0][0]) / timedelta(days=1)
    return "the last week" if days >= 6.9 else f"the last {days:.0f} days" if days >= 1.5 else f"the last {spoken(past[-1][0] - past[0][0])}"
