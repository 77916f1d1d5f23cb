"""What a run would accept now, as far as its record tells: by the rule that the run itself refuses by, so that nothing is offered in vain."""

from __future__ import annotations

from datetime import timedelta

from gameday.commands import Actor, Command, Moment, Verb, refusal
from gameday.language import Clock
from gameday.limits import Gate
from gameday.view import RunView

_SAMPLE = {"text": "…", "clock": Clock.DETECT, "by": timedelta(minutes=2), "item": 1}
"""What a command needs besides its verb to be whole."""


def moment(view: RunView) -> Moment:
    """Where a run is, in the words of the rule. It may lag behind the run by what is not recorded yet; the run has the last word."""
    playbook = view.plan.playbook
    scenario = view.scenario is not None and (view.scenario not in view.outcomes or bool(view.rest))
    known = playbook.scenarios[view.scenario] if view.scenario is not None and scenario else None
    gate = view.open_gate
    return Moment(
        ended=bool(view.outcome),
        ending=bool(view.ending),
        held=view.held,
        gate=view.gate or None,
        targets=view.targets_digest,
        scenario=view.scenario if scenario else None,
        resting=view.scenario in view.outcomes,
        injected=bool(known and view.injected_at),
        fault_on=any(row.is_on for row in view.faults.values()),
        sealed=bool(known and known.sealed),
        revealed=view.revealed,
        checklist=tuple(each.owner or "" for each in playbook.checklist),
        abort_from=playbook.abort_from,
        started_by=view.plan.started_by.id,
        team=tuple(person.name for _, person in playbook.team.members()),
        handed_to=view.commander,
        asked=tuple(row.asked for row in view.faults.values() if row.asked),
        two_people=isinstance(gate, Gate) and gate.two_people,
    )


def why_not(view: RunView, actor: Actor, verb: Verb, fault: str | None = None) -> str | None:
    """Why somebody may not say this now; None when the run would take it. `fault`: with a done, which one it is about."""
    now = moment(view)
    others = [name for name in now.team if name != (now.handed_to or actor.name)]
    more: dict[str, object] = {**_SAMPLE, "to": others[0] if others else None}
    if fault is not None:
        more["fault"] = fault
    if not now.checklist:
        more["item"] = None
    return refusal(Command.model_validate({"verb": verb, "id": "?", "actor": actor, **more}), now)
