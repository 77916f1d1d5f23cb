"""Everything that `gameday status` shows, as data: values in base units, lengths of time in seconds (`…_s`), moments in ISO 8601.

Made from what the viewer may see: of a sealed scenario a responder reads no more here than on the screen. Keys: docs/commands.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from gameday.cli.standing import Row, expectations, guardrails
from gameday.record import Phase

if TYPE_CHECKING:
    from gameday.record import RunRecord
    from gameday.rows import FaultRow
    from gameday.view import RunView


def facts(record: RunRecord, view: RunView, leases: Mapping[str, float]) -> Row:
    """The whole page as data.

    Args:
        record: what whoever looks may see of the run.
        view: the fold over it.
        leases: seconds left of each fault's lease, where this machine knows them.
    """
    return {
        **_day(view),
        **_where(view),
        "scenarios": [_scenario(record, view, index) for index in range(len(record.plan.playbook.scenarios))],
        "clocks": {name: {"seconds": after.total_seconds(), "how": how} for name, (after, how) in view.clocks.items()},
        "outside_steady_state_s": None if view.veiled else view.outside.total_seconds(),
        "totals": None if view.veiled else _totals(view),
        "probes": {name: _probe(view, name) for name in record.plan.playbook.probes},
        "guardrails": guardrails(record, view),
        "faults": {fault: _fault(row, leases.get(fault)) for fault, row in view.faults.items()},
        "left_behind": _left_behind(view),
        "timeline": _timeline(record, view),
    }


def _totals(view: RunView) -> dict[str, float]:
    return {name: view.totals.totals[name].increase for name in view.counted if view.totals and name in view.totals.totals}


def _day(view: RunView) -> Row:
    plan = view.plan
    commander = plan.playbook.team.commander
    return {
        "run": plan.run_id,
        "playbook": plan.playbook.name,
        "objective": plan.playbook.objective,
        "environment": plan.playbook.environment,
        "commander": commander.name if commander else plan.started_by.name,
        "started_at": plan.started_at.isoformat(),
        "stop_at": _moment(plan.stop_at),
        "as_of": view.now.isoformat(),
        "outcome": view.outcome or None,
        "exit_code": view.exit_code,
        "reason": view.reason or None,
        "ending": view.ending or None,
        "held": view.held,
    }


def _where(view: RunView) -> Row:
    """The scenario and its phases, and what is waited for."""
    asked = view.open_gate
    return {
        "scenario": view.scenario + 1 if view.scenario is not None else None,
        "phase": view.phase or None,
        "phase_began": _moment(view.phase_began),
        "phase_until": _moment(view.phase_until),
        "phases": [{"phase": phase, "state": "done" if phase in view.done else "now" if phase == view.phase else "to come"} for phase in Phase],
        "injected_at": _moment(view.injected_at),
        "gate": view.gate or None,
        "gate_until": _moment(view.gate_until),
        "gate_asks": {"ready": asked.ready, "checklist": asked.checklist} if asked else None,
        "targets": list(view.targets),
        "targets_digest": view.targets_digest or None,
        "ready": sorted(view.ready),
        "checklist": [{"item": each.item, "owner": each.owner, "ticked": each.item in view.ticked} for each in view.plan.playbook.checklist],
    }


def _scenario(record: RunRecord, view: RunView, index: int) -> Row:
    scenario = record.plan.playbook.scenarios[index]
    return {
        "number": index + 1,
        "title": scenario.title,
        "hypothesis": scenario.hypothesis,
        "sealed": scenario.sealed,
        "outcome": view.outcomes.get(index) or None,
        "predictions": [str(each) for each in scenario.predict],
        "expectations": expectations(record, view, index),
    }


def _probe(view: RunView, name: str) -> Row:
    row = view.probes.get(name)
    sample = row.sample if row else None
    return {
        "at": sample.at.isoformat() if sample else None,
        "value": sample.value if sample else None,
        "unknown": sample.unknown if sample else "no sample yet",
        "unknown_lately": list(row.unknown_lately) if row else [0, 0],
        "unit": view.plan.units[name],
        "baseline": view.yardstick.baseline(name),
        "steady_state": view.verdict(name),
        "steady_when": [view.shown_tolerance(each) for each in view.plan.playbook.steady_state if each.probe == name],
        "trend": [[each.at.isoformat(), each.value] for each in row.trend] if row else [],
    }


def _fault(row: FaultRow, lease: float | None) -> Row:
    return {
        "name": row.name,
        "kind": row.kind or None,
        "target": row.label,
        "state": row.state,
        "outcome": row.outcome or None,
        "asked": {**row.asked.model_dump(mode="json", exclude={"fault"})} if row.asked else None,
        "active_at": _moment(row.active_at),
        "ends_at": _moment(row.ends_at),
        "until": row.until or None,
        "ended_at": _moment(row.ended_at),
        "reverted_ms": row.took.total_seconds() * 1000 if row.took is not None else None,
        "lease_s": round(lease, 1) if lease is not None else None,
    }


def _left_behind(view: RunView) -> str | None:
    """What became of every fault; only the end of a run can say it."""
    from gameday.cli.farewell import left_behind

    return left_behind(view) if view.outcome else None


def _timeline(record: RunRecord, view: RunView) -> list[Row]:
    """The timeline (its newest 5,000 lines), as whoever looks may read it."""
    kinds = {event.id: event.kind for event in record.events}
    return [
        {
            "at": line.at.isoformat(),
            "since_inject_s": line.offset.total_seconds() if line.offset is not None else None,
            "kind": kinds.get(line.event),
            "what": line.what,
            "text": line.text,
            "stops": list(line.stops),
        }
        for line in view.lines
    ]


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
