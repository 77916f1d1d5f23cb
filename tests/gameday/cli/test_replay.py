"""A replay shows the record's own times, in the live view, as plain lines or as JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gameday.cli.replay import Player, frame, replay_run
from gameday.event import Event
from gameday.record import RunRecord
from gameday.view import RunView


def test_time_passes_as_fast_as_it_is_told_to(day: RunRecord) -> None:
    player = Player(day, 4.0)
    player.advance(0.5)
    assert player.at - player.begin == timedelta(seconds=2)
    assert player.view.now <= player.at
    assert player.view.sampled_at == player.at


def test_nobody_waits_for_a_night(day: RunRecord) -> None:
    late = day.events[-1].model_copy(update={"id": "late", "at": day.events[-1].at + timedelta(hours=9)})
    player = Player(RunRecord(day.plan, (*day.events, late), day.samples), 10.0)
    player.seek(day.events[-1].at)
    player.advance(0.5)
    assert late.at - player.at == timedelta(seconds=15)  # two seconds of the watcher's are left of it, one half is gone


def test_the_watcher_can_pause_jump_change_the_speed_and_leave(day: RunRecord) -> None:
    player = Player(day, 10.0)
    player.press(" ")
    assert player.advance(1.0) == []
    player.press("right")
    assert player.at - player.begin == timedelta(seconds=10)
    player.press(" ")
    player.press("+")
    player.press("+")
    player.press("-")
    assert player.speed == 20.0
    assert len(player.advance(0.1)) > 0
    player.press("q")
    assert player.left


def test_going_back_shows_what_was_shown_then(day: RunRecord) -> None:
    player, other = Player(day, 1.0), Player(day, 1.0)
    player.seek(player.begin + timedelta(seconds=50))
    player.press("left")
    other.seek(other.begin + timedelta(seconds=40))
    assert player.view == other.view


def test_its_picture_has_the_time_of_the_record_and_says_that_it_is_a_replay(day: RunRecord) -> None:
    player = Player(day, 5.0)
    player.seek(player.begin + timedelta(seconds=16))
    shown = frame(player, 100, 30)
    assert shown.now == day.plan.started_at + timedelta(seconds=16)
    assert shown.leases is None
    assert shown.badge == "REPLAY x 5"
    assert shown.bottom[0].plain.endswith("0:16 of 1:01")


@pytest.mark.parametrize("width", [1, 9, 40, 80, 200])
def test_its_bar_fits(day: RunRecord, width: int) -> None:
    player = Player(day, 5.0)
    for seconds in (0, 30, 100):
        player.seek(player.begin + timedelta(seconds=seconds))
        assert frame(player, max(width, 20), 10).bottom[0].cell_len <= max(width, 20)


def test_a_record_of_nothing_can_be_replayed(day: RunRecord) -> None:
    player = Player(RunRecord(day.plan, (), ()), 5.0)
    assert player.over
    assert frame(player, 80, 24).bottom[0].plain.endswith("0:00 of 0:00")


def test_plain_lines_are_one_an_event_with_local_times(home: Path, day: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    replay_run("latest", None, as_json=False)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "14:30:00           start      checkout-day begins, started by Ada: Can checkout live without its ledger, and do we notice?"
    assert "14:30:09    +0:00  inject     ledger-frozen is on: local, ledger (pid 4312); read back in 34 ms: stopped" in said
    assert "14:30:12    +0:02  alert      LedgerDown is firing · detected" in said
    assert "14:30:15    +0:05  Linus      “ledger does not answer, failing over”" in said
    view = RunView(day.plan, day.plan.started_at)
    assert len(said) == sum(view.hear(event) is not None for event in day.events)


def test_json_has_every_event_and_sample_as_it_is(home: Path, day: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    replay_run("7kq2", 0, as_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = [Event.model_validate(each["event"]) for each in told if "event" in each]
    assert {event.id for event in events} == {event.id for event in day.events}
    assert sum("sample" in each for each in told) == len(day.samples)
