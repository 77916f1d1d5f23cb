"""Judging tick by tick: steady state, guardrails and totals, on series that a reader can follow by eye."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.clocks import clocks
from gameday.language import Guardrail, Tolerance
from gameday.limits import Unseen
from gameday.observation import Breach, Steadiness, Total, Verdict, WatchState, Yardstick, ticks
from gameday.probe import Baseline, Sample

T0 = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
UNITS = {"errors": "ratio", "latency": "s", "failed": "count"}
BASELINES = (Baseline(probe="latency", median=0.1, known=5),)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def sample(probe: str, seconds: float, value: float | None) -> Sample:
    return Sample(probe=probe, at=at(seconds), value=value, unknown=None if value is not None else "no answer in 1 s")


def watched(
    guardrail: str,
    values: list[float | None],
    only_absolute: bool = False,
    baselines: tuple[Baseline, ...] = BASELINES,
    unknown_is: Unseen = Unseen.BREACH,
) -> list[Breach | None]:
    """The breach at each of the ticks, one a second."""
    rule = Guardrail.parse(guardrail)
    yardstick = Yardstick(units=UNITS, baselines=baselines, abort_when=(rule,), unknown_is=unknown_is)
    state, found = WatchState(steadiness=Steadiness(needed=3)), []
    for second, value in enumerate(values):
        state, breach = yardstick.advance(state, at(second), {rule.probe: sample(rule.probe, second, value)}, only_absolute)
        found.append(breach)
    return found


def holding(breaches: list[Breach | None]) -> str:
    """`.` for each tick at which the guardrail does not hold, `X` where it does."""
    return "".join("X" if breach else "." for breach in breaches)


LOW, HIGH = 0.01, 0.06
N = None


@pytest.mark.parametrize(
    ("guardrail", "values", "expected"),
    [
        ("errors > 5 %", [LOW, HIGH, LOW, 0.05], ".X.."),
        ("errors > 5 %", [LOW, N], ".X"),
        ("errors > 5 % in 3 of 5 samples", [HIGH, LOW, HIGH, LOW, HIGH], "....X"),
        ("errors > 5 % in 3 of 5 samples", [HIGH, HIGH, HIGH], "..X"),
        ("errors > 5 % in 3 of 5 samples", [HIGH, HIGH, LOW, LOW, LOW, HIGH, HIGH], "......."),
        ("errors > 5 % in 3 of 5 samples", [HIGH, N, LOW, LOW, N], "....X"),
        ("errors > 5 % in 5 of 5 samples", [HIGH, HIGH, HIGH, HIGH, LOW, HIGH, HIGH, HIGH, HIGH, HIGH], ".........X"),
        ("errors > 5 % for 2s", [HIGH, HIGH, HIGH, LOW, HIGH], "..X.."),
        ("errors > 5 % for 2s", [HIGH, LOW, HIGH, LOW, HIGH], "....."),
        ("errors > 5 % for 2s", [HIGH, N, N, LOW], "..X."),
        ("errors is unknown", [LOW, N, HIGH], ".X."),
        ("errors is unknown in 2 of 3 samples", [N, LOW, N, LOW, LOW, N], "..X..."),
        ("errors is unknown for 2s", [N, N, N, LOW], "..X."),
        ("latency > 3 x baseline", [0.29, 0.31], ".X"),
        ("failed > 5 in total", [100, 103, 105, 106, 106], "...XX"),
        ("failed > 5 in total", [100, 104, 0, 1, 2], "....X"),
        ("failed > 5 in total", [100, N, N, N, N, 106], ".....X"),
        ("failed > 5 in total", [N, N, 900, 905, 906], "....X"),
        ("failed >= 5 in total", [0, 5], ".X"),
    ],
)
def test_a_guardrail_holds_at_these_ticks(guardrail: str, values: list[float | None], expected: str) -> None:
    assert holding(watched(guardrail, values)) == expected


@pytest.mark.parametrize(
    ("guardrail", "values", "expected"),
    [
        ("errors > 5 %", [N, HIGH], ".X"),
        ("errors > 5 % in 3 of 5 samples", [HIGH, N, N, N, HIGH, N, N, HIGH], ".......X"),
        ("errors > 5 % in 2 of 3 samples", [HIGH, LOW, N, LOW, HIGH, N, HIGH], "......X"),
        ("errors > 5 % for 2s", [HIGH, N, HIGH], "..X"),
        ("errors is unknown in 2 of 3 samples", [N, LOW, N], "..X"),
        ("failed > 5 in total", [100, N, 106], "..X"),
    ],
)
def test_what_is_not_known_is_passed_over_where_the_playbook_says_so(guardrail: str, values: list[float | None], expected: str) -> None:
    assert holding(watched(guardrail, values, unknown_is=Unseen.PASSED_OVER)) == expected


def test_pre_check_does_not_judge_what_needs_a_baseline() -> None:
    assert holding(watched("latency > 3 x baseline", [9.0, N], only_absolute=True, baselines=())) == ".."
    assert holding(watched("errors > 5 %", [LOW, HIGH], only_absolute=True, baselines=())) == ".X"


def test_without_its_baseline_a_relative_guardrail_is_unknown_and_holds() -> None:
    assert holding(watched("latency > 3 x baseline", [0.1], baselines=())) == "X"


@pytest.mark.parametrize(
    ("guardrail", "values", "seen", "limit"),
    [
        ("errors > 5 %", [0.062], "6.2 %", "not > 5 %"),
        ("errors > 5 %", [N], "unknown: no answer in 1 s", "not > 5 %"),
        ("errors is unknown", [N], "unknown: no answer in 1 s", "a known value"),
        ("latency > 3 x baseline", [0.45], "450 ms", "not > 300 ms"),
        ("failed > 500 in total", [0, 1234567], "1,234,567 since the day opened", "not > 500"),
    ],
)
def test_a_breach_says_what_was_seen_and_what_was_allowed(guardrail: str, values: list[float | None], seen: str, limit: str) -> None:
    breach = watched(guardrail, values)[-1]
    assert breach is not None and (breach.guardrail, breach.seen, breach.limit) == (guardrail, seen, limit)
    assert breach.samples[0].value == values[-1]


def test_whatever_a_server_answers_fits_into_a_breach() -> None:
    yardstick = Yardstick(units=UNITS, abort_when=(Guardrail.parse("errors is unknown"),))
    answer = Sample(probe="errors", at=T0, unknown="HTTP 500:\n\x1b[31m<html>\u202e" + "x" * 250)
    _, breach = yardstick.advance(WatchState(steadiness=Steadiness(needed=3)), T0, {"errors": answer})
    assert breach is not None and breach.seen.startswith("unknown: HTTP 500:  [31m<html> xxx") and len(breach.seen) == 200


def test_a_probe_that_is_missing_from_a_tick_is_unknown() -> None:
    yardstick = Yardstick(units=UNITS, steady_state=(Tolerance.parse("errors < 1 %"),), abort_when=(Guardrail.parse("errors > 5 %"),))
    state, breach = yardstick.advance(WatchState(steadiness=Steadiness(needed=3)), T0, {})
    assert breach is not None and breach.seen == "unknown: no sample"
    assert state.steadiness.broke_at == T0


def test_the_first_guardrail_that_holds_is_the_breach() -> None:
    rules = tuple(map(Guardrail.parse, ("errors > 50 %", "errors > 5 %", "errors > 1 %")))
    yardstick = Yardstick(units=UNITS, abort_when=rules)
    _, breach = yardstick.advance(WatchState(steadiness=Steadiness(needed=3)), T0, {"errors": sample("errors", 0, 0.06)})
    assert breach is not None and breach.guardrail == "errors > 5 %"


@pytest.mark.parametrize(
    ("errors", "latency", "verdict", "decided_by"),
    [
        (0.001, 0.12, "good", None),
        (0.02, 0.12, "bad", "errors < 1 %"),
        (0.001, 0.16, "bad", "latency < 1.5 x baseline"),
        (N, 0.12, "unknown", "errors < 1 %"),
        (N, 0.16, "bad", "latency < 1.5 x baseline"),
    ],
)
def test_the_worst_tolerance_decides_the_steady_state(errors: float | None, latency: float, verdict: str, decided_by: str | None) -> None:
    steady = (Tolerance.parse("errors < 1 %"), Tolerance.parse("latency < 1.5 x baseline"))
    yardstick = Yardstick(units=UNITS, baselines=BASELINES, steady_state=steady)
    found, tolerance = yardstick.steady({"errors": sample("errors", 0, errors), "latency": sample("latency", 0, latency)})
    assert (found, str(tolerance) if tolerance else None) == (verdict, decided_by)


def test_pre_check_passes_over_relative_tolerances() -> None:
    yardstick = Yardstick(units=UNITS, steady_state=(Tolerance.parse("latency < 1.5 x baseline"),))
    assert yardstick.steady({"latency": sample("latency", 0, 9.0)})[0] == "unknown"
    assert yardstick.steady({"latency": sample("latency", 0, 9.0)}, only_absolute=True)[0] == "good"


SIGNS = {"g": Verdict.GOOD, "b": Verdict.BAD, "u": Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("series", "broke_at", "back_at", "steady"),
    [
        ("", N, N, False),
        ("ggggg", N, N, True),
        ("gg", N, N, False),
        ("gbggg", 1, 2, True),
        ("gbgg", 1, N, False),
        ("gbggbggg", 1, 5, True),
        ("ugguggg", 0, 4, True),
        ("bgggb", 0, N, False),
        ("bgggbggg", 0, 5, True),
    ],
)
def test_steady_state_is_back_after_enough_good_samples_in_a_row(series: str, broke_at: int | None, back_at: int | None, steady: bool) -> None:
    state = Steadiness(needed=3)
    for second, sign in enumerate(series):
        state = state.after(at(second), SIGNS[sign])
    assert state.broke_at == (at(broke_at) if broke_at is not None else None)
    assert state.back_at == (at(back_at) if back_at is not None else None)
    assert state.steady is steady


def test_totals_go_on_over_the_day_and_windows_begin_anew_with_each_phase() -> None:
    rules = (Guardrail.parse("errors > 5 % in 2 of 2 samples"), Guardrail.parse("failed > 5 in total"))
    yardstick = Yardstick(units=UNITS, abort_when=rules)
    state = WatchState(steadiness=Steadiness(needed=3), firing=("ErrorsHigh",))
    state, _ = yardstick.advance(state, at(0), {"errors": sample("errors", 0, HIGH), "failed": sample("failed", 0, 100)})
    state, _ = yardstick.advance(state.fresh(), at(1), {"errors": sample("errors", 1, HIGH), "failed": sample("failed", 1, 104)})
    assert state.firing == ("ErrorsHigh",) and state.totals["failed"].increase == 4
    _, breach = yardstick.advance(state.fresh(), at(2), {"errors": sample("errors", 2, LOW), "failed": sample("failed", 2, 107)})
    assert breach is not None and breach.seen == "7 since the day opened"


def test_how_long_something_has_been_unknown_is_kept() -> None:
    yardstick, state, since = Yardstick(units=UNITS), WatchState(steadiness=Steadiness(needed=3)), []
    for second, value in enumerate([LOW, N, N, LOW, N]):
        state, _ = yardstick.advance(state, at(second), {"errors": sample("errors", second, value)})
        since.append(state.unknown_since)
    assert since == [None, at(1), at(1), None, at(4)]


def test_samples_are_grouped_by_their_tick_in_order_of_time() -> None:
    samples = [sample("errors", 2, LOW), sample("errors", 1, HIGH), sample("latency", 1, 0.1)]
    assert [(moment, sorted(tick)) for moment, tick in ticks(samples)] == [(at(1), ["errors", "latency"]), (at(2), ["errors"])]


@given(st.lists(st.integers(0, 1000), min_size=1), st.sets(st.integers(1, 30)))
def test_a_total_is_what_was_counted_however_often_the_counter_is_reset(steps: list[int], resets: set[int]) -> None:
    shown, total = 0, Total().after(0)
    for index, step in enumerate(steps):
        shown = step if index in resets else shown + step
        before = total.increase
        total = total.after(shown)
        assert total.increase >= before
    if not resets & set(range(len(steps))):
        assert total.increase == sum(steps)


values = st.sampled_from([LOW / 10, 0.02, N])


@given(errors=st.lists(values, min_size=1, max_size=30), needed=st.integers(1, 4))
def test_watching_live_and_reading_the_record_say_the_same(errors: list[float | None], needed: int, story: Any) -> None:
    day = story(needed=needed).phases(pre_check=-30, inject=0).fault(on=0).reads("errors", errors)
    state: WatchState = day.plan.empty_state()
    for moment, tick in ticks(day.samples):
        state, _ = day.plan.yardstick().advance(state, moment, tick)
        if state.steadiness.back_at:
            break
    mitigate = clocks(day.record(), 0).mitigate
    if mitigate.known:
        assert mitigate.at == state.steadiness.back_at
    else:
        assert state.steadiness.back_at is not None, "only what the live watch took for mitigated may turn out to be unknown"
    assert mitigate.needed == (state.steadiness.broke_at is not None)
