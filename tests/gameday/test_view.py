"""The view is a fold: what it shows at a moment is what the record says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gameday.clocks import clocks
from gameday.event import Event, EventKind
from gameday.language import Clock
from gameday.record import RunRecord
from gameday.view import RunView


def seen(record: RunRecord) -> RunView:
    """The view after everything in the record, in the order of time."""
    view = RunView(record.plan, record.plan.started_at)
    for item in sorted([*record.events, *record.samples], key=lambda item: (item.at, not isinstance(item, Event))):
        view.take(item)
    return view


def test_its_clocks_are_those_of_the_report(story: Any) -> None:
    told = story(needed=3).phases(pre_check=-30, inject=0, observe=0.5, recover=12, analyze=25).fault(on=0, off=12.5)
    told.happens(3, EventKind.STEADY_LOST, what="errors").happens(5, EventKind.ALERT_FIRING, alert="ErrorsHigh")
    told.happens(9, EventKind.STEADY_BACK, samples=3, since="2026-06-18T12:00:07+00:00")
    told.reads("errors", [0.0, 0.0, 0.05, 0.05, 0.05, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    record = told.record()
    shown, reported = seen(record).clocks, clocks(record, 0)
    assert {clock: after for clock, (after, _) in shown.items()} == {clock: reported[clock].after for clock in Clock}
    assert shown[Clock.DETECT] == (timedelta(seconds=5), "alert ErrorsHigh")


def test_the_recover_clock_starts_anew_when_another_fault_is_put_on(story: Any) -> None:
    told = story(needed=2).phases(pre_check=-30, inject=0).fault(on=0, off=3, name="slow").happens(1, EventKind.STEADY_LOST, what="errors")
    told.reads("errors", [0.05, 0.05, 0.0, 0.0, 0.0, 0.0])
    before = seen(told.record())
    assert before.clocks[Clock.RECOVER][0] == timedelta(0)
    facts = {"name": "again", "label": "local", "kind": "network.latency"}
    told.happens(8, EventKind.FAULT_ARMED, fault="f-again", **facts).happens(9, EventKind.FAULT_ACTIVE, fault="f-again", **facts)
    after = seen(told.record())
    assert Clock.RECOVER not in after.clocks
    assert after.gone_at is None


def test_a_fault_whose_end_is_told_late_was_off_when_its_host_proved_it(story: Any) -> None:
    told = story(needed=2).phases(pre_check=-30, inject=0, observe=0.5).fault(on=0, off=12.5).happens(1, EventKind.STEADY_LOST, what="errors")
    told.reads("errors", [0.05] * 6 + [0.0] * 10)
    record = told.record()
    early = "2026-06-18T12:00:05+00:00"
    moved = [e.model_copy(update={"data": e.data | {"off_at": early}}) if e.kind is EventKind.FAULT_ENDED else e for e in record.events]
    record = replace(record, events=tuple(moved))
    assert seen(record).clocks[Clock.RECOVER][0] == clocks(record, 0).recover.after == timedelta(seconds=2)


def test_a_momentary_fault_is_recovered_from_its_inject(story: Any) -> None:
    kill = "faults: [{name: slow, inject: process.kill, on: {host: local, process: x}}]"
    told = story(needed=2, more=kill).phases(pre_check=-30, inject=0).fault(on=0, off=4, kind="process.kill", outcome="spent")
    told.happens(1, EventKind.STEADY_LOST, what="errors")
    told.reads("errors", [0.05, 0.05, 0.05, 0.05, 0.05, 0.0, 0.0, 0.0])
    assert seen(told.record()).clocks[Clock.RECOVER][0] == timedelta(seconds=6)


def test_time_outside_steady_state_counts_from_inject_and_stops_with_analyze(story: Any) -> None:
    told = story().phases(pre_check=-30, inject=0, analyze=6.5).fault(on=0, off=5)
    told.reads("errors", [0.5] * 5, start=-5)
    told.reads("errors", [0.05, 0.05, 0.05, 0.0, 0.0, 0.05, 0.05, 0.05])
    assert seen(told.record()).outside == timedelta(seconds=3)


def test_a_hold_an_end_and_a_gate_are_states(story: Any) -> None:
    told = story().happens(-9, EventKind.GATE_WAITING, gate="inject 1", until="2026-06-18T12:15:00+00:00")
    view = seen(told.record())
    assert (view.gate, view.open_gate is not None) == ("inject 1", True)
    told.happens(-8, EventKind.HELD, actor="Ada")
    assert seen(told.record()).held
    told.happens(-7, EventKind.RESUMED, actor="Ada").happens(-6, EventKind.ABORTED, reason="enough", by="abort", actor="Ada")
    view = seen(told.record())
    assert (view.held, view.gate, view.ending) == (False, "", "enough")


def test_the_end_of_a_fault_moves_with_an_extension(story: Any) -> None:
    told = story(more="faults: [{name: slow, inject: network.latency, with: {delay: 1s}, for: 30s, until: mitigated}]").fault(on=0)
    (row,) = seen(told.record()).faults.values()
    assert row.ends_at == told.plan.started_at + timedelta(seconds=90)  # the plan is of a minute before inject
    assert row.until == "mitigated"
    told.happens(10, EventKind.EXTENDED, by=20.0, actor="Ada")
    (row,) = seen(told.record()).faults.values()
    assert row.ends_at == told.plan.started_at + timedelta(seconds=110)


def test_a_line_says_which_clock_it_stopped(story: Any) -> None:
    told = story().fault(on=0).happens(4, EventKind.ALERT_FIRING, alert="ErrorsHigh", expected=True)
    last = seen(told.record()).lines[-1]
    assert (last.said, last.since_inject) == ("ErrorsHigh is firing · detected", "+0:04")


def test_a_copy_goes_its_own_way(story: Any) -> None:
    told = story().fault(on=0)
    told.reads("errors", [0.0, 0.0])
    view = seen(told.record())
    twin = view.copy()
    assert twin == view
    told.happens(5, EventKind.FAULT_ENDED, fault="f-slow", name="slow", outcome="reverted", took_ms=3)
    twin.take(told.events[-1])
    assert (view.faults["f-slow"].state, twin.faults["f-slow"].state) == ("active", "reverted")
    assert len(twin.lines) == len(view.lines) + 1
