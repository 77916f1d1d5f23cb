"""Notices: what people are called about, as a fold over the record. Who reads one may be a responder, so it says no more than they may see.

notice(event, plan, known)    None for what nobody needs to be called about
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from gameday.by_hand import at
from gameday.event import Event, EventKind
from gameday.fault import FaultOutcome
from gameday.lines import line
from gameday.model import Line, Model, Name, Reason, one_line
from gameday.notify import About
from gameday.plan import Plan, RunKind
from gameday.playbook import Playbook, Role
from gameday.record import RunRecord
from gameday.view import RunView
from gameday.viewer import HIDDEN, veil

TELLING = frozenset({EventKind.FAULT_DIRTY, EventKind.REAL_CALLED, EventKind.REVEALED, EventKind.HANDED_OVER, EventKind.RUN_ENDED})
"""What must be known of a run to make a notice: who commands, which seals are open, which faults were dirty."""
_MOST_SAID = 600
"""Characters of what happened; what to do next comes after it, and must not be cut off."""


class Severity(StrEnum):
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_SEVERITY = {
    About.DIRTY: Severity.CRITICAL,
    About.CLEAN: Severity.INFO,
    About.ABORTED: Severity.WARNING,
    About.BREACH: Severity.ERROR,
    About.PRESENCE: Severity.ERROR,
    About.REAL: Severity.CRITICAL,
    About.ALERT: Severity.ERROR,
}
_CALLED: Mapping[About, tuple[Role, ...]] = {
    About.DIRTY: (Role.TECHNICAL_LEAD, Role.COMMANDER),
    About.CLEAN: (Role.TECHNICAL_LEAD, Role.COMMANDER),
    About.ABORTED: (Role.COMMANDER, Role.SAFETY),
    About.BREACH: (Role.SAFETY, Role.COMMANDER),
    About.PRESENCE: (Role.SAFETY,),
    About.REAL: (Role.COMMANDER, Role.TECHNICAL_LEAD, Role.SAFETY, Role.RESPONDER),
    About.ALERT: (Role.COMMANDER,),
}
_SEALED = {
    About.DIRTY: "something that was put on is not proven gone; it is tried again for ever",
    About.CLEAN: "what was not proven gone is proven gone now",
    About.ABORTED: "the run is aborted",
    About.BREACH: "a guardrail holds, and the run is aborted",
    About.PRESENCE: "nobody with authority is there any more; any command says that somebody is",
    About.REAL: "a real incident is called; everything is taken off",
    About.ALERT: "an alert is firing that nobody had expected",
}
"""All that is said where the record may not be shown. Whoever leads the day is told by the command that comes after it."""
_NEXT = {
    About.DIRTY: "`gameday leftovers` on its host, and `gameday status {run}`, say what is left",
    About.CLEAN: "`gameday status {run}` has the proof",
    About.ABORTED: "Everything is taken off and read back: `gameday status {run}`",
    About.BREACH: "Everything is taken off and read back: `gameday status {run}`",
    About.PRESENCE: "To stop everything: `gameday abort {run}`",
    About.REAL: "`gameday status {run}` says what is proven gone",
    About.ALERT: "`gameday status {run}` says which; if this is no drill: `gameday real {run}`",
}


class Notice(Model):
    """One call. `id` is its event's, so that a second delivery is the same call; `key` is what its incident is known by at a paging service."""

    id: Line
    about: About
    key: Line
    run_id: Name
    playbook: Name | None = None
    environment: Name | None = None
    to: tuple[Line, ...] = Field(default=(), max_length=110)
    """Who is called: names from the team, each with the role."""
    text: Reason
    """One line: what happened, to what, and what to do next."""
    details: tuple[Line, ...] = Field(default=(), max_length=60)
    at: datetime
    severity: Severity


def heeds(event: Event) -> bool:
    """Whether an event may make a notice, or is needed to make another one."""
    return event.kind in TELLING or event.kind is EventKind.FAULT_ENDED or _about(event, ()) is not None


def notice(event: Event, plan: Plan | None, known: tuple[Event, ...] = ()) -> Notice | None:
    """The call that an event asks for; None for what nobody is called about.

    Args:
        plan: of the event's run. Without it nothing is said that could give a sealed scenario away.
        known: what is known of the run besides, at least what is `TELLING` there. Less of it keeps seals closed longer, never opens one.
    """
    others = tuple(each for each in known if each.id != event.id)
    about = _about(event, others)
    if about is None or (plan is not None and plan.kind is RunKind.DRY):  # nothing is changed: nobody is woken for it
        return None
    seen = veil(RunRecord(plan, (*others, event), ())) if plan else None
    shown = next((each for each in seen.events if each.id == event.id), None) if seen else None
    happened = _happened(about, shown, seen.plan) if seen and shown else f"{HIDDEN}: {_SEALED[about]}" if plan else _SEALED[about]
    kind = f"{plan.kind} of " if plan and plan.kind is not RunKind.DAY else ""
    where = f"{kind}{plan.playbook.name} ({plan.playbook.environment})" if plan else event.run_id
    return Notice(
        id=event.id,
        about=about,
        key=_key(about, event, shown, others),
        run_id=event.run_id,
        playbook=plan.playbook.name if plan else None,
        environment=plan.playbook.environment if plan else None,
        to=_called(about, plan, others) if plan else (),
        text=f"{where}: {one_line(happened, _MOST_SAID)}. {_NEXT[about].format(run=event.run_id)}",
        details=_details(about, shown, seen.plan) if seen and shown else (),
        at=event.at,
        severity=_SEVERITY[about],
    )


