"""The day and its people: times in order, scenarios within them, everybody known and nobody twice."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Change, Problems, Said, before_scenarios, changed, said

PROBLEMS: dict[str, tuple[list[Change], list[Said]]] = {
    "a day that ends before it can inject": (
        [("stop: '16:00'", "stop: '15:30'")],
        [("times.stop", "stop 15:30 is not after latest_inject 15:30", "start, then latest_inject, then stop, within one day")],
    ),
    "a day past midnight": (
        [("start: '14:00', latest_inject: '15:30', stop: '16:00'", "start: '22:00', stop: '02:00'"), ("    planned: '14:15'\n", "")],
        [("times.stop", "stop 02:00 is not after start 22:00", "start, then latest_inject, then stop, within one day")],
    ),
    "a scenario when nothing may be injected any more": (
        [("planned: '14:15'", "planned: '15:30'")],
        [("scenarios[0].planned", "planned at 15:30, when nothing may be injected any more", "a time before latest_inject 15:30")],
    ),
    "a scenario before the day starts": (
        [("planned: '14:15'", "planned: '13:59'")],
        [("scenarios[0].planned", "planned at 13:59, before the day's start at 14:00", "scenarios in the order of the day")],
    ),
    "a checklist item of nobody": (
        [("Deploys frozen, owner: Ada", "Deploys frozen, owner: Aida")],
        [("checklist[0].owner", "'Aida' is not on the team, or is away", "did you mean 'Ada'?")],
    ),
    "a checklist item of somebody who is away": (
        [("Deploys frozen, owner: Ada", "Deploys frozen, owner: Barbara")],
        [("checklist[0].owner", "'Barbara' is not on the team, or is away", "one of Ada, Edsger, Grace, Linus, Margaret")],
    ),
    "one Slack id for two people": (
        [("{name: Grace, slack: U02}", "{name: Grace, slack: U01}")],
        [("team.safety.slack", "'U01' is Ada's already: nobody could tell who speaks", "Grace's own")],
    ),
}

WARNINGS: dict[str, tuple[list[Change], list[Said]]] = {
    "caps on candidates of whom there are none": (
        [before_scenarios("blast_radius: {max_share: 10 %, min_healthy: 2}")],
        [
            (f"blast_radius.{key}", f"no fault chooses among candidates, so {key} caps nothing", "'on: {hosts: {label: value}}', or max_targets")
            for key in ("max_share", "min_healthy")
        ],
    ),
    "somebody with two roles": (
        [("{name: Grace, slack: U02}", "{name: Ada, slack: U01}")],
        [("team.safety.name", "'Ada' is on the team twice: the first role counts", "one role a person")],
    ),
    "times without a zone": (
        [(", zone: Europe/Berlin", "")],
        [("times", "no zone is given: these times are in UTC", "'zone: Europe/Berlin', or 'zone: UTC'")],
    ),
    "a planned scenario without a zone": (
        [("times: {start: '14:00', latest_inject: '15:30', stop: '16:00', zone: Europe/Berlin}\n", "")],
        [("scenarios[0].planned", "no times.zone is given: this time is in UTC", "'times: {zone: Europe/Berlin}'")],
    ),
    "more people ready than there are": (
        [before_scenarios("gates: {inject: {ready: 6}}")],
        [("gates.inject.ready", "6 people must say ready, and the team has 5", "at most 5")],
    ),
    "a checklist to tick that is not there": (
        [
            before_scenarios("gates: {day: {checklist: true}}"),
            ("  - {item: Deploys frozen, owner: Ada}\n  - {item: Abort criteria read aloud, owner: Ada}\n", ""),
            ("checklist:\n", ""),
        ],
        [("gates.day.checklist", "there is no checklist that could be ticked", "a 'checklist' list")],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_day_that_cannot_be_held_is_a_problem(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    assert said(each for each in problems(changed(good, *changes)) if not each.warning) == expected


@pytest.mark.parametrize(("changes", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_a_day_that_may_go_wrong_is_a_warning(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    found = problems(changed(good, *changes))
    assert said(found) == expected and all(each.warning for each in found)


def test_a_day_needs_no_times(good: str, problems: Problems) -> None:
    assert (
        problems(
            changed(
                good, ("times: {start: '14:00', latest_inject: '15:30', stop: '16:00', zone: Europe/Berlin}\n", ""), ("    planned: '14:15'\n", "")
            )
        )
        == ()
    )


def test_scenarios_are_planned_in_the_order_of_the_day(good: str, problems: Problems) -> None:
    second = good[good.index("  - title") :].replace("14:15", "14:10")
    assert said(problems(good + second)) == [
        ("scenarios[1].planned", "planned at 14:10, before the scenario above it, planned at 14:15", "scenarios in the order of the day")
    ]
