"""What a rehearsal tries of a playbook: every probe, every target, and each fault for a moment, on one target, to see it come off."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from gameday.limits import Gate, Gates
from gameday.playbook import Afterwards, Alerts, Fault, Playbook, Scenario, Times

BRAKED_AFTER = timedelta(seconds=2)
"""How long each fault is on; then it is taken off as an abort does."""
LONGEST = timedelta(seconds=15)
"""How long a fault would be on by itself, if nobody took it off."""
BASELINE = timedelta(seconds=5)

_TRIED = ("environment", "probes", "alerts", "sampling", "steady_state", "abort_when", "blast_radius")
"""What a rehearsal has tried, beside the faults: a playbook that says any of it otherwise has not been rehearsed."""


def digest(playbook: Playbook) -> str:
    """Of what a rehearsal tries: people, times, words and expectations may change without another one."""
    tried = playbook.model_dump_json(include=set(_TRIED), by_alias=True)
    faults = [fault.model_dump_json(include={"inject", "on", "with_"}) for scenario in playbook.scenarios for fault in scenario.faults]
    return hashlib.sha256("\0".join([tried, *faults]).encode()).hexdigest()


def rehearsal_of(playbook: Playbook) -> Playbook:
    """The day that tries it: one short scenario a fault, each sealed where it was."""
    tried: dict[tuple[str, str, str], tuple[Scenario, Fault]] = {}
    for scenario in playbook.scenarios:
        for fault in scenario.faults:
            tried.setdefault((fault.inject, str(fault.with_), str(fault.on)), (scenario, fault))
    sampling = playbook.sampling.model_copy(update={"baseline": min(playbook.sampling.baseline, BASELINE)})
    return playbook.model_copy(
        update={
            "times": Times(zone=playbook.times.zone, stop=playbook.times.stop),
            "checklist": (),
            "alerts": _alerts(playbook),
            "sampling": sampling,
            "gates": Gates(day="off", inject=_gate(playbook.gates)),
            "rehearsal": None,
            "scenarios": tuple(_braked(scenario, fault) for scenario, fault in tried.values()),
        }
    )


def _gate(gates: Gates) -> Gate:
    """Before each fault: what the day asks for before it, it asks for here, but for the checklist of the day."""
    asked = [each for each in (gates.day, gates.inject) if isinstance(each, Gate)]
    inject = gates.inject if isinstance(gates.inject, Gate) else Gate()
    two, ready = any(each.two_people for each in asked), max((each.ready for each in asked), default=0)
    return inject.model_copy(update={"checklist": False, "two_people": two, "ready": ready})


def _alerts(playbook: Playbook) -> Alerts | None:
    """With every alert that the day names: none of them may fire already."""
    named = [each.alert for scenario in playbook.scenarios for each in scenario.expect if each.alert]
    return playbook.alerts and playbook.alerts.model_copy(update={"expected": tuple(dict.fromkeys([*playbook.alerts.expected, *named]))})


def _braked(scenario: Scenario, fault: Fault) -> Scenario:
    on = fault.on.model_copy(update={"count": 1}) if fault.on.hosts else fault.on
    return Scenario(
        title=f"Brake test: {fault.name}"[:200],
        hypothesis="It goes on, comes off, and is proven off",
        sealed=scenario.sealed,
        faults=(fault.model_copy(update={"on": on, "at": timedelta(0), "after": None, "until": None, "duration": min(LONGEST, fault.duration)}),),
        observe=BRAKED_AFTER,
        rollback_plan=scenario.rollback_plan,
        afterwards=Afterwards(steady_for=timedelta(0), recover_within=scenario.afterwards.recover_within),
    )
