"""Reading runs: the list of them, where one is, its report."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.cli.asking import asked
from gameday.feed import merged
from gameday.units import clock
from gameday.view import RunView

if TYPE_CHECKING:
    from activities.store import RunLine, RunStore
    from gameday.record import RunRecord

SILENT = timedelta(minutes=1)
"""A run that is not waiting for a go and says nothing for longer than this may have been killed."""


def list_runs(as_json: bool, most: int) -> None:
    """The newest runs: when, how they ended or where they are, and what was to be learned."""
    opened = context.store(context.settings())
    lines = opened.list(most)
    if as_json:
        print(json.dumps([_facts_of(opened, each) for each in lines], indent=2))
    elif not lines:
        print("there is no run yet; start one with `gameday run PLAYBOOK`")
    else:
        print("\n".join(_table(opened, lines)))


def _table(opened: RunStore, lines: list[RunLine]) -> list[str]:
    from rich.text import Text

    from gameday.cli.columns import Column, table

    rows = [(each, _stands(opened, each), _objective(opened, each)) for each in lines]
    columns = [
        Column("run", [Text(each.run_id) for each, _, _ in rows], least=4),
        Column("started", [Text(f"{each.started_at.astimezone():%Y-%m-%d %H:%M}") for each, _, _ in rows]),
        Column("outcome", [Text(stands) for _, stands, _ in rows]),
        Column("objective", [Text(objective) for _, _, objective in rows], least=12),
    ]
    width = terminal_width()
    return [line.plain for line in table([lambda: columns, lambda: columns[:3], lambda: [columns[0], columns[2]]], width)]


def terminal_width() -> int:
    """How wide a page may be: as wide as the terminal, and where there is none, as wide as it gets."""
    import shutil

    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 1000


def _objective(opened: RunStore, line: RunLine) -> str:
    plan = opened.plan(line.run_id)
    return plan.playbook.objective if plan else "?"


def _stands(opened: RunStore, line: RunLine) -> str:
    """The outcome; of a run that has none, what it is doing or since when it says nothing."""
    if line.outcome:
        return line.outcome
    view, now = view_of(context.visible(context.settings(), opened.read(line.run_id))), datetime.now(UTC)
    if view.gate and view.gate_until and view.gate_until > now:
        return f"waiting for a go: {view.gate}"
    if now - view.now > SILENT:
        return f"no end; silent since {view.now.astimezone():%H:%M:%S}"
    return view.phase or "under way"


def _facts_of(opened: RunStore, line: RunLine) -> dict[str, object]:
    return {
        "run": line.run_id,
        "playbook": line.playbook,
        "started_at": line.started_at.isoformat(),
        "outcome": line.outcome,
        "stands": _stands(opened, line),
        "objective": _objective(opened, line),
    }


def write_report(run: str, as_json: bool) -> None:
    from reports import postmortem
    from reports.summary import summary

    known = context.settings()
    opened = context.store(known)
    record = context.record(opened, run)
    if as_json:
        print(json.dumps(summary(record, context.opens_seals(known, record.plan)), indent=2))
        return
    print(postmortem.write(record, known.home / "runs" / record.run_id, earlier=opened.earlier(record.plan)))


def show_status(run: str, as_json: bool) -> None:
    """One page: the live view's picture, standing still, and what can be done from here."""
    from activities.leases import leases

    known = context.settings()
    record = context.visible(known, context.record(context.store(known), run))
    view = view_of(record)
    left = None if view.outcome else leases(known.home, view)
    if as_json:
        from gameday.cli.facts import facts

        print(json.dumps(facts(record, view, left or {}), indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    from gameday.cli.console import Frame, page
    from worker.connection import at_hand

    width = min(terminal_width(), 140)
    now = view.now if view.outcome else datetime.now(UTC)
    console = Console(highlight=False, width=width, soft_wrap=True)
    for row in page(view, Frame(now, width, 0, left)):
        console.print(row)
    if not view.outcome and not at_hand(known.home):
        console.print(Text("\nno Temporal is up here: this is what was recorded last, and nobody is at work on it", style="yellow"))
    for said in ("", *following(view, now)):
        console.print(Text(said))


def following(view: RunView, now: datetime) -> list[str]:
    """What can be done from here."""
    run = view.plan.run_id
    if view.outcome:
        from gameday.cli.farewell import endings, left_behind

        then = f"`gameday report {run}` writes the postmortem, `gameday replay {run}` plays it back"
        return [left_behind(view), *endings(view), "", then]
    silent = now - view.now
    lost = [f"nothing was recorded for {clock(silent)}: is a worker running? `gameday doctor`"] if silent > SILENT and not view.gate else []
    asks = asked(view)
    go = [*([asks] if asks else []), f"`gameday go {run}` lets it go on"] if view.gate else []
    return [*lost, *go, f"`gameday follow {run}` follows it, `gameday abort {run}` ends it"]


def view_of(record: RunRecord) -> RunView:
    """The view at the end of a record."""
    view = RunView(record.plan, record.plan.started_at)
    for item in merged(record.events, record.samples):
        view.take(item)
    return view
