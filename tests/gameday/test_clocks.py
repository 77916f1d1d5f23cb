"""The three clocks and the bill, computed from records that a reader can follow by eye."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gameday.clocks import bill, clocks
from gameday.event import EventKind
from gameday.language import Clock
from gameday.probe import Baseline

T0 = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
GOOD, BAD, N = 0.001, 0.05, None
TWO = """faults:
  - {name: slow, inject: network.latency, with: {delay: 1s}}
  - {name: lossy, inject: network.latency, with: {delay: 1s}}"""
KILL = "faults: [{name: slow, inject: process.kill, on: {host: local, process: x}}]"


def seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()


def test_nothing_is_measured_where_nothing_was_injected(story: Any) -> None:
    day = story().phases(pre_check=-30).reads("errors", [BAD] * 5)
    read = clocks(day.record(), 0)
    assert [seconds(read[clock].after) for clock in Clock] == [None, None, None]
    assert bill(day.record(), 0).totals == {}


def test_detection_is_the_first_alert_that_the_playbook_names(story: Any) -> None:
    day = story(expect=["alert LedgerDown within 60s"]).fault()
    day.happens(5, EventKind.ALERT_FIRING, alert="SomethingElse")
    day.happens(23, EventKind.ALERT_FIRING, alert="LedgerDown")
    day.happens(30, EventKind.ALERT_FIRING, alert="ErrorsHigh")
    detect = clocks(day.record(), 0).detect
    assert (seconds(detect.after), detect.how) == (23, "alert LedgerDown")


def test_detection_is_the_mark_of_a_person_who_was_first(story: Any) -> None:
    day = story().fault().happens(12, EventKind.MARK, actor="Linus", clock="detected").happens(23, EventKind.ALERT_FIRING, alert="ErrorsHigh")
    detect = clocks(day.record(), 0).detect
    assert (seconds(detect.after), detect.how) == (12, "marked by Linus")


def test_a_mark_of_mitigation_detects_nothing(story: Any) -> None:
    day = story().fault().happens(12, EventKind.MARK, actor="Linus", clock="mitigated")
    assert clocks(day.record(), 0).detect.after is None


def test_alerts_before_inject_detect_nothing(story: Any) -> None:
    day = story().fault().happens(-0.5, EventKind.ALERT_FIRING, alert="ErrorsHigh").happens(40, EventKind.ALERT_FIRING, alert="ErrorsHigh")
    assert seconds(clocks(day.record(), 0).detect.after) == 40


def test_alerts_of_another_scenario_detect_nothing(story: Any) -> None:
    day = story().fault().happens(5, EventKind.ALERT_FIRING, scenario=1, alert="ErrorsHigh")
    assert clocks(day.record(), 0).detect.after is None


@pytest.mark.parametrize(
    ("errors", "after", "needed"),
    [
        ([GOOD] * 8, N, False),
        ([BAD, BAD, GOOD, GOOD, GOOD], 3, True),
        ([GOOD, BAD, GOOD, GOOD, GOOD, BAD], 3, True),
        ([BAD, GOOD, GOOD, BAD, GOOD, GOOD, GOOD], 5, True),
        ([BAD, GOOD, GOOD, N, GOOD, GOOD, GOOD], 5, True),
        ([N, GOOD, GOOD, GOOD], N, True),
        ([N, BAD, GOOD, GOOD, GOOD], 3, True),
        ([BAD, GOOD, GOOD], N, True),
        ([BAD] * 8, N, True),
    ],
)
def test_mitigated_is_the_first_of_enough_good_samples_after_it_broke(
    errors: list[float | None], after: float | None, needed: bool, story: Any
) -> None:
    mitigate = clocks(story(needed=3).fault().reads("errors", errors).record(), 0).mitigate
    assert (seconds(mitigate.after), mitigate.needed) == (after, needed)


def test_mitigation_needs_the_fault_to_be_on(story: Any) -> None:
    day = story(needed=3).fault(on=0, off=3.5).reads("errors", [BAD, GOOD, GOOD, GOOD, GOOD, GOOD])
    read = clocks(day.record(), 0)
    assert read.mitigate.after is None and read.mitigate.needed
    assert seconds(read.recover.after) == 0.5


def test_between_two_faults_nothing_is_mitigated(story: Any) -> None:
    """The first is off from 3 to 8: what was good then says nothing about living with a fault."""
    day = story(needed=3, more=TWO).fault(on=0, off=3.5).fault(on=8, off=20, name="lossy")
    read = clocks(day.reads("errors", [BAD, BAD, BAD, GOOD, GOOD, GOOD, GOOD, BAD, BAD, GOOD, GOOD, GOOD]).record(), 0)
    assert seconds(read.mitigate.after) == 10


def test_a_fault_is_off_when_its_host_proved_it_not_when_the_run_heard_of_it(story: Any) -> None:
    day = story(needed=3).fault(on=0).reads("errors", [BAD, BAD, BAD, GOOD, GOOD, GOOD, GOOD])
    facts = {"name": "slow", "label": "local", "kind": "network.latency", "outcome": "expired", "off_at": (T0 + timedelta(seconds=3)).isoformat()}
    day.happens(30, EventKind.FAULT_ENDED, fault="f-slow", **facts)
    read = clocks(day.record(), 0)
    assert read.mitigate.after is None
    assert seconds(read.recover.after) == 1


def test_mitigation_ends_when_the_revert_begins_not_when_it_is_proven(story: Any) -> None:
    day = story(needed=3).phases(inject=0, observe=1, recover=3.5, analyze=20).fault(on=0, off=10.5).reads("errors", [BAD, *[GOOD] * 12])
    read = clocks(day.record(), 0)
    assert read.mitigate.after is None
    assert seconds(read.recover.after) == 0.5  # the first sample after the proof


def test_mitigation_shows_its_proof(story: Any) -> None:
    day = story(needed=3).fault().reads("errors", [BAD, GOOD, GOOD, GOOD, GOOD]).reads("latency", [9.0] * 5)
    mitigate = clocks(day.record(), 0).mitigate
    assert [(sample.probe, (sample.at - T0).total_seconds()) for sample in mitigate.proof] == [("errors", 2), ("errors", 3), ("errors", 4)]
    assert mitigate.how == "steady for 3 samples, the fault still on"


def test_what_broke_before_inject_does_not_count(story: Any) -> None:
    day = story(needed=3).phases(pre_check=-30, inject=-1).fault().reads("errors", [BAD] * 3, start=-10).reads("errors", [GOOD] * 5)
    assert clocks(day.record(), 0).mitigate.needed is False


def test_a_relative_steady_state_is_judged_by_the_measured_baseline(story: Any) -> None:
    day = story(steady=["latency < 1.5 x baseline"], needed=2)
    day.happens(-1, EventKind.BASELINE, baselines=[Baseline(probe="latency", median=0.1, known=5).model_dump(mode="json")])
    day.fault().reads("latency", [0.14, 0.16, 0.14, 0.14])
    assert seconds(clocks(day.record(), 0).mitigate.after) == 3


def test_recovery_counts_from_the_proof_that_the_fault_is_gone(story: Any) -> None:
    day = story(needed=3).phases(inject=0, observe=1, recover=4, analyze=30).fault(on=0, off=5)
    day.reads("errors", [BAD, BAD, BAD, BAD, BAD, BAD, BAD, GOOD, GOOD, GOOD])
    recover = clocks(day.record(), 0).recover
    assert (seconds(recover.after), recover.how) == (3, "steady for 3 samples, the fault gone")


def test_recovery_counts_from_the_last_of_several_faults(story: Any) -> None:
    day = story(needed=2, more=TWO).fault(on=0, off=3).fault(on=1, off=6, name="lossy").reads("errors", [BAD] * 7 + [GOOD] * 3)
    assert seconds(clocks(day.record(), 0).recover.after) == 2


def test_there_is_no_recovery_while_a_fault_is_not_proven_gone(story: Any) -> None:
    day = story(needed=2, more=TWO).fault(on=0, off=3).fault(on=1, name="lossy").reads("errors", [BAD] * 3 + [GOOD] * 5)
    assert clocks(day.record(), 0).recover.after is None
    dirty = story(needed=2).fault(on=0, off=3, outcome="dirty").reads("errors", [BAD] * 3 + [GOOD] * 5)
    assert clocks(dirty.record(), 0).recover.after is None


def test_recovery_is_not_needed_when_steady_state_never_broke(story: Any) -> None:
    day = story(needed=3).fault(on=0, off=4).reads("errors", [GOOD] * 10)
    recover = clocks(day.record(), 0).recover
    assert (recover.after, recover.needed, recover.how) == (None, False, "steady state never broke")


def test_recovery_is_watched_until_analyze(story: Any) -> None:
    day = story(needed=3).phases(inject=0, observe=1, recover=3, analyze=8).fault(on=0, off=4).reads("errors", [BAD] * 5 + [GOOD] * 9)
    assert clocks(day.record(), 0).recover.after is None  # good at 6 and 7 only, before analyze


def test_a_momentary_fault_recovers_from_inject_and_has_nothing_to_mitigate(story: Any) -> None:
    day = story(needed=3, more=KILL).fault(on=0, off=0.1, kind="process.kill", outcome="spent").reads("errors", [BAD, BAD, GOOD, GOOD, GOOD])
    read = clocks(day.record(), 0)
    assert seconds(read.recover.after) == 3
    assert (read.mitigate.needed, read.mitigate.how) == (False, "the fault was over in a moment: see recovered")


def test_the_bill_counts_time_outside_steady_state_and_what_the_counters_grew(story: Any) -> None:
    day = story().phases(pre_check=-30, inject=0, observe=1, recover=6, analyze=8).fault(on=0, off=6.5)
    day.reads("errors", [BAD] * 2, start=-5)
    day.reads("errors", [BAD, BAD, N, BAD, GOOD, GOOD, BAD], start=1)
    day.reads("failed", [90.0, 100.0], start=-2).reads("failed", [104.0, 110.0, 3.0], start=1)
    cost = bill(day.record(), 0)
    assert cost.outside == timedelta(seconds=3)  # from 1 to 3, and from 4 to 5; what comes after the last sample is not known
    assert cost.unknown_ticks == 1
    assert cost.totals == {"failed": 13.0}  # 4 + 6, then a reset and 3


def test_the_bill_of_a_record_that_lost_its_phases_is_still_made(story: Any) -> None:
    assert bill(story().phases().fault().reads("errors", [BAD, GOOD]).record(), 0).outside == timedelta(seconds=1)


def test_where_nobody_looked_nothing_is_known(story: Any) -> None:
    """Neither with the fault on, nor since it is gone: that steady state never broke would be a guess."""
    unwatched = clocks(story().fault(off=60).reads("errors", [GOOD] * 5, start=80).record(), 0)
    assert not unwatched.mitigate.known and not unwatched.recover.known
    left = clocks(story().fault(off=60).reads("errors", [GOOD] * 5).record(), 0)
    assert (left.mitigate.known, left.mitigate.needed) == (True, False)
    assert not left.recover.known and "since it was gone" in left.recover.how
