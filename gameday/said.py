"""What a view says in words, one phrase each: the same on a terminal and in a room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gameday.event import Event, EventKind
from gameday.language import Guardrail
from gameday.rows import FaultRow
from gameday.units import clock, format_value, spoken
from gameday.verdicts import Outcome
from gameday.view import RunView


def commander(view: RunView) -> str:
    """Who commands now."""
    planned = view.plan.playbook.team.commander
    return view.commander or (planned.name if planned else view.plan.started_by.name)


def since(view: RunView, now: datetime) -> str:
    """How long the phase has taken; while it waits for a go, the gate says how long that may take."""
    if view.phase_began is None or view.gate:
        return ""
    gone = clock(now - view.phase_began)
    return f" {gone} of {clock(view.phase_until - view.phase_began)}" if view.phase_until else f" {gone}"


def waiting(view: RunView, now: datetime) -> str:
    """What the day waits for outside its scenarios."""
    if view.outcome or view.gate:
        return ""
    if view.rest and view.rest_until is not None and now < view.rest_until and not view.ending:
        return f"{view.rest}, {clock(view.rest_until - now)} left"
    following = 0 if view.scenario is None else view.scenario + (view.scenario in view.outcomes)
    planned = view.plan.planned_at[following] if following < len(view.plan.planned_at) else None
    at = view.plan.start_at if view.scenario is None else planned
    if at is not None and at > now:
        return f"waiting until {at.astimezone(view.plan.zone):%H:%M}, {clock(at - now)} left"
    if following >= len(view.plan.playbook.scenarios):
        return "the last scenario is over"
    return "about to begin" if view.scenario is None else "between scenarios" if following > view.scenario else "a scenario is running"


def bills(view: RunView) -> Iterator[str]:
    """What the customers paid, from everything to the least that is of use: totals with the day's caps, time outside steady state."""
    outside = f"{spoken(view.outside)} outside steady state" if view.outside else ""
    totals = [", ".join(_totals(view, caps)) for caps in (True, False)]
    for each in (*totals, ""):
        yield ", ".join(filter(None, (each, outside))) or "no time outside steady state"


def _totals(view: RunView, caps: bool) -> Iterator[str]:
    known = view.totals.totals if view.totals else {}
    for probe, cap in view.counted.items():
        if probe not in known:
            continue
        increase = known[probe].increase
        said = f"{format_value(increase, view.yardstick.unit(probe))} {probe.replace('_', ' ')}"
        yield f"{said} today, {_share(increase / cap)} of the cap" if caps and cap else said


def _share(part: float) -> str:
    return "under 1 %" if 0 < part < 0.01 else f"{part * 100:.0f} %"


def steady(view: RunView, probe: str) -> str:
    """What the steady state asks of a probe, as numbers."""
    return ", ".join(view.shown_tolerance(each) for each in view.plan.playbook.steady_state if each.probe == probe)


def limit_of(guardrail: Guardrail) -> str:
    """A guardrail without the name of its probe: `> 5 % in 3 of 5 samples`."""
    return str(guardrail).removeprefix(guardrail.probe).strip()


def ends(fault: FaultRow, view: RunView, now: datetime) -> str:
    """When a fault ends, or how long it was on."""
    if fault.ended_at and fault.active_at:
        took = f", in {spoken(fault.took)}" if fault.took else ""
        return f"{local(view, fault.ended_at)}, after {clock(fault.ended_at - fault.active_at)}{took}"
    if fault.asked is not None:
        until = f", until {local(view, fault.asked.until)}" if fault.asked.until and fault.state != "dirty" else ""
        return f"asks {fault.asked.by}: {fault.asked.text}{until}"
    if fault.ends_at is None:
        return "" if fault.ended_at or fault.state == "dirty" else "?"
    if fault.state == "dirty":
        return "tried for ever"
    if not fault.is_on:
        return "now"
    latest = f"{local(view, fault.ends_at)} at the latest, in {clock(fault.ends_at - now)}"
    return f"when {fault.until}, {latest}" if fault.until else latest


def proven_late(event: Event, view: RunView) -> bool:
    """Whether this is the proof, after a run has ended dirty, that nothing of it is left."""
    return (
        event.kind is EventKind.FAULT_ENDED
        and view.outcome == Outcome.DIRTY
        and view.ended_at is not None
        and event.at > view.ended_at
        and all(row.outcome != "dirty" for row in view.all_faults)
    )


def local(view: RunView, at: datetime) -> str:
    """A time of day in the zone of the playbook."""
    return f"{at.astimezone(view.plan.zone):%H:%M:%S}"
