"""What the day asks of the world: activities by name, each with its time limits and retries at the call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, TimeoutError, TimeoutType

with workflow.unsafe.imports_passed_through():
    from gameday import by_hand
    from gameday.by_hand import PLACE
    from gameday.fault import FaultOrder, ResolvedTarget, fault_id
    from gameday.limits import BlastRadius, Gate
    from gameday.model import Model
    from gameday.observation import PATIENCE, Attendance, ObserveOrder, ObserveResult, Purpose
    from gameday.orders import (
        Analysis,
        AnalyzeOrder,
        Checked,
        FaultQuestion,
        RehearsalAnswer,
        RehearsalQuestion,
        Rehearsed,
        RehearseOrder,
        ReportOrder,
        ReportResult,
        Resolution,
        ResolveOrder,
        RevertOrder,
        RevertResult,
        Selection,
        SelectOrder,
    )
    from gameday.plan import Plan
    from gameday.playbook import Fault as FaultSpec
    from gameday.playbook import Scenario
    from gameday.queues import CONDUCTOR_QUEUE, host_queue, revert_queue
    from workflows.scenario import LiveFault, Now
    from workflows.shield import reason_of

T = TypeVar("T")
LONGEST = timedelta(days=7)
"""The longest time that the language knows."""
QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2), maximum_attempts=5)


@dataclass
class Found:
    """The targets of a scenario as orders ready to be given, or what stands in the way."""

    orders: list[tuple[FaultSpec, FaultOrder]]
    problems: list[str]
    offsets: list[tuple[str, float]]
    versions: dict[str, str]


async def targets(plan: Plan, scenario: Scenario, index: int, seed: int) -> Found:
    """Chooses hosts and finds the targets on them, once."""
    hosted = [fault for fault in scenario.faults if plan.errand(index, fault) is None]
    questions = tuple(
        FaultQuestion(name=fault.name, kind=fault.inject, params=fault.with_, on=fault.on, dry=plan.is_dry(index, fault.name)) for fault in hosted
    )
    playbook = plan.playbook
    until = _latest(plan, scenario)
    asked = SelectOrder(faults=questions, seed=seed, radius=playbook.blast_radius, environment=playbook.environment, until=until)
    selection = await _select(asked)
    found = Found([], list(selection.problems), [], dict(selection.versions))
    if found.problems:
        return found
    by_host: dict[str, list[int]] = {}
    for position, hosts in enumerate(selection.hosts):
        for host in hosts:
            by_host.setdefault(host, []).append(position)
    needed = {selection.conductor: playbook.asked()}  # the probes are read from there
    orders = [
        ResolveOrder(
            host=host,
            faults=tuple(questions[each] for each in mine),
            needed=needed.get(host, ()),
            sources=playbook.sources() if host == selection.conductor else (),
            environment=playbook.environment,
            until=until,
        )
        for host, mine in by_host.items()
    ]
    answers = await asyncio.gather(*(_resolve(order, found) for order in orders))
    for mine, answer in zip(by_host.values(), answers, strict=True):
        for position, target in zip(mine, answer, strict=False):
            if target is not None:
                found.orders.append((hosted[position], _order(plan, index, scenario, hosted[position], target)))
    found.orders += _by_hand(plan, scenario, index)
    found.problems += _outside(playbook.blast_radius, scenario, found.orders)
    return found


def _by_hand(plan: Plan, scenario: Scenario, index: int) -> Iterator[tuple[FaultSpec, FaultOrder]]:
    """The orders of what is asked of people: there is no host to be found for them."""
    for fault in scenario.faults:
        errand = plan.errand(index, fault)
        if errand is not None:
            dry = "dry run: " if plan.is_dry(index, fault.name) else ""
            target = ResolvedTarget(host=PLACE, thing=fault.name, label=f"{dry}{by_hand.label(errand)}"[:200])
            yield fault, _order(plan, index, scenario, fault, target).model_copy(update={"errand": errand})


def _latest(plan: Plan, scenario: Scenario) -> datetime:
    """When the last fault of a scenario may be off at the latest: its go may come as late as the gate waits."""
    gate = plan.playbook.gates.inject
    waits = gate.timeout if isinstance(gate, Gate) else timedelta(0)
    return workflow.now() + waits + max(end for _, end in scenario.spans().values()) + plan.lease


def _outside(radius: BlastRadius, scenario: Scenario, orders: Sequence[tuple[FaultSpec, FaultOrder]]) -> Iterator[str]:
    """How what was found is more than the blast radius allows: what labels choose is known only now."""
    if len(orders) > radius.max_targets:
        yield f"{len(orders)} targets, and the blast radius allows {radius.max_targets}"
    if radius.hosts is not None:
        yield from (
            f"{order.name}: {order.target.host} is outside the blast radius"
            for _, order in orders
            if order.target.host not in radius.hosts and not order.errand
        )
    spans = scenario.spans()
    mine = [spans[spec.name] for spec, _ in orders]
    together = max((sum(start <= begin < end for start, end in mine) for begin, _ in mine), default=0)
    yield from _clashes(scenario, orders)
    if together > radius.max_concurrent:
        yield f"{together} faults would be on at the same time, and the blast radius allows {radius.max_concurrent}"


def _clashes(scenario: Scenario, orders: Sequence[tuple[FaultSpec, FaultOrder]]) -> Iterator[str]:
    """Faults that would turn one knob of one target at the same time: each captures how it was before, so the second could not be taken back."""
    spans = scenario.spans()
    for place, (spec, order) in enumerate(orders):
        for _, other in orders[:place]:
            (start, end), (begin, over) = spans[spec.name], spans[other.name]
            if start < over and begin < end and order.target.host == other.target.host and set(order.target.knobs) & set(other.target.knobs):
                yield f"{other.name} and {order.name} would be on {order.target.label} at the same time; let one come `after` the other"


async def _select(order: SelectOrder) -> Selection:
    try:
        return await _conductor("targets.select", order, Selection, 10, in_all=None)
    except ActivityError as error:
        return Selection(problems=(reason_of(error),))


async def _resolve(order: ResolveOrder, found: Found) -> Sequence[ResolvedTarget | None]:
    host, asked = order.host, workflow.now()
    try:
        resolution: Resolution = await workflow.execute_activity(
            "host.resolve",
            order,
            result_type=Resolution,
            task_queue=host_queue(host),
            schedule_to_start_timeout=timedelta(seconds=10),
            start_to_close_timeout=timedelta(seconds=15),
            retry_policy=QUICK,
        )
    except ActivityError as error:
        silent = isinstance(error.cause, TimeoutError) and error.cause.type is TimeoutType.SCHEDULE_TO_START
        found.problems.append(f"no agent answers for the host {host}; start `gameday agent` there" if silent else f"{host}: {reason_of(error)}")
        return ()
    middle = asked + (workflow.now() - asked) / 2
    found.offsets.append((host, round((resolution.clock - middle) / timedelta(milliseconds=1), 1)))
    found.problems.extend(resolution.problems)
    if resolution.version:
        found.versions[f"agent of {host}"] = resolution.version
    return resolution.targets


def _order(plan: Plan, index: int, scenario: Scenario, fault: FaultSpec, target: ResolvedTarget) -> FaultOrder:
    return FaultOrder(
        fault_id=fault_id(plan.run_id, index, fault.name, f"{target.host}/{target.thing}"),
        run_id=plan.run_id,
        scenario=index,
        name=fault.name,
        kind=fault.inject,
        params=fault.with_,
        target=target,
        duration=fault.duration,
        lease=plan.lease,
        cap=min(max(plan.playbook.blast_radius.max_duration, fault.duration) + plan.lease, LONGEST),
        sealed=scenario.sealed,
        momentary=plan.is_momentary(index, fault.name),
        dry=plan.is_dry(index, fault.name),
        environment=plan.playbook.environment,
    )


async def observer(
    plan: Plan, now: Now, purpose: Purpose, length: timedelta, return_on: tuple[str, ...], attendance: Attendance | None = None
) -> ObserveResult:
    """Sends the observer out; it comes back when something decides, after `length`, or when it is recalled by a cancel."""
    order = ObserveOrder(
        run_id=plan.run_id,
        scenario=now.index,
        purpose=purpose,
        probes=plan.playbook.probes,
        yardstick=plan.yardstick(now.baselines),
        sampling=plan.playbook.sampling,
        alerts=plan.playbook.alerts,
        named_alerts=plan.named_alerts,
        duration=min(length, LONGEST),
        steady_for=timedelta(0) if purpose is Purpose.CHECK else now.scenario.afterwards.steady_for,
        state=now.state,
        return_on=return_on,
        attendance=attendance,
    )
    result: ObserveResult = await workflow.execute_activity(
        "observe",
        order,
        result_type=ObserveResult,
        task_queue=CONDUCTOR_QUEUE,
        start_to_close_timeout=length + timedelta(minutes=5),
        heartbeat_timeout=PATIENCE,
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2)),
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,  # it brings home what it has counted
    )
    return result


def reverts(faults: Iterable[LiveFault], reasons: Mapping[str, str]) -> list[workflow.ActivityHandle[RevertResult]]:
    """Schedules one revert a host and reason, for all of its faults at once."""
    by_host: dict[tuple[str, str], list[str]] = {}
    for fault in faults:
        by_host.setdefault((fault.order.target.host, reasons[fault.order.fault_id]), []).append(fault.order.fault_id)
    return [
        workflow.start_activity(
            "host.revert",
            RevertOrder(faults=tuple(mine), reason=reason),
            result_type=RevertResult,
            task_queue=revert_queue(host),
            schedule_to_start_timeout=timedelta(seconds=10),
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        for (host, reason), mine in by_host.items()
    ]


async def rehearse(plan: Plan) -> Sequence[Checked]:
    """Tries probes, alerts and the guardrails on the past."""
    found: Rehearsed = await workflow.execute_activity(
        "rehearse",
        RehearseOrder(
            run_id=plan.run_id,
            probes=plan.playbook.probes,
            alerts=plan.playbook.alerts,
            named_alerts=plan.named_alerts,
            yardstick=plan.yardstick(),
            sampling=plan.playbook.sampling,
            past=plan.past,
            planned_length=plan.planned_length,
        ),
        result_type=Rehearsed,
        task_queue=CONDUCTOR_QUEUE,
        start_to_close_timeout=timedelta(hours=1),
        heartbeat_timeout=PATIENCE,
        retry_policy=QUICK,
    )
    return found.findings


async def last_rehearsal(plan: Plan) -> RehearsalAnswer:
    """When the playbook was rehearsed last, as it is now, or why the store cannot say."""
    question = RehearsalQuestion(playbook=plan.playbook.name, rehearsed_as=plan.rehearsed_as)
    try:
        return await _conductor("rehearsal.find", question, RehearsalAnswer, 10)
    except ActivityError as error:
        return RehearsalAnswer(unknown=reason_of(error)[:300])


async def analysis(run_id: str, scenario: int) -> Analysis:
    return await _conductor("analyze", AnalyzeOrder(run_id=run_id, scenario=scenario), Analysis, 15)


async def report(run_id: str) -> str:
    """Has the report written. A day ends without one rather than not at all; `gameday report` writes it later."""
    try:
        return (await _conductor("report.write", ReportOrder(run_id=run_id), ReportResult, 60, in_all=90)).path
    except ActivityError as error:
        workflow.logger.warning("no report: %s", reason_of(error))
        return ""


async def _conductor(name: str, order: Model, answer: type[T], each: float, in_all: float | None = 30) -> T:
    """Asks a conductor for something that it does by itself.

    Args:
        each: seconds that one try may take.
        in_all: seconds that all of them may; None for as many tries as there are, whenever a conductor is there.

    Raises:
        ActivityError: it was not done in that time.
    """
    found: T = await workflow.execute_activity(
        name,
        order,
        result_type=answer,
        task_queue=CONDUCTOR_QUEUE,
        schedule_to_close_timeout=None if in_all is None else timedelta(seconds=in_all),
        start_to_close_timeout=timedelta(seconds=each),
        retry_policy=QUICK,
    )
    return found
