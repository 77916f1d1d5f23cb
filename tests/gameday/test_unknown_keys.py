"""Keys and kinds that there are not, or that are missing: each is reported where it is, with the likely one beside it."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Placed, Problems, changed, placed

KNOWN = "`gameday catalog` lists all"

WRONG: dict[str, tuple[str, str, list[Placed]]] = {
    "an unknown key": (
        "objective:",
        "objektive:",
        [
            (1, 1, "playbook", "'objective' is missing", "what is to be learned, as a question in one line"),
            (2, 1, "objektive", "there is no key 'objektive' here", "did you mean 'objective'?"),
        ],
    ),
    "an unknown key further down": (
        "latest_inject:",
        "last_inject:",
        [(4, 25, "times.last_inject", "there is no key 'last_inject' here", "did you mean 'latest_inject'?")],
    ),
    "a python name in place of its key": (
        "for: 10m",
        "duration: 10m",
        [(28, 90, "scenarios[0].faults[0].duration", "there is no key 'duration' here", "one of after, at, for, inject, name, on, until, with")],
    ),
    "a key of the day in a scenario": (
        "    sealed: true\n",
        "    sealed: true\n    gates: {day: off}\n",
        [(27, 5, "scenarios[0].gates", "there is no key 'gates' here", "'gates' at the top level, beside 'scenarios'")],
    ),
    "a key of a scenario in the day": (
        "scenarios:",
        "sealed: true\nscenarios:",
        [
            (
                22,
                1,
                "sealed",
                "there is no key 'sealed' here",
                "'sealed' inside a scenario (or a day without 'scenarios', of which it is the only one)",
            )
        ],
    ),
    "a mistake inside a gate": (
        "scenarios:",
        "gates: {day: {timout: 5m}}\nscenarios:",
        [(22, 15, "gates.day.timout", "there is no key 'timout' here", "did you mean 'timeout'?")],
    ),
    "an unknown key that would colour the terminal": (
        "scenarios:",
        '"a\\e[31m": 1\nscenarios:',
        [
            (
                22,
                1,
                "'a\\x1b[31m'",
                "there is no key 'a\\x1b[31m' here",
                "one of abort_from, abort_when, alerts, blast_radius, checklist, environment, gates, name and 11 more",
            )
        ],
    ),
    "a parameter that is missing": (
        "query: 'sum(rate(http_errors_total[15s])) / sum(rate(http_requests_total[15s]))', ",
        "",
        [(16, 29, "probes.errors.prometheus", "'query' is missing", "a PromQL query, such as 'sum(rate(http_errors_total[1m]))'")],
    ),
    "a parameter that the kind does not have": (
        "for: 10m",
        "for: 10m, with: {x: 1}",
        [(28, 107, "scenarios[0].faults[0].with.x", "there is no key 'x' here", "no keys at all")],
    ),
    "a source of alerts without its address": (
        "{url: 'http://127.0.0.1:9093'}",
        "{}",
        [(19, 31, "alerts.from.alertmanager", "'url' is missing", "the base URL, such as http://127.0.0.1:9093")],
    ),
    "an unknown injector": (
        "process.pause",
        "proces.pause",
        [(28, 39, "scenarios[0].faults[0].inject", "there is no injector 'proces.pause'", f"did you mean 'process.pause'?  {KNOWN} 4")],
    ),
    "an unknown injector in other letters": (
        "process.pause",
        "PROCESS.PAUSE",
        [(28, 39, "scenarios[0].faults[0].inject", "there is no injector 'PROCESS.PAUSE'", f"did you mean 'process.pause'?  {KNOWN} 4")],
    ),
    "an unknown probe kind": (
        "{prometheus:",
        "{prometeus:",
        [(16, 17, "probes.errors.prometeus", "there is no probe 'prometeus'", f"did you mean 'prometheus'?  {KNOWN} 3")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG.values(), ids=WRONG)
def test_a_key_or_kind_that_is_unknown_or_missing_is_reported_where_it_is(
    old: str, new: str, expected: list[Placed], good: str, problems: Problems
) -> None:
    assert placed(each for each in problems(changed(good, (old, new))) if not each.warning) == expected


DELAY = "how much later each packet arrives, such as '90s'"

WRONG_AT_THE_TOP: dict[str, tuple[str, str, list[Placed]]] = {
    "an unknown parameter": (
        "delay: 100ms",
        "dely: 100ms",
        [
            (6, 54, "faults[0].with", "'delay' is missing", DELAY),
            (6, 55, "faults[0].with.dely", "there is no key 'dely' here", "did you mean 'delay'?"),
        ],
    ),
    "no parameters": (", with: {delay: 100ms}", "", [(6, 10, "faults[0].with", "'delay' is missing", DELAY)]),
    "an unknown key": (
        "faults:",
        "fault:",
        [
            (1, 1, "playbook", "'faults' is missing", "the disturbances, at least one"),
            (6, 1, "fault", "there is no key 'fault' here", "did you mean 'faults'?"),
        ],
    ),
    "no objective": (
        "objective: Does it hold?\n",
        "",
        [(1, 1, "playbook", "'objective' is missing", "what is to be learned, as a question in one line")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG_AT_THE_TOP.values(), ids=WRONG_AT_THE_TOP)
def test_in_a_day_of_one_scenario_it_is_reported_where_it_is_in_the_file(
    old: str, new: str, expected: list[Placed], small: str, problems: Problems
) -> None:
    assert placed(problems(changed(small, (old, new)))) == expected
