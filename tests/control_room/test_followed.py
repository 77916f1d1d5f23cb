"""What a run's rooms are told, of a day in a store: each fact once, to whom it is for, and nothing sealed to a responder."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.store import RunStore
from control_room import control
from control_room.followed import Followed
from control_room.identity import Directory
from control_room.outbox import Letter, Outbox
from gameday.event import Event, EventKind
from gameday.feed import Feed
from gameday.record import RunRecord
from gameday.rooms import Rooms
from tests.gameday.cli.told import FIRST, SECOND, T0, plan_of, told_day, told_until, write
from tests.rigs.slack.block_kit import problems

CONTROL, RESPONSE, SUPPORT = "C01", "C02", "C03"
TELLTALES = ("slow", "envoy", "delay", "holds", "Orders wait", "http.fault", "paged")
"""What only the second scenario, which is sealed, has to do with."""
DIRECTORY = Directory("T01", {"U01": "Ada", "U03": "Linus"})

Start = Callable[..., tuple[Followed, Outbox]]


@pytest.fixture
def sealed() -> RunRecord:
    """Its second scenario is sealed, and under way with its fault on; support has called meanwhile."""
    record = told_until(told_day(plan_of(sealed=True)), 44.5)
    card = Event(id="card", run_id=record.run_id, at=record.plan.started_at + timedelta(seconds=41), kind=EventKind.CARD, scenario=1)
    said = card.model_copy(update={"data": {"say": "Support: a customer was charged twice"}})
    return RunRecord(record.plan, tuple(sorted((*record.events, said), key=lambda event: event.at)), record.samples)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def begin(record: RunRecord, rooms: Rooms | None = None, veils: bool = False, looked: bool = True) -> tuple[Followed, Outbox]:
        store = RunStore(f"sqlite:///{tmp_path / 'gameday.db'}")
        write(store, record)
        outbox = Outbox(tmp_path / "slack.db")
        feeds = Feed(store, record.plan), Feed(store, record.plan, open_seals=False)
        said = rooms or Rooms(control=CONTROL, response=RESPONSE, stakeholders=(SUPPORT,))
        followed = Followed(feeds, record.plan, said, outbox, DIRECTORY, lambda view: {})
        if looked:
            followed.veiled_because = "a responder is in it" if veils else ""
        return followed, outbox

    return begin


def look(followed: Followed, now: float = 0.0) -> None:
    followed.pull()
    followed.tell(now)


def letters(outbox: Outbox, channel: str) -> list[Letter]:
    rows = outbox._base.execute("SELECT letter FROM outbox WHERE channel = ? ORDER BY number", (channel,))
    return [Letter(**json.loads(text)) for (text,) in rows]


def told(outbox: Outbox, channel: str) -> str:
    return json.dumps([(each.text, each.blocks, each.metadata) for each in letters(outbox, channel)], ensure_ascii=False)


def test_the_response_room_is_told_nothing_of_a_sealed_scenario(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed)
    look(followed, 0.0)
    said = told(outbox, RESPONSE)
    assert [word for word in TELLTALES if word in said] == []
    assert "a drill is on until 16:00" in said and "a customer was charged twice" in said
    assert [word for word in TELLTALES[:4] if word not in told(outbox, CONTROL)] == []  # so that the test could fail


def test_nor_is_a_control_room_that_a_responder_is_in(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed, veils=True)
    look(followed, 0.0)
    assert [word for word in TELLTALES if word in told(outbox, CONTROL)] == []
    assert followed.pictures_due == []


def test_once_no_responder_is_in_it_any_more_it_is_told_what_was_kept_from_it(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed, veils=True)
    look(followed)
    before = letters(outbox, CONTROL)
    followed.veiled_because = ""
    look(followed, 10.0)
    assert [word for word in TELLTALES[:4] if word not in told(outbox, CONTROL)] == []
    keys = [each.key for each in letters(outbox, CONTROL)]
    assert keys[: len(before)] == [each.key for each in before] and len(set(keys)) == len(keys)


def test_a_room_that_nobody_has_looked_into_is_told_nothing_not_even_what_waits_since_before_a_restart(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed)
    look(followed)
    assert "The ledger is slow" in told(outbox, CONTROL)
    again, outbox = start(sealed, looked=False)
    assert letters(outbox, CONTROL) == []
    look(again)
    assert letters(outbox, CONTROL) == [] and letters(outbox, RESPONSE)
    again.veiled_because = "U03 is in it"
    look(again, 10.0)
    assert letters(outbox, CONTROL) and [word for word in TELLTALES if word in told(outbox, CONTROL)] == []


def test_who_was_handed_the_command_is_called(start: Start) -> None:
    day = told_until(told_day(plan_of()), 30)
    at = day.plan.started_at + timedelta(seconds=31)
    handed = Event(id="handed", run_id=day.run_id, at=at, kind=EventKind.HANDED_OVER, actor="Ada", data={"to": "Linus"})
    asked = Event(
        id="lost", run_id=day.run_id, at=at, kind=EventKind.FAULT_DIRTY, scenario=0, fault=FIRST, data={"name": "ledger-frozen", "label": "x"}
    )
    followed, outbox = start(RunRecord(day.plan, (*day.events, handed, asked), day.samples))
    look(followed)
    (call,) = (each for each in letters(outbox, CONTROL) if each.broadcast and "ledger-frozen" in each.text)
    assert "<@U03>" in json.dumps(call.blocks) and "<@U01>" not in json.dumps(call.blocks)


def test_what_waits_for_slack_is_taken_back_once_a_responder_is_in_it(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed)
    look(followed)
    assert [word for word in TELLTALES[:4] if word not in told(outbox, CONTROL)] == []
    followed.veiled_because = "U03 is in it"
    look(followed, 10.0)
    assert [word for word in TELLTALES if word in told(outbox, CONTROL)] == [] and letters(outbox, CONTROL)
    followed.veiled_because = ""
    look(followed, 20.0)
    assert [word for word in TELLTALES[:4] if word not in told(outbox, CONTROL)] == []


def test_a_sealed_day_that_does_not_take_place_is_over_in_the_response_room_too(start: Start, tmp_path: Path) -> None:
    day = told_until(told_day(plan_of(sealed=True)), 4)
    followed, outbox = start(day)
    look(followed)
    data = {"outcome": "stood-down", "exit_code": 4, "reason": "nobody said go to the http.fault"}
    at = day.plan.started_at + timedelta(seconds=5)
    RunStore(f"sqlite:///{tmp_path / 'gameday.db'}").append([Event(id="x", run_id=day.run_id, at=at, kind=EventKind.RUN_ENDED, data=data)])
    look(followed, 10.0)
    said = told(outbox, RESPONSE)
    assert "does not take place" in said and "Treat what you see as real" not in said and '"abort"' not in said
    assert [word for word in TELLTALES if word in said] == []


def test_whom_a_veiled_room_cannot_call_is_called_in_person(start: Start) -> None:
    """The commander leads from the app's home then, and must know that it is time to."""
    began = datetime.now(UTC) - T0
    day = told_until(told_day(plan_of(sealed=True, seconds=began.total_seconds() - 60)), 60)
    followed, outbox = start(day, veils=True)
    look(followed)
    assert [each.text.split(" holds")[0] for each in letters(outbox, "U01")] == ["errors &gt; 5 % in 3 of 5 samples"]
    assert letters(outbox, "U03") == []
    assert "errors &gt; 5 %" not in told(outbox, CONTROL).replace("abort &gt; 5 %", "")


