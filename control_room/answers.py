"""What `/gameday` answers, as pure text of a view or a list. Only its reader sees it, and the view is as that reader may see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from activities.store import RunLine
from control_room.blocks import plain
from control_room.control import OUTCOMES, upcoming
from gameday.said import commander, waiting
from gameday.units import clock
from gameday.view import RunView

HELP = """*What `/gameday` does.* RUN is how a run's id begins; it can be left out where only one goes on, or in the run's own rooms.
`/gameday status [RUN]`  where it stands, for you alone
`/gameday list`  the last runs
`/gameday next [RUN]`  what comes next, and what is waited for
`/gameday start PLAYBOOK`  starts a game day; it asks for the playbook's variables
`/gameday note [RUN] TEXT`  puts what you see on the timeline; the message shortcut *Add to timeline* and the reaction :{reaction}: do it too
`/gameday abort [RUN] [REASON]`  takes everything off and reads it back, at once
`/gameday real [RUN] [REASON]`  a real incident has begun: everything off, seals open, the day ends
`/gameday halt [REASON]`  the lever: aborts every run and refuses new ones (asks once)
`/gameday report [RUN]`  the report, to you alone"""


def help_text(reaction: str) -> str:
    return HELP.format(reaction=reaction)


def lines(runs: Iterable[RunLine]) -> str:
    """The last runs, each with how it ended."""
    found = [f"`{run.run_id}`  {run.started_at:%Y-%m-%d %H:%M} UTC  {_ended(run.outcome)}" for run in runs]
    return "\n".join(found) or "There has been no run yet."


def _ended(outcome: str | None) -> str:
    return f"{OUTCOMES.get(outcome, '')} {outcome}" if outcome else "● going on"


def coming(view: RunView, now: datetime) -> str:
    """What comes next, and what is waited for."""
    return f"`{view.plan.run_id}`: " + plain(". ".join(_coming(view, now)) or "it goes its way") + "."


def _coming(view: RunView, now: datetime) -> Iterator[str]:
    if view.outcome:
        yield f"it is over: {view.outcome}"
        return
    if view.ending:
        yield "everything is taken off and read back; then it ends"
        return
    if view.held:
        yield f"it is held; it goes on when {commander(view)} says resume"
    if view.gate:
        asked = view.open_gate
        missing = []
        if asked and asked.checklist:
            missing += [each.item for each in view.plan.playbook.checklist if each.item not in view.ticked]
        if asked and asked.ready > len(view.ready):
            missing.append(f"{asked.ready - len(view.ready)} more ready")
        left = f", in {clock(view.gate_until - now)} at the latest; silence stands down" if view.gate_until and not view.held else ""
        yield f"{commander(view)} says go ({view.gate}){left}" + (f". Missing: {', '.join(missing)}" if missing else "")
    elif view.phase:
        yield f"{view.phase} goes on" + (f" for {clock(view.phase_until - now)} at the most" if view.phase_until and view.phase_until > now else "")
    elif waiting(view, now):
        yield waiting(view, now)
    index = upcoming(view)
    if index is not None and index != view.scenario:
        planned = view.plan.planned_at[index] if index < len(view.plan.planned_at) else None
        at = f", planned for {planned.astimezone(view.plan.zone):%H:%M}" if planned else ""
        yield f"then scenario {index + 1}: {view.plan.playbook.scenarios[index].title}{at}"
