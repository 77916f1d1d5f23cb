"""The agent's activities: finding targets, putting faults on, taking them off."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, TypeVar

from temporalio import activity

from activities import halted, protection, watchdog
from activities.credentials import Credential, too_short
from activities.failures import as_application_error
from activities.injectors.injector import Host, Injector
from activities.journal import Journal
from activities.operators import Operators
from activities.radius import elsewhere
from activities.steps.dry_run import DryRun
from activities.steps.step import Step, to_json
from activities.targets import resolve
from gameday.errors import GamedayError, NotReverted, Refused
from gameday.fault import FaultOrder, FaultStatus, ResolvedTarget
from gameday.halt import Halt
from gameday.orders import FaultQuestion, HostHalted, Resolution, ResolveOrder, RevertOrder, RevertResult
from gameday.settings import Settings, load_settings

HALT_PATIENCE = timedelta(seconds=20)
"""How long a halt goes on with what cannot be proven gone before it says so; the watchdog and the keeper go on for ever."""
T = TypeVar("T")
Revert = Callable[[Mapping[str, str]], Coroutine[Any, Any, list[dict[str, Any]]]]
"""Takes faults off, each for its reason; the status of each."""


@dataclass
class HostActivities:
    """What one host does for a day. Faults are put on and taken off by operations in processes of their own."""

    settings: Settings
    journal: Journal
    injectors: dict[str, type[Injector[Any]]]
    operators: Operators
    temporal: str = ""
    """The Temporal that it is told by, as `host:port`."""
    credentials: tuple[Credential, ...] = ()
    """Of its own connection to Temporal."""
    armed: Callable[[str], None] = field(default=lambda _: None)
    """Called with the id of a fault that is being put on, so that the keeper looks after it."""

    @property
    def host(self) -> Host:
        needed = (self.temporal.rpartition(":")[0].strip("[]"),) if self.temporal else ()
        servers = (self.temporal,) if self.temporal else ()
        return Host(self.settings.host, self.settings.here(), self.settings.commands, self.settings.home, needed, servers)

    def injecting(self) -> list[Callable[..., Any]]:
        """`<kind>.inject` for every kind, `fault.inject` for sealed scenarios, and `host.resolve`."""
        return [self.resolve, *(self._injecting(kind) for kind in [*self.injectors, "fault"])]

    def reverting(self) -> list[Callable[..., Any]]:
        """`<kind>.revert` for every kind, `fault.revert`, and `host.revert` for all faults of a run at once."""
        kinds = [self._reverting(kind, self.operators.revert) for kind in [*self.injectors, "fault"]]
        return [*kinds, self._reverting("host", self.operators.revert_together), self.halt]

    @activity.defn(name="host.halt")
    async def halt(self, order: Halt) -> HostHalted:
        """The lever has been pulled: the refusal first, then everything off that is on here, whosever it is."""
        problems = []
        try:
            await asyncio.to_thread(halted.halt, self.journal.root, order)
        except OSError as error:  # a full disk lets no inject begin either
            problems.append(f"the refusal could not be written ({error.strerror or error})")
        live = [entry.fault_id for entry in await asyncio.to_thread(self.journal.live)]
        result = await self._revert(RevertOrder(faults=tuple(live), reason=order.said, patience=HALT_PATIENCE), self.operators.revert)
        problems += [problem for status in result.statuses for problem in status.problems]
        return HostHalted(statuses=result.statuses, problems=tuple(problems))

    def _injecting(self, kind: str) -> Callable[..., Any]:
        @activity.defn(name=f"{kind}.inject")
        async def inject(order: FaultOrder) -> FaultStatus:
            return await _beating(self._inject(order))

        return inject

    def _reverting(self, kind: str, revert_with: Revert) -> Callable[..., Any]:
        @activity.defn(name=f"{kind}.revert")
        async def revert(order: RevertOrder) -> RevertResult:
            return await self._revert(order, revert_with)

        return revert

    @activity.defn(name="host.resolve")
    async def resolve(self, order: ResolveOrder) -> Resolution:
        """Finds each fault's target, and what stands in its way, without changing anything."""
        try:
            halted.refuse(self.journal.root)
            self._read_settings_again()
            strange = elsewhere(order.environment, [self.host.name], self.settings)
        except GamedayError as error:
            return self._answer([None for _ in order.faults], [f"{self.host.name}: {error}"])
        if strange:
            return self._answer([None for _ in order.faults], strange)
        targets: list[ResolvedTarget | None] = []
        problems = list(too_short(self.host.name, self.credentials, order.until))
        for question in order.faults:
            target, problem = await asyncio.to_thread(self._resolve, question, order)
            targets.append(target)
            problems += problem
        return self._answer(targets, problems)

    @staticmethod
    def _answer(targets: Sequence[ResolvedTarget | None], problems: Sequence[str]) -> Resolution:
        return Resolution(targets=tuple(targets), problems=tuple(problems), clock=datetime.now(UTC), version=f"gameday {version('gameday')}")

    def _read_settings_again(self) -> None:
        """What is on this host and what its operator allows may have changed since the agent started; `validate` reads the new one too."""
        now = load_settings()
        self.settings = self.settings.model_copy(update={"hosts": now.hosts, "commands": now.commands, "environment": now.environment})

    def _resolve(self, question: FaultQuestion, order: ResolveOrder) -> tuple[ResolvedTarget | None, list[str]]:
        cls = self.injectors.get(question.kind)
        if cls is None:
            return None, [f"{question.name}: the agent of {self.host.name} knows no injector {question.kind!r}; use the same gameday everywhere"]
        try:
            target = resolve(question.on, self.host.name, self.host.settings)
            injector, params = cls(), cls.Params.model_validate(question.params)
            here = self.host
            needed, servers = (*here.needed, *order.needed), (*here.servers, *order.sources)
            host = dataclasses.replace(here, needed=needed, servers=servers, until=order.until)
            problems = [*protection.refuses(target, host, cls.opted_in), *injector.preflight(params, target, host)]
            label = f"{'dry run: ' if question.dry else ''}{injector.label(params, target)}"
            target = target.model_copy(update={"label": label[:200]})
            if not problems and not question.dry:
                steps = injector.steps(params, target, self.host)
                knobs = tuple(knob for step in steps for knob in step.knobs())
                target = target.model_copy(update={"digest": _digest(steps), "knobs": knobs})
        except GamedayError as error:
            return None, [f"{question.name}: {error}"]
        return target, [f"{question.name}: {problem}" for problem in problems]

    def _ended(self, faults: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the journal says of those that are off and proven already: no operation is needed for them."""
        entries = [self.journal.find(fault_id) for fault_id in faults]
        return {entry.fault_id: entry.tombstone for entry in entries if entry is not None and entry.tombstone}

    async def _inject(self, order: FaultOrder) -> FaultStatus:
        try:
            cls = self.injectors[order.kind]
            await asyncio.to_thread(self._refuse_kept, order, cls.opted_in)
            steps = (self._instead(order),) if order.dry else cls().steps(cls.Params.model_validate(order.params), order.target, self.host)
            if order.target.digest and order.target.digest != _digest(steps):
                raise Refused(
                    f"{order.target.label}: this host's settings have changed since its targets were found; that was not approved. Begin again"
                )
            await asyncio.to_thread(watchdog.ensure, self.settings.home)
            self.armed(order.fault_id)
            request = {"op": "inject", "order": _order(order), "steps": [to_json(step) for step in steps]}
            answer = await self.operators.perform(request)
        except GamedayError as error:
            raise as_application_error(error) from error
        return FaultStatus.model_validate(answer["status"])

    def _refuse_kept(self, order: FaultOrder, opted_in: bool) -> None:
        """Raises Refused for what the operator keeps from this fault by now, whatever was so when its target was found."""
        self._read_settings_again()
        kept = elsewhere(order.environment, [self.host.name], self.settings) if order.environment else []
        kept += protection.refuses(order.target, self.host, opted_in)
        if kept:
            raise Refused("; ".join(kept))

    def _instead(self, order: FaultOrder) -> Step:
        """What stands for a fault in a dry run: everything goes its way, and nothing is changed."""
        return DryRun(str(self.settings.home.absolute() / "dry" / order.fault_id), order.momentary)

    async def _revert(self, order: RevertOrder, revert_with: Revert) -> RevertResult:
        """Until all are proven gone or the patience is over; the heartbeat says that it goes on."""
        deadline = asyncio.get_running_loop().time() + order.patience.total_seconds()
        pause = 0.2
        while True:
            found = await asyncio.to_thread(self._ended, order.faults)
            left = {fault_id: order.reason for fault_id in order.faults if fault_id not in found}
            try:
                answer = await _beating(revert_with(left)) if left else []
            except GamedayError as error:
                raise as_application_error(error) from error
            found |= {status["fault_id"]: status for status in answer}
            statuses = tuple(FaultStatus.model_validate(found[fault_id]) for fault_id in order.faults)
            unproven = [problem for status in statuses for problem in status.problems]
            if not unproven:
                return RevertResult(statuses=statuses)
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3.0)
        if order.forever:
            raise as_application_error(NotReverted("; ".join(unproven)[:900]))
        return RevertResult(statuses=statuses)


def _digest(steps: Sequence[Step]) -> str:
    """Of all that would be done to a target: what go approved is that, and nothing else."""
    return hashlib.sha256(json.dumps([to_json(step) for step in steps], sort_keys=True).encode()).hexdigest()


async def _beating(work: Coroutine[Any, Any, T]) -> T:
    """Work with a heartbeat beside it, so that an agent that dies is missed soon: an operation may wait long, behind others on the same fault."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be there any more to hear it
    while not task.done():
        activity.heartbeat()
        await asyncio.wait({task}, timeout=2.0)
    return task.result()


def _order(order: FaultOrder) -> dict[str, Any]:
    """The part of an order that the journal keeps."""
    return {
        "fault_id": order.fault_id,
        "run_id": order.run_id,
        "name": order.name,
        "kind": order.kind,
        "label": order.target.label,
        "lease": order.lease.total_seconds(),
        "cap": order.cap.total_seconds(),
        "momentary": order.momentary,
        "quiet": order.sealed,
    }
