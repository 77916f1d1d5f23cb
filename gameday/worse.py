"""Which way a probe's values are worse, and the worst of a scenario."""

from __future__ import annotations

from collections.abc import Callable

from gameday.language import Tolerance
from gameday.playbook import Playbook
from gameday.probe import Sample
from gameday.record import Phase, RunRecord


def worst_during(record: RunRecord, scenario: int, probe: str) -> Sample | None:
    """The worst known sample of a probe while the faults of a scenario were on, or might be."""
    injected, analyze = record.injected_at(scenario), record.phase(scenario, Phase.ANALYZE)
    if injected is None:
        return None
    end = record.gone_at(scenario) or (analyze.start if analyze else None)
    bad = badness(record.plan.playbook, probe, record.plan.yardstick(record.baselines(scenario)).baseline(probe))
    known = [sample for sample in record.between(injected, end) if sample.probe == probe and sample.value is not None]
    return max(known, key=lambda sample: bad(sample.value or 0.0), default=None)


def badness(playbook: Playbook, probe: str, normal: float | None) -> Callable[[float], float]:
    """How bad a value is, to find the worst of several: as the tolerances and guardrails on this probe see it.

    Where none says which way is bad, it is the distance from `normal`, the baseline; without that, large is bad.
    """
    high = _high_is_worse(playbook, probe)
    if high is None:
        return (lambda value: abs(value - normal)) if normal is not None else lambda value: value
    return (lambda value: value) if high else lambda value: -value


def _high_is_worse(playbook: Playbook, probe: str) -> bool | None:
    wanted = [*playbook.steady_state, *(each.tolerance for scenario in playbook.scenarios for each in scenario.expect if each.tolerance)]
    unwanted = [guardrail.tolerance for guardrail in playbook.abort_when if guardrail.tolerance]
    for tolerance, good_is_low in [*((each, True) for each in wanted), *((each, False) for each in unwanted)]:
        if tolerance.probe == probe and tolerance.op != "=":
            return _low(tolerance) == good_is_low
    return None


def _low(tolerance: Tolerance) -> bool:
    return tolerance.op in ("<", "<=")
