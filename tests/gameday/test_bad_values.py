"""Values out of their range, or of a form that nobody can read: times, numbers, shares, choices, phrases."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Placed, Problems, changed, placed

DURATION = "a number with its unit: ms, s, m or h, such as '90s' or '5m'"

WRONG: dict[str, tuple[str, str, list[Placed]]] = {
    "a parameter out of bounds": (
        "quantile: 0.99",
        "quantile: 99",
        [(17, 118, "probes.latency_p99.openmetrics.quantile", "99 is too large", "less than 1")],
    ),
    "a unit that there is not": (
        "unit: ratio",
        "unit: percent",
        [(16, 118, "probes.errors.prometheus.unit", "there is no unit 'percent'", "one of ratio, %, ms, s, m, h, B, KiB, MiB, GiB, /s, count")],
    ),
    "a wrong phrase, with the column inside its quotes": (
        "'errors < 0.1 %'",
        "'errors < 0.1 pct'",
        [(20, 30, "steady_state[0]", "'pct' is not a unit", "one of %, ms, s, m, h, B, KiB, MiB, GiB, /s, or 'x baseline'")],
    ),
    "a time without its unit": ("for: 10m", "for: 10", [(28, 95, "scenarios[0].faults[0].for", "10 has no unit", DURATION)]),
    "a time in words": ("for: 10m", "for: 10 minutes", [(28, 95, "scenarios[0].faults[0].for", "'10 minutes' is not a duration", DURATION)]),
    "no time at all": ("for: 10m", "for: 0s", [(28, 95, "scenarios[0].faults[0].for", "'0s' is too small", "more than 0s")]),
    "a longer time than there is": (
        "for: 10m",
        "for: 169h",
        [(28, 95, "scenarios[0].faults[0].for", "'169h' is longer than a week", "at most 168h")],
    ),
    "a word that is none of the choices": (
        "until: mitigated",
        "until: fixed",
        [(28, 107, "scenarios[0].faults[0].until", "'fixed' does not fit here", "'mitigated' or 'detected'")],
    ),
    "neither true nor false": ("sealed: true", "sealed: perhaps", [(26, 13, "scenarios[0].sealed", "'perhaps' does not fit here", "true or false")]),
    "neither a number nor a share": (
        "{host: local, process: ledger}",
        "{hosts: {app: ledger}, process: ledger, count: 0 %}",
        [(28, 105, "scenarios[0].faults[0].on.count", "'0 %' does not fit here", "a share such as '30 %' or a whole number")],
    ),
    "too often": ("scenarios:", "sampling: {every: 10ms}\nscenarios:", [(22, 19, "sampling.every", "'10ms' is too small", "at least 100ms")]),
    "half a sample": (
        "scenarios:",
        "sampling: {steady_samples: 2.5}\nscenarios:",
        [(22, 28, "sampling.steady_samples", "2.5 does not fit here", "a whole number")],
    ),
    "a huge number": (
        "scenarios:",
        "blast_radius: {max_targets: 99999999999999999999}\nscenarios:",
        [(22, 29, "blast_radius.max_targets", "'99999999999999999999' is too large", "at most 1000")],
    ),
    "a number too long to be read": (
        "scenarios:",
        f"blast_radius: {{max_targets: {'9' * 5000}}}\nscenarios:",
        [(22, 29, "blast_radius.max_targets", f"'{'9' * 59}…' does not fit here", "a whole number")],
    ),
    "a time of day without its zero": (
        "'14:00'",
        "9:00",
        [(4, 16, "times.start", "'9:00' does not fit here", "a time of day in quotes, such as '14:30'")],
    ),
    "a time of day that there is not": (
        "'16:00'",
        "'24:00'",
        [(4, 55, "times.stop", "'24:00' does not fit here", "a time of day in quotes, such as '14:30'")],
    ),
    "a time zone that there is not": (
        "Europe/Berlin",
        "Europe/Berln",
        [(4, 70, "times.zone", "there is no time zone 'Europe/Berln'", "did you mean 'Europe/Berlin'?")],
    ),
    "a time zone that is a path": (
        "Europe/Berlin",
        "../../etc/passwd",
        [(4, 70, "times.zone", "there is no time zone '../../etc/passwd'", "an IANA name such as 'Europe/Berlin'")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG.values(), ids=WRONG)
def test_a_value_that_does_not_fit_is_reported_where_it_is(old: str, new: str, expected: list[Placed], good: str, problems: Problems) -> None:
    assert placed(each for each in problems(changed(good, (old, new))) if not each.warning) == expected


@pytest.mark.parametrize("written", [".nan", "nan", ".inf", "-.inf", "1.0e999", "1e400"])
def test_a_number_that_is_none_is_refused(written: str, small: str, problems: Problems) -> None:
    found = problems(changed(small, ("{delay: 100ms}", f"{{delay: 100ms, loss_percent: {written}}}")))
    assert placed(found)[0][:3] == (6, 83, "faults[0].with.loss_percent")
    assert found[0].expected == "a number" or found[0].message.endswith("is too large")


def test_a_wrong_phrase_of_a_day_of_one_scenario_is_reported_where_it_is_in_the_file(small: str, problems: Problems) -> None:
    assert placed(problems(changed(small, ("errors < 1 %", "errors < 1 pct"))))[0][:3] == (7, 22, "expect[0]")
