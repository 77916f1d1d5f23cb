"""Reading runs: lists, status, reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.units import clock

if TYPE_CHECKING:
    from gameday.record import RunRecord
    from gameday.view import RunView


def list_runs(as_json: bool, most: int) -> None:
    lines = context.store(context.settings()).list(most)
    if as_json:
        print(
            json.dumps(
                [{"run": x.run_id, "playbook": x.playbook, "started_at": x.started_at.isoformat(), "outcome": x.outcome} for x in lines], indent=2
            )
        )
        return
    if not lines:
        print("There is no run yet; start one with `gameday run PLAYBOOK`.")
    for x in lines:
        print(f"{x.run_id:<40} {x.started_at.astimezone():%Y-%m-%d %H:%M}   {x.outcome or 'under way, or killed half-way'}")


def write_report(run: str, as_json: bool) -> None:
    from reports.summary import summary

    from reports import postmortem

    known = context.settings()
    opened = context.store(known)
    record = opened.read(context.which(opened, run))
    if as_json:
        print(json.dumps(summary(record), indent=2))
        return
    print(postmortem.write(record, known.home / "runs" / record.run_id))


def show_status(run: str, as_json: bool) -> None:
    known = context.settings()
    opened = context.store(known)
    record = opened.read(context.which(opened, run))
    view = view_of(record)
    if as_json:
        print(json.dumps(facts(view), indent=2))
        return
    print("\n".join(status_lines(view)))


def view_of(record: RunRecord) -> RunView:
    """The view at the end of a record."""
    from gameday.view import RunView, merged

    view = RunView(record.plan, record.plan.started_at)
    for item in merged(record.events, record.samples):
        view.take(item)
    return view


def status_lines(view: RunView) -> list[str]:
    """Where a run is, in a few plain lines."""
    plan = view.plan
    lines = [f"{plan.run_id}   {plan.playbook.environment}   {view.outcome or ('ending: ' + view.ending if view.ending else 'under way')}"]
    if view.scenario is not None:
        lines.append(f"scenario {view.scenario + 1} of {len(plan.playbook.scenarios)}: {plan.playbook.scenarios[view.scenario].title}")
    if view.phase:
        lines.append(f"phase {view.phase}{' (on hold)' if view.held else ''}")
    if view.gate:
        lines.append(f"waiting for a go ({view.gate}); `gameday go {plan.run_id}`")
    lines += [f"{name} after {clock(after)}: {how}" for name, (after, how) in view.clocks.items()]
    for row in view.probes.values():
        value = view.yardstick.show(row.name, row.sample.value) if row.sample else "?"
        why = f" ({row.sample.unknown})" if row.sample and row.sample.unknown else ""
        lines.append(f"probe {row.name}: {value}{why}")
    lines += [f"fault {row.name} on {row.label}: {row.state}" for row in view.faults.values()]
    return lines


def facts(view: RunView) -> dict[str, object]:
    """Everything on screen, as data."""
    plan = view.plan
    return {
        "run": plan.run_id,
        "playbook": plan.playbook.name,
        "outcome": view.outcome or None,
        "ending": view.ending or None,
        "scenario": view.scenario,
        "phase": view.phase or None,
        "held": view.held,
        "gate": view.gate or None,
        "clocks": {name: after.total_seconds() for name, (after, _) in view.clocks.items()},
        "outside_steady_state_s": view.outside.total_seconds(),
        "probes": {row.name: row.sample.model_dump(mode="json") if row.sample else None for row in view.probes.values()},
        "faults": {fault: {"name": row.name, "target": row.label, "state": row.state} for fault, row in view.faults.items()},
    }