def test_nobody_is_asked_to_do_by_hand_what_is_to_be_undone_already(start: Start, tmp_path: Path) -> None:
    """Slack was away: the request still waits when the day is aborted."""
    day = told_until(told_day(plan_of(seconds=(datetime.now(UTC) - T0).total_seconds() - 20)), 10)

    def asked(half: str, text: str) -> Event:
        until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        data = {"name": "cable", "label": "by hand, Linus", "what": half, "text": text, "by": "Linus", "until": until}
        return Event(id=half, run_id=day.run_id, at=datetime.now(UTC), kind=EventKind.FAULT_ASKED, scenario=0, fault=FIRST, data=data)

    followed, outbox = start(RunRecord(day.plan, (*day.events, asked("do", "Pull the cable")), day.samples))
    look(followed)
    assert "Pull the cable" in told(outbox, "U03")
    RunStore(f"sqlite:///{tmp_path / 'gameday.db'}").append([asked("undo", "Plug it back in")])
    look(followed, 1.0)
    assert "Pull the cable" not in told(outbox, "U03") and "Plug it back in" in told(outbox, "U03")


def test_a_channel_of_its_own_that_comes_late_is_told_what_was_said_before(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed, Rooms(control=CONTROL, response=RESPONSE, own_channel=True))
    look(followed)
    followed.own = "C07"
    look(followed, 1.0)
    assert "a customer was charged twice" in told(outbox, "C07") and [word for word in TELLTALES if word in told(outbox, "C07")] == []
    assert told(outbox, RESPONSE).count("a customer was charged twice") == 2, "as text and as block, once"


