"""The picture at moments that matter, in terminals of several sizes: the facts are there, and every row fits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gameday.cli.console import Frame, page, picture
from gameday.cli.following import labels
from gameday.cli.keys import Keys
from gameday.cli.replay import Player
from gameday.event import Event, EventKind
from gameday.record import RunRecord
from gameday.rows import FaultRow
from gameday.view import RunView

SIZES = [(60, 20), (80, 24), (140, 45)]


def at(day: RunRecord, seconds: float) -> RunView:
    player = Player(day, 1.0)
    player.seek(day.plan.started_at + timedelta(seconds=seconds))
    return player.view


def drawn(view: RunView, width: int, height: int, leases: dict[str, float] | None = None) -> str:
    keys = Keys(lambda *_: None, labels(view))
    rows = picture(view, Frame(view.now, width, height, leases, bottom=keys.rows(width)))
    assert len(rows) == height
    assert [row.plain for row in rows if row.cell_len > width] == []
    return "\n".join(row.plain for row in rows)


@pytest.mark.parametrize(("width", "height"), [*SIZES, (20, 6), (1, 1), (300, 100)])
def test_no_row_is_wider_than_the_terminal_and_none_is_missing(day: RunRecord, width: int, height: int) -> None:
    for seconds in range(62):
        drawn(at(day, seconds), width, height, leases={"f-11111111111111111111": 12.0})


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_at_a_gate_it_says_what_is_missing_and_how_to_go_on(day: RunRecord, width: int, height: int) -> None:
    shown = drawn(at(day, 7.5), width, height)
    for fact in ("▶ GO?", "inject 1", "left", "to tick: Abort criteria read aloud", "ready: 1 of 2 (Linus)", "g go"):
        assert fact in shown
    assert "Deploys frozen" not in shown.split("to tick:")[1].splitlines()[0]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_with_the_fault_on_it_says_what_is_on_and_when_it_ends(day: RunRecord, width: int, height: int) -> None:
    shown = drawn(at(day, 16), width, height, leases={"f-11111111111111111111": 12.4})
    for fact in (
        "observe 0:06 of 10:00",
        "detect 0:02",
        "ledger-frozen",
        "● active",
        "12 s",
        "mitigated",
        "errors",
        "0.6 %",
        "< 0.1 %",
        "✘",
        "failing over",
    ):
        assert fact in shown


def test_a_wide_terminal_has_everything(day: RunRecord) -> None:
    shown = drawn(at(day, 16), 140, 45, leases={"f-11111111111111111111": 12.4})
    for fact in (
        "checkout-day   run 7kq2   staging   commander Ada",
        "14:30:16   stop 16:00",
        "1 The ledger freezes ●   2 The ledger is slow ○",
        "✔ pre-check   ✔ inject   ● observe",
        "detect 0:02  alert LedgerDown",
        "24 failed requests today, 5 % of the cap",
        "> 5 % in 3 of 5 samples",
        "< 60 ms",
        "when mitigated, 14:40:09 at the latest, in 9:53",
        "local, ledger (pid 4312)",
        "LedgerDown is firing · detected",
        "a abort   h hold   n note   m mitigated   ? help   q leave it running",
    ):
        assert fact in shown


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_is_not_known_is_a_question_mark_with_its_reason(day: RunRecord, width: int, height: int) -> None:
    shown = drawn(at(day, 50), width, height)
    line = next(line for line in shown.splitlines() if line.startswith("errors"))
    assert " ? " in line
    assert "no answer in 1 s (5 of the last 5)" in shown


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_day_that_ends_early_says_so(day: RunRecord, width: int, height: int) -> None:
    assert "■ ENDING" in drawn(at(day, 50), width, height)
    assert "■ aborted" in drawn(at(day, 61), width, height)


def test_a_debrief_says_how_long_it_takes(day: RunRecord) -> None:
    view = at(day, 100)
    until = (view.now + timedelta(minutes=5)).isoformat()
    view.outcome = view.ending = ""
    view.take(Event(id="rest", run_id=day.run_id, at=view.now, kind=EventKind.REST_BEGAN, scenario=1, data={"rest": "debrief", "until": until}))
    assert "debrief, 5:00 left" in drawn(view, 160, 40)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_day_on_hold_says_so(day: RunRecord, width: int, height: int) -> None:
    view = at(day, 16)
    view.take(Event(id="hold", run_id=day.run_id, at=view.now, kind=EventKind.HELD, scenario=0, actor="Ada"))
    shown = drawn(view, width, height)
    assert "HELD" in shown
    assert "h resume" in shown


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_dirty_fault_is_never_out_of_sight(day: RunRecord, width: int, height: int) -> None:
    view = at(day, 16)
    for number in range(60):
        view.faults[f"f-{number}"] = FaultRow(f"other-{number}", "local, thing", state="reverted", outcome="reverted")
    view.take(
        Event(
            id="dirty",
            run_id=day.run_id,
            at=view.now,
            kind=EventKind.FAULT_DIRTY,
            scenario=0,
            fault="f-59",
            data={"name": "other-59", "label": "local, thing", "problems": ["still stopped"]},
        )
    )
    shown = drawn(view, width, height)
    assert "✘ dirty" in shown
    assert "more:" in shown
    assert "By hand: Restart the ledger" in " ".join(shown.split())


def test_old_readings_say_how_old_they_are(day: RunRecord) -> None:
    view = at(day, 16)
    later = view.now + timedelta(seconds=95)
    assert "1:35 ago" in "\n".join(row.plain for row in picture(view, Frame(later, 120, 40)))


def test_where_nobody_can_know_the_lease_there_is_no_column_for_it(day: RunRecord) -> None:
    assert "lease" not in drawn(at(day, 16), 140, 45, leases=None)
    row = next(line for line in drawn(at(day, 16), 140, 45, leases={}).splitlines() if line.startswith("ledger-frozen"))
    assert " not here " in row


def test_the_help_stands_where_the_timeline_is(day: RunRecord) -> None:
    keys = Keys(lambda *_: None)
    rows = picture(at(day, 16), Frame(day.plan.started_at, 100, 40, instead=keys.help(), bottom=keys.rows(100)))
    shown = "\n".join(row.plain for row in rows)
    assert "lease  how long a fault lives if nobody renews it" in shown
    assert "LedgerDown is firing" not in shown


def test_a_page_has_no_end_and_loses_nothing(day: RunRecord) -> None:
    shown = " ".join(" ".join(row.plain.split()) for row in page(at(day, 61), Frame(day.plan.started_at, 70), lines=100))
    for line in at(day, 61).lines:
        assert " ".join(line.text.split()) in shown
