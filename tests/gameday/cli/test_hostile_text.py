"""What people write stays text on the screen, and a run's id leads to no other place than its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.text import Text
from typer.main import get_command

from gameday.cli.app import app
from gameday.cli.context import which
from gameday.cli.saying import FULL_ID
from gameday.errors import BadInput, GamedayError
from gameday.event import Event, EventKind
from gameday.model import one_line
from gameday.record import RunRecord
from gameday.view import RunView
from tests.gameday.cli.test_console import at, drawn

Inside = Callable[..., str]
WORDS = "[bold red]x[/] [link=http://evil]y[/link] {{ 7 * 7 }} {% x %} <script> \\[ ]"
RAW = "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\ \x9b31m \r\b\x00 \u202eevil"
RUNS = ("../x", "../../etc/passwd", "/etc/passwd", "..", ".", "x/../y", "7kq2\x00", "7kq2\n", "-", "~root", "$(id)", "a" * 5000, "7KQ2")
RUNS += ("%2e%2e", "７kq2", "")


def hostile(record: RunRecord, words: str) -> RunRecord:
    """The record with these words said and done by everybody who can say or do anything."""
    note = Event(
        id="n", run_id=record.run_id, at=record.events[3].at, kind=EventKind.NOTE, actor=one_line(words), data={"text": words, "about": "seen"}
    )
    error = note.model_copy(update={"id": "e", "kind": EventKind.RUN_ERROR, "data": {"what": words}})
    held = note.model_copy(update={"id": "h", "kind": EventKind.HELD, "data": {"reason": words}})
    return replace(record, events=(*record.events[:4], note, error, held, *record.events[4:]))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60)])
def test_markup_is_shown_and_not_obeyed(day: RunRecord, width: int, height: int) -> None:
    view: RunView = at(hostile(day, WORDS), 60)
    page = drawn(view, width, height)
    assert "\x1b" not in page
    assert "[bold red]x[/]" in page or (height < 30 and "[bold" not in page)


@pytest.mark.parametrize("words", [RAW, "\x1b[31m"])
def test_nothing_that_moves_a_cursor_reaches_the_screen(day: RunRecord, words: str) -> None:
    page = drawn(at(hostile(day, words), 60), 200, 60)
    assert not {sign for sign in page if not sign.isprintable() and sign != "\n"}
    assert one_line(words).isprintable()


def test_no_escape_reaches_the_lines_of_a_replay(home: object, inside: Inside, day: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    from activities.store import RunStore

    monkeypatch.setattr(RunStore, "read", lambda self, run_id: hostile(day, RAW))
    for command in (("replay",), ("report",), ("status",)):
        said = inside(*command)
        assert not {sign for sign in said if not sign.isprintable() and sign not in "\n\t"}, command
    for command in (("replay", "--json"), ("report", "--json")):
        said = inside(*command)
        assert "\x1b" not in said and all(json.loads(line) is not None for line in said.splitlines() if command[0] == "replay")


def commands_with_a_run() -> list[str]:
    """Every command that takes a RUN."""
    return sorted(name for name, command in get_command(app).commands.items() if any(each.name == "run" for each in command.params))  # type: ignore[attr-defined]


def test_the_commands_that_take_a_run_are_known() -> None:
    assert {"status", "follow", "report", "replay", "abort", "note", "go"} <= set(commands_with_a_run())


@pytest.mark.parametrize("run", RUNS, ids=lambda run: ascii(run[:20]))
def test_what_is_no_run_id_leads_nowhere(run: str) -> None:
    class Untouched:
        def __getattr__(self, name: str) -> object:
            raise AssertionError("the store was asked")

    import re

    assert not re.fullmatch(FULL_ID, run)
    with pytest.raises(BadInput, match="is not a run id"):
        which(Untouched(), run)  # type: ignore[arg-type]  # nobody is asked


@pytest.mark.parametrize("command", commands_with_a_run())
def test_no_command_takes_a_path_for_a_run(home: object, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    more = {"note": ["x"], "mark": ["detected"], "predict": ["q=a"], "tick": ["1"], "extend": ["1m"], "done": [], "handover": ["ada"]}
    for run in ("../../etc/passwd", "/etc/passwd", "a" * 5000):
        with pytest.raises((GamedayError, SystemExit)) as refused:
            app([command, run, *more.get(command, [])], prog_name="gameday", standalone_mode=False)
            raise SystemExit(2)
        assert "is not a run id" in str(refused.value) or isinstance(refused.value, SystemExit), (command, refused.value)


def test_rich_would_obey_it() -> None:
    """So that the first test can fail."""
    assert Text.from_markup("[bold red]x[/]").plain == "x"
