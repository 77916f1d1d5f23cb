"""What kind of number a probe reads: whether it counts up, and which way is worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gameday.language import Tolerance
from gameday.observation import Total
from gameday.playbook import Playbook
from gameday.record import RunRecord
from gameday.units import UNITS, Dimension


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


def counters(record: RunRecord) -> frozenset[str]:
    """Probes that count up: those with a guardrail in total, and those in plain counts that were never seen to fall."""
    totals = {guardrail.probe for guardrail in record.plan.playbook.abort_when if guardrail.in_total}
    plain = {probe for probe, unit in record.plan.units.items() if UNITS[unit].dimension is Dimension.COUNT}
    return frozenset(probe for probe in plain if probe in totals or _never_falls(known_values(record, probe)))


def _never_falls(values: Iterator[float]) -> bool:
    last = next(values, None)
    if last is None:
        return False
    for value in values:
        if value < last:
            return False
        last = value
    return True


def increase(values: Iterable[float]) -> float:
    """How much a counter grew; one that fell was reset."""
    total = Total()
    for value in values:
        total = total.after(value)
    return total.increase


def known_values(record: RunRecord, probe: str) -> Iterator[float]:
    return (sample.value for sample in record.samples if sample.probe == probe and sample.value is not None)
