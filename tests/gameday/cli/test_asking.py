"""What a gate asks people to predict: in the live view, in plain lines and on the page, and only as the viewer may see it."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.cli.asking import asked, asked_at
from gameday.cli.console import Frame
from gameday.cli.keys import Keys
from gameday.cli.reading import following, view_of
from gameday.cli.screens import PlainScreen, drawn
from gameday.playbook import Playbook
from gameday.record import RunRecord
from gameday.view import RunView
from gameday.viewer import veil
from tests.gameday.cli.told import PLAYBOOK, plan_of, told_day, told_until

ASKED = "before you go, ask: first alert after? worst errors?"


def at_its_gate(day: RunRecord) -> RunView:
    return view_of(told_until(day, 7.5))


def test_a_gate_that_waits_asks_and_no_other_moment_does(day: RunRecord) -> None:
    assert asked(at_its_gate(day)) == ASKED
    assert [asked(view_of(told_until(day, seconds))) for seconds in (2, 9, 16, 61)] == [""] * 4


def test_the_page_says_it_before_it_says_how_to_go(day: RunRecord) -> None:
    view = at_its_gate(day)
    assert following(view, view.now)[:2] == [ASKED, "`gameday go 7kq2-checkout-day` lets it go on"]


def test_the_plain_line_of_the_gate_has_it(day: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    record = told_until(day, 7.5)
    PlainScreen().show(view_of(record), record.events)
    asking = [line for line in capsys.readouterr().out.splitlines() if "before you go" in line]
    assert [line.split("; ")[1] for line in asking] == [f"silence stands down · {ASKED}"]


@pytest.mark.parametrize(("width", "height"), [(140, 45), (30, 12), (20, 4), (1, 1)])
def test_the_live_view_has_it_above_the_keys(day: RunRecord, width: int, height: int) -> None:
    view, keys = at_its_gate(day), Keys(lambda *_: None, {"g": "go"}).rows(width)
    rows = drawn(view, Frame(view.now, width, height, bottom=keys))
    assert len(rows) == height
    assert [row.plain for row in rows if row.cell_len > width] == []
    if height > len(keys) + 2:
        above = " ".join(" ".join(row.plain for row in rows[: -len(keys)]).split())
        assert above.endswith(ASKED)


def test_a_sealed_scenario_does_not_ask_who_must_not_know(day: RunRecord) -> None:
    playbook = veil(told_until(told_day(plan_of(sealed=True)), 43)).plan.playbook
    assert asked_at(playbook, "inject 1", 0) == ASKED
    assert asked_at(playbook, "inject 2", 1) == ""
    assert asked_at(plan_of(sealed=True).playbook, "inject 2", 1) == "before you go, ask: who is paged?"


def test_the_gate_of_the_day_asks_where_no_scenario_has_one() -> None:
    def playbook(**gates: Any) -> Playbook:
        return Playbook.model_validate({**PLAYBOOK, "gates": gates})

    assert asked_at(playbook(day={}), "day", None) == ""
    assert asked_at(playbook(day={}, inject="off"), "day", None) == "before you go, ask: 1: first alert after? worst errors?; 2: who is paged?"


def test_a_scenario_that_asks_nothing_says_nothing(day: RunRecord) -> None:
    scenarios = tuple(each.model_copy(update={"predict": ()}) for each in day.plan.playbook.scenarios)
    silent = day.plan.playbook.model_copy(update={"scenarios": scenarios})
    assert asked_at(silent, "inject 1", 0) == ""
