"""Of a sealed scenario nothing shows before its reveal, whatever is asked for; afterwards everything does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gameday.event import Event, EventKind
from gameday.record import RunRecord
from gameday.viewer import hidden, veil
from reports.junit import junit
from reports.postmortem import render, write
from reports.summary import summary

TELLTALES = ("slow", ", edge", "envoy", "Orders wait", "LedgerSlow", "Margaret marks", "marked by", "holds: 8 %", "delay", "The ledger is")
"""What only scenario 2 has to do with, its title and its faults foremost."""


@pytest.fixture
def sealed(make_day: Callable[..., Any]) -> RunRecord:
    """Scenario 2 is sealed and under way; scenario 1 was open."""
    return _sealed(make_day, 1)


def _sealed(make_day: Callable[..., Any], *which: int) -> RunRecord:
    record: RunRecord = make_day(text="name: checkout-day-june\n# envoy.delay on the edge: The ledger is slow\n").record()
    playbook = record.plan.playbook
    scenarios = tuple(each.model_copy(update={"sealed": index in which}) for index, each in enumerate(playbook.scenarios))
    return replace(record, plan=record.plan.model_copy(update={"playbook": playbook.model_copy(update={"scenarios": scenarios})}))


def told(record: RunRecord, folder: Path) -> dict[str, str]:
    """All that the room puts out of a record, for a reader who may not look into sealed scenarios."""
    write(record, folder)
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    return files | {"junit": junit(record), "summary": json.dumps(summary(record))}


def test_nothing_gives_a_sealed_scenario_away(sealed: RunRecord, tmp_path: Path) -> None:
    for name, text in told(sealed, tmp_path).items():
        assert not name.startswith("scenario-2")
        assert [word for word in TELLTALES if word in text] == [], name


def test_the_telltales_are_what_an_open_report_shows(sealed: RunRecord) -> None:
    page = render(sealed, sealed_open=True)
    assert [word for word in TELLTALES if word not in page] == []


def test_the_sealed_scenario_is_said_to_run(sealed: RunRecord) -> None:
    page = render(sealed)
    assert "\n## 2. A scenario is running\n" in page
    assert "| Sealed    | a scenario is running; nothing here tells of it |" in page
    assert "It is shown once its sealed scenarios are revealed." in page
    assert "101 more" not in page and "41 more failed requests" in page


def test_an_open_scenario_is_told_as_ever(sealed: RunRecord) -> None:
    first = render(sealed).split("\n## 1. ")[1].split("\n## 2. ")[0]
    assert first == render(sealed, sealed_open=True).split("\n## 1. ")[1].split("\n## 2. ")[0]


def test_a_sealed_first_scenario_keeps_its_place(make_day: Callable[..., Any]) -> None:
    page = render(_sealed(make_day, 0))
    assert page.index("\n## 1. A scenario is running\n") < page.index("\n## 2. The ledger is slow: ")
    assert "ledger-frozen" not in page and "freezes" not in page and "LedgerDown" not in page and "process.pause" not in page


def test_with_everything_sealed_nothing_is_told(make_day: Callable[..., Any], tmp_path: Path) -> None:
    record = _sealed(make_day, 0, 1)
    assert "> A scenario is running; what it does is sealed until the reveal.\n" in render(record)
    assert sorted(told(record, tmp_path)) == ["junit", "postmortem.md", "summary"]
    assert summary(record)["sealed"] == [1, 2]


def test_what_is_hidden_is_not_called_clean(sealed: RunRecord) -> None:
    assert "whether the sealed scenario has left anything is not told here" in render(sealed)
    assert summary(sealed)["clean"] is None
    assert summary(sealed, sealed_open=True)["clean"] is False


def test_a_sealed_scenario_that_has_not_begun_shows_no_title(sealed: RunRecord) -> None:
    before = replace(sealed, events=tuple(event for event in sealed.events if event.scenario != 1))
    assert "\n## 2. A sealed scenario, not begun\n" in render(before)


def revealed(record: RunRecord, scenario: int | None) -> RunRecord:
    last = record.events[-1]
    event = Event(id="reveal", run_id=record.run_id, at=last.at + timedelta(seconds=1), kind=EventKind.REVEALED, scenario=scenario, actor="Ada")
    return replace(record, events=(*record.events, event))


@pytest.mark.parametrize("scenario", [1, None])
def test_the_reveal_opens_it(sealed: RunRecord, scenario: int | None) -> None:
    page = render(revealed(sealed, scenario))
    assert "\n## 2. The ledger is slow: " in page
    assert "sealed until 14:40:07" in page or scenario is None


def test_the_end_of_the_run_opens_everything(sealed: RunRecord) -> None:
    ended = Event(id="end", run_id=sealed.run_id, at=sealed.events[-1].at, kind=EventKind.RUN_ENDED, data={"outcome": "aborted"})
    record = replace(sealed, events=(*sealed.events, ended))
    assert hidden(record) == frozenset()
    assert "sealed until the end of the day" in render(record)


def test_an_unsealed_record_is_left_as_it_is(day: RunRecord) -> None:
    assert veil(day) is day


def test_what_is_known_to_be_missing_is_not_told_either(sealed: RunRecord) -> None:
    assert "ledger-slow" not in render(replace(sealed, missing=("samples of ledger-slow",)))
