"""Expectations judged from records that a reader can follow by eye, and the outcomes that follow."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.event import EventKind
from gameday.probe import Baseline
from gameday.verdicts import EXIT_CODES, Outcome, judge, scenario_outcome, worst

GOOD, BAD, N = 0.001, 0.05, None
KILL = "faults: [{name: slow, inject: process.kill, on: {host: local, process: x}}]"
FIRING = EventKind.ALERT_FIRING


def verdict(day: Any) -> tuple[str, str]:
    (judgement,) = judge(day.record(), 0)
    return judgement.word.value, judgement.seen


def ended(day: Any, recover: float = 60, off: float | None = 60.5, analyze: float = 120) -> Any:
    """A scenario that went through all its phases."""
    return day.phases(pre_check=-30, inject=-1, observe=0, recover=recover, analyze=analyze, ended=analyze + 1).fault(on=0, off=off)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([GOOD, 0.0062, GOOD], ("upheld", "worst sample 0.62 % at +0:02; 3 samples")),
        ([GOOD, BAD, GOOD], ("refuted", "worst sample 5 % at +0:02; 3 samples")),
        ([GOOD] * 8 + [N] * 2, ("upheld", "worst sample 0.1 % at +0:01; 2 of 10 samples unknown")),
        ([GOOD] * 7 + [N] * 3, ("unknown", "worst sample 0.1 % at +0:01; 3 of 10 samples unknown")),
        ([BAD] + [N] * 9, ("refuted", "worst sample 5 % at +0:01; 9 of 10 samples unknown")),
        ([N] * 3, ("unknown", "no sample was known; 3 of 3 samples unknown")),
        ([], ("unknown", "no sample was taken while the fault was on")),
    ],
)
def test_a_tolerance_must_hold_throughout(errors: list[float | None], expected: tuple[str, str], story: Any) -> None:
    assert verdict(ended(story(expect=["errors < 1 %"])).reads("errors", errors)) == expected


def test_a_tolerance_is_judged_from_inject_to_the_end_of_observe(story: Any) -> None:
    day = ended(story(expect=["errors < 1 %"]), recover=4, off=4.5)
    day.reads("errors", [BAD] * 5, start=-5).reads("errors", [GOOD] * 4, start=0).reads("errors", [BAD] * 3, start=4)
    assert verdict(day) == ("upheld", "worst sample 0.1 % at +0:00; 4 samples")


@pytest.mark.parametrize(
    ("phrase", "values", "seen"),
    [
        ("latency > 0.1 s", [0.5, 0.2, 0.3], "worst sample 200 ms at +0:02; 3 samples"),
        ("latency = 0.2 s", [0.2, 0.1, 0.25], "worst sample 100 ms at +0:02; 3 samples"),
        ("latency = 0.2 s", [0.2, 0.21, 0.4], "worst sample 400 ms at +0:03; 3 samples"),
    ],
)
def test_the_worst_sample_is_the_one_farthest_from_what_was_claimed(phrase: str, values: list[float], seen: str, story: Any) -> None:
    assert verdict(ended(story(expect=[phrase])).reads("latency", values))[1] == seen


def test_a_relative_tolerance_without_its_baseline_is_unknown(story: Any) -> None:
    day = ended(story(expect=["latency < 2 x baseline"])).reads("latency", [0.1] * 3)
    assert verdict(day)[0] == "unknown"
    measured = [Baseline(probe="latency", median=0.1, known=5).model_dump(mode="json")]
    assert verdict(day.happens(-2, EventKind.BASELINE, baselines=measured))[0] == "upheld"


@pytest.mark.parametrize(
    ("fires", "alert", "expected"),
    [
        (23, "LedgerDown", ("upheld", "firing at +0:23")),
        (30, "LedgerDown", ("upheld", "firing at +0:30")),
        (31, "LedgerDown", ("refuted", "firing at +0:31")),
        (-1, "LedgerDown", ("refuted", "it never fired in time")),
        (23, "ErrorsHigh", ("refuted", "it never fired in time")),
    ],
)
def test_an_alert_must_fire_in_its_time_after_inject(fires: float, alert: str, expected: tuple[str, str], story: Any) -> None:
    assert verdict(ended(story(expect=["alert LedgerDown within 30s"])).happens(fires, FIRING, alert=alert)) == expected


@pytest.mark.parametrize("expected", ["alert LedgerDown within 30s", "detected within 30s"])
@pytest.mark.parametrize(("at", "word"), [(-20, "refuted"), (5, "unknown")])
def test_where_alerts_could_not_be_read_silence_is_no_answer(expected: str, at: float, word: str, story: Any) -> None:
    """Before inject it takes nothing from the verdict."""
    day = ended(story(expect=[expected]))
    day.happens(at, EventKind.OBSERVER_GAP, reason="alerts cannot be read: no answer", alerts="unread")
    found = verdict(day)
    assert found[0] == word and ("alerts cannot be read: no answer" in found[1]) == (word == "unknown")


def test_what_an_abort_cut_short_was_not_reached(story: Any) -> None:
    day = story(expect=["alert LedgerDown within 60s"]).happens(42, EventKind.ABORTED, reason="enough seen", by="Ada")
    ended(day, recover=42, off=42.2, analyze=50)
    assert verdict(day) == ("not reached", "it never fired; the run was aborted 18 s before its time was up")


def test_what_a_skip_cut_short_was_not_reached(story: Any) -> None:
    day = story(expect=["detected within 60s"]).happens(42, EventKind.SKIPPED, reason="lunch")
    assert verdict(ended(day, recover=42)) == ("not reached", "not detected; the scenario was skipped 18 s before its time was up")


def test_what_the_scenarios_own_end_cut_short_was_not_reached(story: Any) -> None:
    day = ended(story(expect=["detected within 60s"]), recover=42).happens(500, EventKind.ABORTED, scenario=1, reason="later")
    assert verdict(day) == ("not reached", "not detected; the scenario ended 18 s before its time was up")


def test_an_abort_after_the_scenario_did_not_cut_it_short(story: Any) -> None:
    day = ended(story(expect=["detected within 60s"]), recover=42).happens(500, EventKind.ABORTED, scenario=None, reason="between scenarios")
    assert verdict(day) == ("not reached", "not detected; the scenario ended 18 s before its time was up")


def test_an_abort_after_the_time_was_up_changes_nothing(story: Any) -> None:
    day = story(expect=["alert LedgerDown within 30s"]).happens(42, EventKind.ABORTED, reason="enough seen", by="Ada")
    assert verdict(ended(day, recover=42)) == ("refuted", "it never fired in time")


@pytest.mark.parametrize(
    ("phrase", "errors", "expected"),
    [
        ("mitigated within 10s", [BAD, BAD, GOOD, GOOD, GOOD], ("upheld", "after 3 s: steady for 3 samples, the fault still on")),
        ("mitigated within 2s", [BAD, BAD, GOOD, GOOD, GOOD], ("refuted", "after 3 s: steady for 3 samples, the fault still on")),
        ("mitigated within 10s", [BAD] * 60, ("refuted", "not mitigated in time")),
        ("mitigated within 10s", [GOOD] * 60, ("not needed", "steady state never broke")),
        ("recovered within 10s", [GOOD] * 70, ("not needed", "steady state never broke")),
        ("recovered within 10s", [BAD] * 62 + [GOOD] * 4, ("upheld", "after 2.5 s: steady for 3 samples, the fault gone")),
        ("recovered within 1s", [BAD] * 62 + [GOOD] * 4, ("refuted", "after 2.5 s: steady for 3 samples, the fault gone")),
        ("recovered within 10s", [BAD] * 119, ("refuted", "not recovered in time")),
        ("recovered within 90s", [BAD] * 119, ("not reached", "not recovered; the scenario ended 30.5 s before its time was up")),
        ("detected within 10s", [], ("refuted", "not detected in time")),
    ],
)
def test_a_clock_must_stop_in_its_time(phrase: str, errors: list[float], expected: tuple[str, str], story: Any) -> None:
    assert verdict(ended(story(expect=[phrase])).reads("errors", errors)) == expected


def test_recovery_is_not_judged_while_the_fault_is_not_proven_gone(story: Any) -> None:
    assert verdict(ended(story(expect=["recovered within 10s"]), off=None)) == ("not reached", "the fault is not proven gone")


def test_recovery_of_a_momentary_fault_is_judged_from_inject(story: Any) -> None:
    day = story(expect=["recovered within 4s"], more=KILL).phases(pre_check=-30, inject=-1, observe=0, recover=1, analyze=5, ended=6)
    day.fault(on=0, off=2, kind="process.kill", outcome="spent").reads("errors", [BAD] * 5)
    assert verdict(day) == ("refuted", "not recovered in time")


def test_while_the_run_goes_on_nothing_is_refused_before_its_time(story: Any) -> None:
    day = story(expect=["alert LedgerDown within 30s"]).phases(pre_check=-30, inject=-1, observe=0).fault(on=0).reads("errors", [GOOD] * 20)
    assert verdict(day) == ("not reached", "it never fired so far; the record stops here")
    assert verdict(day.reads("errors", [GOOD] * 20, start=21)) == ("refuted", "it never fired in time")


def test_nothing_is_reached_where_nothing_was_injected(story: Any) -> None:
    assert verdict(story().phases(pre_check=-30, ended=0)) == ("not reached", "nothing was injected")


def outcome(day: Any) -> str:
    return scenario_outcome(day.record(), 0).value


def test_a_scenario_passes_when_what_it_claims_is_upheld(story: Any) -> None:
    day = ended(story(expect=["errors < 1 %", "mitigated within 10s"])).reads("errors", [GOOD] * 60)
    assert [judgement.word.value for judgement in judge(day.record(), 0)] == ["upheld", "not needed"]
    assert outcome(day) == "passed"


@pytest.mark.parametrize("errors", [[BAD] * 60, [N] * 60, []])
def test_a_scenario_fails_when_a_claim_is_refuted_or_could_not_be_seen(errors: list[float | None], story: Any) -> None:
    assert outcome(ended(story()).reads("errors", errors)) == "failed"


def test_a_scenario_in_which_nothing_was_injected_stood_down(story: Any) -> None:
    assert outcome(story().phases(pre_check=-30, ended=0)) == "stood-down"
    failed = (
        story().phases(pre_check=-30, inject=0, ended=9).fault(on=None).happens(1, EventKind.FAULT_FAILED, fault="f-slow", reason="no such process")
    )
    assert outcome(failed) == "stood-down"


def test_the_worst_of_what_happened_is_the_outcome(story: Any) -> None:
    day = ended(story()).reads("errors", [BAD] * 60)
    assert outcome(day) == "failed"
    assert outcome(day.happens(50, EventKind.ABORTED, reason="enough")) == "aborted"
    assert outcome(day.happens(51, EventKind.RUN_ERROR, scenario=None, what="bug")) == "error"
    assert outcome(day.happens(52, EventKind.FAULT_ENDED, fault="f-other", name="other", outcome="dirty")) == "dirty"


@pytest.mark.parametrize("on", [0, None])
def test_a_fault_whose_end_is_not_recorded_is_dirty(on: float | None, story: Any) -> None:
    assert outcome(story().phases(pre_check=-30, inject=-1, observe=0, ended=60).fault(on=on)) == "dirty"


@pytest.mark.parametrize("ending", ["reverted", "expired", "neutralised", "spent", "not-injected"])
def test_a_fault_that_is_proven_gone_is_not_dirty(ending: str, story: Any) -> None:
    day = story().phases(pre_check=-30, inject=-1, observe=0, recover=5, analyze=9, ended=10).fault(on=0, off=6, outcome=ending)
    assert outcome(day.reads("errors", [GOOD] * 8)) == "passed"


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], "stood-down"),
        (["stood-down", "passed"], "passed"),
        (["passed", "failed", "stood-down"], "failed"),
        (["failed", "aborted"], "aborted"),
        (["aborted", "error"], "error"),
        (["error", "dirty", "passed"], "dirty"),
    ],
)
def test_the_worst_scenario_decides_the_run(outcomes: list[str], expected: str) -> None:
    assert worst([Outcome(each) for each in outcomes]) == expected


def test_each_outcome_has_its_exit_code() -> None:
    assert {each.value: code for each, code in EXIT_CODES.items()} == {
        "passed": 0,
        "failed": 1,
        "aborted": 3,
        "stood-down": 4,
        "error": 5,
        "dirty": 6,
    }
    assert set(EXIT_CODES) == set(Outcome)