def _about(event: Event, known: tuple[Event, ...]) -> About | None:
    if event.kind is EventKind.ALERT_FIRING:
        return About.ALERT if event.text("class") == "unexpected" else None
    if event.kind is EventKind.FAULT_ENDED:
        return About.CLEAN if event.text("outcome") != FaultOutcome.DIRTY and _dirty(event, known) else None
    return {
        EventKind.FAULT_DIRTY: About.DIRTY,
        EventKind.ABORTED: About.ABORTED,
        EventKind.BREACH: About.BREACH,
        EventKind.PRESENCE_LOST: About.PRESENCE,
        EventKind.REAL_CALLED: About.REAL,
    }.get(event.kind)


def _dirty(event: Event, known: tuple[Event, ...]) -> Event | None:
    """The first word that this event's fault was dirty, which may be the event itself. Its workflow and its day may both have said so."""
    said = [each for each in (*known, event) if each.kind is EventKind.FAULT_DIRTY and each.fault is not None and each.fault == event.fault]
    return min(said, key=lambda each: (each.at, each.id), default=None)


def _key(about: About, event: Event, shown: Event | None, known: tuple[Event, ...]) -> str:
    """Opaque: a fault is known by the id of its first dirty event, since who guesses its name and target could confirm a fault's own id."""
    if about in (About.DIRTY, About.CLEAN):
        return f"gameday/{event.run_id}/{(_dirty(event, known) or event).id}"
    if about is About.ALERT:
        return f"gameday/{event.run_id}/alert" + (f"/{shown.text('alert')[:100]}" if shown else "")
    return f"gameday/{event.run_id}/{'presence' if about is About.PRESENCE else 'ended'}"  # a breach and its abort are one incident


def _happened(about: About, shown: Event, plan: Plan) -> str:
    if about is About.DIRTY:
        problems = shown.data.get("problems")
        why = "; ".join(map(str, problems)) if isinstance(problems, list) and problems else "there is no proof"
        ends = f"`gameday done {shown.run_id} {shown.text('name')}` says when it is undone" if shown.text("by") else "It is tried again for ever"
        return f"DIRTY: {shown.text('name')}{at(shown.text('label'))} is not proven gone: {why}. {ends}"
    if about is About.ALERT:
        return f"{shown.text('alert')} is firing, and nobody had expected it"
    said = line(shown, RunView(plan, plan.started_at))
    text = said.text.rstrip(".") if said else _SEALED[about]
    gone = "said to be gone" if shown.text("by") else "proven gone"
    return {About.ABORTED: f"aborted {text}", About.CLEAN: f"{gone}: {text}", About.BREACH: f"guardrail: {text}"}.get(about, text)


def _details(about: About, shown: Event, plan: Plan) -> tuple[str, ...]:
    if about is About.BREACH:
        return (one_line(f"expected: {shown.text('limit')}"),) if shown.text("limit") else ()
    if about is About.DIRTY and shown.scenario is not None:
        return plan.playbook.scenarios[shown.scenario].rollback_plan
    return ()


def _called(about: About, plan: Plan, known: tuple[Event, ...]) -> tuple[str, ...]:
    """Who is called; where nobody has such a role, the commander, and where there is none, who started the run."""
    team = _team(plan.playbook, known)
    chosen = [(role, name) for wanted in _CALLED[about] for role, name in team if role is wanted]
    chosen = chosen or [(role, name) for role, name in team if role is Role.COMMANDER]
    return tuple(one_line(f"{name} ({role.replace('_', ' ')})") for role, name in chosen) or (plan.started_by.name,)


def _team(playbook: Playbook, known: tuple[Event, ...]) -> list[tuple[Role, str]]:
    """The team as it is now: the command may have been handed over."""
    handed = max((each for each in known if each.kind is EventKind.HANDED_OVER), key=lambda each: each.at, default=None)
    team = [(role, person.name) for role, person in playbook.team.members()]
    if handed is None or not handed.text("to"):
        return team
    return [(Role.COMMANDER, handed.text("to")), *((role, name) for role, name in team if role is not Role.COMMANDER and name != handed.text("to"))]
