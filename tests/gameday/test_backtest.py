"""Guardrails on what has been, on series that a reader can follow by eye."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gameday.backtest import baseline_of, held, trips
from gameday.language import Guardrail, Tolerance
from gameday.observation import Yardstick

T0 = datetime(2026, 6, 18, tzinfo=UTC)
SECOND = timedelta(seconds=1)
UNITS = {"errors": "ratio", "latency": "s", "failed": "count"}
LOW, HIGH = 0.01, 0.06
GAP = None


def past(values: list[float | None]) -> list[tuple[datetime, float]]:
    """One reading a second; where there is None there is none, for a minute."""
    found, at = [], T0
    for value in values:
        at += SECOND if value is not None else timedelta(minutes=1)
        if value is not None:
            found.append((at, value))
    return found


def seconds(at: tuple[datetime, ...]) -> list[float]:
    return [(each - T0).total_seconds() for each in at]


@pytest.mark.parametrize(
    ("guardrail", "values", "expected"),
    [
        ("errors > 5 %", [LOW, HIGH, HIGH, LOW, HIGH], [2, 5]),
        ("errors > 5 % in 3 of 5 samples", [HIGH, LOW, HIGH, LOW, HIGH, LOW, LOW, LOW, LOW], [5]),
        ("errors > 5 % in 2 of 3 samples", [HIGH, LOW, LOW, HIGH, LOW, LOW, HIGH], []),
        ("errors > 5 % in 2 of 3 samples", [HIGH, GAP, HIGH], []),
        ("errors > 5 % for 2s", [HIGH, HIGH, LOW, HIGH, HIGH, HIGH, HIGH], [6]),
        ("latency > 3 x baseline", [0.1, 0.1, 0.1, 0.2, 0.4], [5]),
        ("failed > 5 in total", [100, 103, 106, 110, 111], [3]),
        ("failed > 5 in total", [100, 106, 106, 106, 106, 106, 106, 106, 106, 106, 107, 113], [2, 12]),
        ("errors > 5 %", [], []),
    ],
)
def test_a_guardrail_would_have_tripped_then(guardrail: str, values: list[float | None], expected: list[float]) -> None:
    """The day is ten seconds long: totals begin anew after it."""
    rule, readings = Guardrail.parse(guardrail), past(values)
    yardstick = Yardstick(units=UNITS, baselines=(baseline_of(rule.probe, readings),), abort_when=(rule,))
    assert seconds(trips(yardstick, rule, readings, SECOND, 10 * SECOND).at) == expected


@pytest.mark.parametrize(
    ("values", "share", "longest"),
    [([LOW] * 4, 1.0, 0), ([LOW, HIGH, HIGH, LOW], 0.5, 2), ([LOW, HIGH, GAP, HIGH], 1 / 3, 1), ([], 0.0, 0)],
)
def test_a_tolerance_of_the_steady_state_held_so_much(values: list[float | None], share: float, longest: int) -> None:
    how = held(Yardstick(units=UNITS), Tolerance.parse("errors < 5 %"), past(values), SECOND)
    assert (how.share, how.longest.total_seconds()) == (pytest.approx(share), longest)
