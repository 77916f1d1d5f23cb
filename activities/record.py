"""The conductor's own activities: recording, choosing hosts, judging a scenario."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from temporalio import activity

from activities.credentials import Credential, too_short
from activities.radius import Lives, Pools, elsewhere, too_much
from activities.recorder import Recorder
from gameday.nearest import hint
from gameday.orders import Analysis, AnalyzeOrder, FaultQuestion, Selection, SelectOrder, WriteOrder
from gameday.playbook import Target
from gameday.predictions import measure
from gameday.settings import Settings
from gameday.verdicts import judge, scenario_outcome


@dataclass
class Records:
    """Writing and judging the record."""

    recorder: Recorder

    @activity.defn(name="record.write")
    async def write(self, order: WriteOrder) -> None:
        await self.recorder.events(order.events, order.plan)

    @activity.defn(name="analyze")
    async def analyze(self, order: AnalyzeOrder) -> Analysis:
        await self.recorder.written(10.0, order.run_id)
        return await asyncio.to_thread(self._analyze, order)

    def _analyze(self, order: AnalyzeOrder) -> Analysis:
        record = self.recorder.store.read(order.run_id)
        return Analysis(
            judgements=judge(record, order.scenario),
            outcome=scenario_outcome(record, order.scenario),
            measured=measure(record, order.scenario),
        )


@dataclass
class Targets:
    """Choosing hosts for faults: by name, or among candidates from the inventory in the settings."""

    settings: Settings
    versions: Callable[[], Awaitable[Mapping[str, str]]]
    """Of what conducts the run, for its record."""
    lives: Lives
    credentials: tuple[Credential, ...] = ()
    """Of the conductor's own connection to Temporal."""

    @activity.defn(name="targets.select")
    async def select(self, order: SelectOrder) -> Selection:
        dice = random.Random(order.seed)  # noqa: S311  # a choice to be repeated from the recorded seed, not a secret
        chosen, problems = [], []
        for fault in order.faults:
            hosts, problem = self._hosts(fault, dice)
            chosen.append(hosts)
            problems += problem
        touched = {host for hosts in chosen for host in hosts}
        problems += elsewhere(order.environment, touched, self.settings)
        problems += too_short("the conductor", self.credentials, order.until)
        if not problems:
            problems += [each async for each in too_much(order, self._pools(order), touched, self.lives)]
        return Selection(hosts=tuple(chosen), problems=tuple(problems), versions=dict(await self.versions()), conductor=self.settings.host)

    def _hosts(self, fault: FaultQuestion, dice: random.Random) -> tuple[tuple[str, ...], list[str]]:
        if fault.on.host is not None:
            known = {self.settings.host, *self.settings.hosts}
            problems = (
                [] if fault.on.host in known else [f"{fault.name}: there is no host {fault.on.host!r} in the settings; {hint(fault.on.host, known)}"]
            )
            return (fault.on.host,), problems
        candidates = self._candidates(fault.on)
        if not candidates:
            return (), [f"{fault.name}: no host in the settings has {_labels(fault.on)}"]
        return tuple(sorted(dice.sample(candidates, _count(fault.on.count, len(candidates))))), []

    def _candidates(self, on: Target) -> list[str]:
        wanted = on.hosts or {}
        return sorted(name for name, host in self.settings.hosts.items() if wanted.items() <= host.labels.items())

    def _pools(self, order: SelectOrder) -> Pools:
        """The candidates that faults were asked of, each once."""
        return {_labels(fault.on): self._candidates(fault.on) for fault in order.faults if fault.on.hosts}


def _labels(on: Target) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted((on.hosts or {}).items()))


def _count(count: str | int | None, candidates: int) -> int:
    """How many of the candidates; a percentage is rounded down, and is at least one."""
    if count is None:
        return candidates
    if isinstance(count, int):
        return min(count, candidates)
    return max(candidates * int(count.rstrip("% ")) // 100, 1)