def test_a_view_that_somebody_looks_at_stays_as_it_was(start: Start, tmp_path: Path) -> None:
    day = told_day(plan_of())
    followed, _ = start(told_until(day, 20))
    look(followed)
    seen, lines = followed.open, len(followed.open.lines)
    RunStore(f"sqlite:///{tmp_path / 'gameday.db'}").append(day.events[-3:])
    followed.pull()
    assert len(seen.lines) == lines < len(followed.open.lines)


def test_nor_are_stakeholders_told_what_is_broken(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed)
    look(followed, 0.0)
    assert [word for word in (*TELLTALES, "ledger", "process.pause") if word in told(outbox, SUPPORT)] == []
    assert "A practice exercise is beginning in staging until 16:00" in told(outbox, SUPPORT)


def test_after_the_reveal_the_room_sees_what_it_was(sealed: RunRecord, start: Start, tmp_path: Path) -> None:
    followed, outbox = start(sealed)
    look(followed, 0.0)
    store = RunStore(f"sqlite:///{tmp_path / 'gameday.db'}")
    at = sealed.plan.started_at + timedelta(seconds=43)
    store.append([Event(id="reveal", run_id=sealed.run_id, at=at, kind=EventKind.REVEALED, scenario=1, actor="Ada")])
    look(followed, 1.0)
    assert "Revealed: The ledger is slow" in told(outbox, RESPONSE) and "http.fault" in told(outbox, RESPONSE)


def test_a_day_that_is_not_announced_is_silent_until_its_cards(sealed: RunRecord, start: Start) -> None:
    followed, outbox = start(sealed, Rooms(control=CONTROL, response=RESPONSE, announced=False))
    look(followed, 0.0)
    assert [each.text for each in letters(outbox, RESPONSE)] == ["Support: a customer was charged twice"]


def test_the_control_rooms_message_has_everything_at_a_glance(start: Start) -> None:
    day = told_day(plan_of())
    followed, _ = start(told_until(day, 16))
    followed.pull()
    now = day.plan.started_at + timedelta(seconds=16)
    _, blocks = control.message(followed.open, now, {FIRST: 14.2}, DIRECTORY)
    said = json.dumps(blocks, ensure_ascii=False)
    for words in (
        "*1 of 2 The ledger freezes* · observe 0:06 of 10:00",
        "stop 16:00",
        "commander <@U01>",
        "✘ errors *0.6 %* (steady &lt; 0.1 %, abort &gt; 5 % in 3 of 5 samples)",
        "*112 ms* (steady &lt; 60 ms)",
        "Customers: 24 failed requests today",
        "`ledger-frozen` local, ledger (pid 4312): *active*, lease 14 s, ends when mitigated, 14:40:09 at the latest",
        "● detected 0:02   ○ mitigated   ○ recovered",
    ):
        assert words in said, f"{words} in {said}"


def test_a_gate_says_its_deadline_and_what_silence_means(start: Start) -> None:
    day = told_until(told_day(plan_of()), 6)
    (waiting,) = (event for event in day.events if event.kind is EventKind.GATE_WAITING)
    followed, outbox = start(day)
    look(followed)
    assert "waiting for a go (inject 1)" in told(outbox, CONTROL) and "left, then it stands down" in told(outbox, CONTROL), waiting


