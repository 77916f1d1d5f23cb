"""What is expected: that something can judge it, and that its time is not longer than anybody watches."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Change, Problems, Said, changed, said

EXPECT = "['errors < 1 %', 'alert LedgerDown within 60s', 'mitigated within 5m', 'recovered within 30s']"
ALERTS = "alerts: {from: {alertmanager: {url: 'http://127.0.0.1:9093'}}, expected: [LedgerDown]}\n"
STEADY = "steady_state: ['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']\n"
SOURCE = "an 'alerts' block with 'from: {alertmanager: {url: …}}'"
MARKED = "no alerts are read: only people could mark the detection"

PROBLEMS: dict[str, tuple[list[Change], list[Said]]] = {
    "an alert without a source": ([(ALERTS, "")], [("scenarios[0].expect[1]", "no alert source could judge this", SOURCE)]),
    "recovery without a steady state": (
        [(STEADY, ""), (", until: mitigated", ""), ("'mitigated within 5m', ", "")],
        [("scenarios[0].expect[2]", "'recovered' means steady state again, and no steady_state is declared", "a 'steady_state' list")],
    ),
    "until mitigated without a steady state": (
        [(STEADY, ""), (", 'mitigated within 5m', 'recovered within 30s'", "")],
        [("scenarios[0].faults[0].until", "'until: mitigated' needs a steady state to come back to", "a 'steady_state' list")],
    ),
}

WARNINGS: dict[str, tuple[list[Change], list[Said]]] = {
    "nothing expected": (
        [(f"    expect: {EXPECT}\n", "")],
        [("scenarios[0]", "nothing is expected: this scenario would pass whatever happens", "an 'expect' list")],
    ),
    "mitigation after the fault has ended": (
        [("mitigated within 5m", "mitigated within 11m")],
        [
            (
                "scenarios[0].expect[2]",
                "'mitigated within 11m', but the fault ends by itself after 10m: people may never get the chance",
                "a longer 'for'",
            )
        ],
    ),
    "mitigation after the scenario has ended": (
        [("    expect:", "    observe: 5m\n    expect:"), ("mitigated within 5m", "mitigated within 6m")],
        [("scenarios[0].expect[2]", "'mitigated within 6m', but the scenario is observed for 5m only", "a longer 'for' (or 'observe')")],
    ),
    "detection, and no alert is named": (
        [("expected: [LedgerDown]", "expected: []"), ("'alert LedgerDown within 60s'", "'detected within 60s'")],
        [
            (
                "scenarios[0].expect[1]",
                "no alert is named: only people could mark the detection",
                "'expected: [NAME]' in the 'alerts' block",
            )
        ],
    ),
    "a fault that the scenario cuts short": (
        [("    expect:", "    observe: 6m\n    expect:"), (", until: mitigated", "")],
        [
            (
                "scenarios[0].faults[0].for",
                "this fault would be taken off before its time: the scenario is observed for 6m only",
                "a longer 'observe', or a shorter 'for'",
            )
        ],
    ),
    "an alert after the scenario has ended": (
        [("LedgerDown within 60s", "LedgerDown within 20m")],
        [("scenarios[0].expect[1]", "'alert LedgerDown within 20m', but the scenario is observed for 10m only", "a longer 'for' (or 'observe')")],
    ),
    "mitigation of what is over in a moment": (
        [("process.pause", "process.kill"), (", until: mitigated", "")],
        [("scenarios[0].expect[2]", "the fault is over in a moment, so there is nothing to mitigate while it is on", "'recovered within 5m'")],
    ),
    "recovery longer than it is watched": (
        [("recovered within 30s", "recovered within 3m")],
        [("scenarios[0].expect[3]", "'recovered within 3m', but recovery is watched for 2m only", "a longer 'afterwards.recover_within'")],
    ),
    "a card after the faults, though observe is longer": (
        [("    expect:", "    observe: 20m\n    expect:"), ("at: 4m", "at: 12m")],
        [("scenarios[0].cards[0].at", "this card comes after the scenario is over (10m)", "an earlier 'at'")],
    ),
    "a card that comes too late": (
        [("at: 4m", "at: 10m")],
        [("scenarios[0].cards[0].at", "this card comes after the scenario is over (10m)", "an earlier 'at'")],
    ),
    "a fault that comes too late": (
        [("    expect:", "    observe: 9m\n    expect:"), (", until: mitigated", ", until: mitigated, at: 9m")],
        [("scenarios[0].faults[0].at", "this fault would start after the scenario is over (9m)", "an earlier 'at'")],
    ),
    "detection that only people could mark": (
        [(ALERTS, ""), ("alert LedgerDown within", "detected within")],
        [("scenarios[0].expect[1]", MARKED, SOURCE)],
    ),
    "until a detection that only people could mark": (
        [(ALERTS, ""), (", 'alert LedgerDown within 60s'", ""), ("until: mitigated", "until: detected")],
        [
            ("scenarios[0].faults[0].until", MARKED, SOURCE),
            (
                "scenarios[0].expect[1]",
                "'mitigated within 5m', but the fault ends as soon as it is detected: people may never get the chance",
                "'until: mitigated'",
            ),
        ],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_an_expectation_that_nothing_could_judge_is_a_problem(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    assert said(each for each in problems(changed(good, *changes)) if not each.warning) == expected


@pytest.mark.parametrize(("changes", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_an_expectation_that_may_never_come_true_is_a_warning(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    found = problems(changed(good, *changes))
    assert said(found) == expected and all(each.warning for each in found)
