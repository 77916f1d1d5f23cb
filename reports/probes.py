"""What kind of number a probe reads: whether it counts up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gameday.observation import Total
from gameday.record import RunRecord
from gameday.units import UNITS, Dimension


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