def test_what_was_dirty_at_the_end_and_is_proven_gone_later_is_told_too(start: Start, tmp_path: Path) -> None:
    day = told_until(told_day(plan_of()), 44.5)
    at = day.plan.started_at

    def event(identity: str, seconds: float, kind: EventKind, **data: Any) -> Event:
        return Event(id=identity, run_id=day.run_id, at=at + timedelta(seconds=seconds), kind=kind, scenario=1, fault=SECOND, data=data)

    dirty = event("dirty", 50, EventKind.FAULT_DIRTY, name="ledger-slow", label="edge", problems=["it does not answer"], plan=[])
    ended = event("over", 60, EventKind.RUN_ENDED, outcome="dirty", exit_code=5, reason="ledger-slow is not proven gone")
    gone = event("gone", 90, EventKind.FAULT_ENDED, name="ledger-slow", label="edge", outcome="reverted", reason="late", took_ms=1)
    followed, outbox = start(RunRecord(day.plan, (*day.events, dirty, ended.model_copy(update={"scenario": None, "fault": None})), day.samples))
    look(followed)
    assert "not everything is proven" in told(outbox, SUPPORT) and "It is not proven that everything is off" in told(outbox, RESPONSE)
    RunStore(f"sqlite:///{tmp_path / 'gameday.db'}").append([gone])
    look(followed, 10.0)
    assert "All clear: everything that the exercise checkout-day disturbed is as it was before." in told(outbox, SUPPORT)
    assert "it is proven now that everything is off" in told(outbox, RESPONSE)
    followed.own = "C07"  # everything is told to it, and again to nobody else
    look(followed, 20.0)
    assert told(outbox, SUPPORT).count("All clear: everything that the exercise") == 2, "as text and as block"


def test_a_restart_tells_nothing_twice_and_forgets_nothing(start: Start) -> None:
    day = told_day(plan_of())
    followed, outbox = start(told_until(day, 20))
    look(followed, 0.0)
    before = {channel: letters(outbox, channel) for channel in (CONTROL, RESPONSE, SUPPORT)}
    again, outbox = start(day)
    look(again, 0.0)
    for channel, known in before.items():
        keys = [each.key for each in letters(outbox, channel)]
        assert keys[: len(known)] == [each.key for each in known] and len(set(keys)) == len(keys)
    thread = " ".join(each.text for each in letters(outbox, CONTROL) if each.thread)
    for line in again.open.lines:
        assert thread.count(f"{line.at.astimezone(day.plan.zone):%H:%M:%S}") >= 1, line
    assert thread.count("ledger does not answer, failing over") == 1
    assert "All clear" in told(outbox, SUPPORT)


def test_what_somebody_must_do_something_about_names_them_in_the_room(start: Start) -> None:
    followed, outbox = start(told_day(plan_of()))
    look(followed, 0.0)
    calling = [each for each in letters(outbox, CONTROL) if each.broadcast]
    begins = ("waiting for a go (inject 1)", "errors &gt; 5 % in 3 of 5 samples holds", "by guardrail")
    assert len(calling) == len(begins) and all(each.text.startswith(begin) for each, begin in zip(calling, begins, strict=True))
    assert all("<@U01>" in json.dumps(each.blocks) for each in calling)


@pytest.mark.parametrize("seconds", [0, 5, 6, 9, 12, 25, 31, 33, 39, 44, 70])
def test_every_message_at_every_moment_keeps_to_slacks_limits(start: Start, seconds: float) -> None:
    followed, outbox = start(told_until(told_day(plan_of()), seconds))
    look(followed, 0.0)
    for channel in (CONTROL, RESPONSE, SUPPORT):
        for letter in letters(outbox, channel):
            assert problems(list(letter.blocks), "message") == [], letter.key
            assert letter.text and len(letter.text) <= 4000


def test_what_others_wrote_mentions_nobody(start: Start) -> None:
    day = told_until(told_day(plan_of()), 16)
    hostile = "<!channel> <@U01> <https://evil.example|click> *x*"
    events = tuple(e.model_copy(update={"data": {**e.data, "text": hostile}}) if e.kind is EventKind.NOTE else e for e in day.events)
    followed, outbox = start(RunRecord(day.plan, events, day.samples))
    look(followed, 0.0)
    said = told(outbox, CONTROL)
    assert "&lt;!channel&gt;" in said and "<!channel>" not in said and "<https" not in said


def test_a_day_that_does_not_take_place_is_told_in_words_for_support(start: Start) -> None:
    day = told_until(told_day(plan_of()), 4)
    ended = Event(id="over", run_id=day.run_id, at=day.plan.started_at + timedelta(seconds=4), kind=EventKind.RUN_ENDED)
    stood_down = ended.model_copy(update={"data": {"outcome": "stood-down", "exit_code": 4, "reason": "nobody said go"}})
    followed, outbox = start(RunRecord(day.plan, (*day.events, stood_down), day.samples))
    look(followed, 0.0)
    assert letters(outbox, SUPPORT)[-1].text == "The exercise checkout-day does not take place today. Nothing was disturbed."
