"""What a rehearsal tries of a playbook: every probe, every target, and each fault for a moment, on one target, to see it come off."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from gameday.playbook import Afterwards, Fault, Gate, Gates, Playbook, Scenario, Times

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
    inject = playbook.gates.inject
    return playbook.model_copy(
        update={
            "times": Times(zone=playbook.times.zone, stop=playbook.times.stop),
            "checklist": (),
            "sampling": sampling,
            "gates": Gates(day="off", inject=Gate(timeout=inject.timeout if isinstance(inject, Gate) else Gate().timeout)),
            "rehearsal": None,
            "scenarios": tuple(_braked(scenario, fault) for scenario, fault in tried.values()),
        }
    )


def _braked(scenario: Scenario, fault: Fault) -> Scenario:
    on = fault.on.model_copy(update={"count": 1}) if fault.on.hosts else fault.on
    return Scenario(
        title=f"Brake test: {fault.name}"[:200],
        hypothesis="It goes on, comes off, and is proven off",
        sealed=scenario.sealed,
        faults=(fault.model_copy(update={"on": on, "at": timedelta(0), "after": None, "until": None, "duration": LONGEST}),),
        observe=BRAKED_AFTER,
        rollback_plan=scenario.rollback_plan,
        afterwards=Afterwards(steady_for=timedelta(0), recover_within=scenario.afterwards.recover_within),
    )
