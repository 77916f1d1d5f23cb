"""A list, a mapping, text or nothing where another of them is needed: what was expected is shown as it would be written."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Placed, Problems, changed, placed

DURATION = "a number with its unit: ms, s, m or h, such as '90s' or '5m'"

WRONG: dict[str, tuple[str, str, list[Placed]]] = {
    "a number where text is needed": ("name: checkout-day-june", "name: 12", [(1, 7, "name", "12 does not fit here", "text")]),
    "a list for the name of a fault": (
        "name: ledger-frozen",
        "name: [a]",
        [(28, 16, "scenarios[0].faults[0].name", "a list does not fit here", "text")],
    ),
    "a list for what a fault waits for": (
        "until: mitigated",
        "after: [a]",
        [(28, 107, "scenarios[0].faults[0].after", "a list does not fit here", "text")],
    ),
    "an alert that is no name": ("[LedgerDown]", "[{a: b}]", [(19, 75, "alerts.expected[0]", "a mapping does not fit here", "text")]),
    "a list for a time": ("for: 10m", "for: [10m]", [(28, 95, "scenarios[0].faults[0].for", "this is not a duration", DURATION)]),
    "a mapping where a phrase is needed": (
        "'errors < 0.1 %'",
        "{errors: 0.1}",
        [(20, 16, "steady_state[0]", "a phrase is text", "text, such as 'errors < 1 %'")],
    ),
    "a mapping where a list is needed": (
        "[{name: Linus, slack: U03}]",
        "{name: Linus, slack: U03}",
        [(9, 15, "team.responders", "a mapping does not fit here", "a list, such as [{…}]")],
    ),
    "one phrase where a list is needed": (
        "['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']",
        "errors < 0.1 %",
        [(20, 15, "steady_state", "'errors < 0.1 %' does not fit here", "a list, such as ['errors < 0.1 %']")],
    ),
    "nothing where a list is needed": (
        "['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']",
        "",
        [
            (20, 14, "steady_state", "an empty value does not fit here", "a list, such as [one, two]"),
            (28, 107, "scenarios[0].faults[0].until", "'until: mitigated' needs a steady state to come back to", "a 'steady_state' list"),
            (29, 61, "scenarios[0].expect[2]", "'mitigated' means steady state again, and no steady_state is declared", "a 'steady_state' list"),
            (29, 84, "scenarios[0].expect[3]", "'recovered' means steady state again, and no steady_state is declared", "a 'steady_state' list"),
        ],
    ),
    "a person that is only a name": (
        "{name: Ada, slack: U01}",
        "Ada",
        [(6, 15, "team.commander", "'Ada' does not fit here", "a mapping, such as {name: …, slack: …}")],
    ),
    "a word for a target": (
        "{host: local, process: ledger}",
        "ledger",
        [(28, 58, "scenarios[0].faults[0].on", "'ledger' does not fit here", "a mapping, such as {host: local, process: ledger}")],
    ),
    "neither a gate nor off": (
        "scenarios:",
        "gates: {day: on}\nscenarios:",
        [(22, 14, "gates.day", "'on' does not fit here", "a mapping, such as {timeout: …, ready: …} or 'off'")],
    ),
    "no source of alerts": (
        "{alertmanager: {url: 'http://127.0.0.1:9093'}}",
        "{}",
        [(19, 16, "alerts.from", "alerts come from exactly one source", "'alertmanager: {url: …}' or 'prometheus: {url: …}'")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_of_the_wrong_type_is_reported_where_it_is(old: str, new: str, expected: list[Placed], good: str, problems: Problems) -> None:
    assert placed(each for each in problems(changed(good, (old, new))) if not each.warning) == expected
