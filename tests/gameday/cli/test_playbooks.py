"""A playbook with mistakes: place, field, the line itself, and what was expected there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.cli.playbooks import rendered, validate_playbook, values_of
from gameday.errors import BadInput
from gameday.yaml_tree import Problem

WRONG = """\
name: checkout-day-june
objective: Can checkout live without its ledger?
probes:
  errors: {openmetrics: {url: 'http://127.0.0.1:8080/metrics', metric: http_errors_total}}
hypothesis: Checkout keeps selling
faults:
  - {name: ledger-frozen, inject: proces.pause, on: {host: local}}
  - {name: ledger-gone, inject: process.pause, on: {host: local, process: ledger}, for: 5m, until: mitigated}
steady_state: ['errors < 10']
abort_when: ['errors > 100 in total']
expect: ['errors < 10', 'mitigated within 10m']
"""


def test_problems_read_as_the_user_needs_them(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("checkout.yaml").write_text(WRONG)
    assert validate_playbook(Path("checkout.yaml"), [], as_json=False) == 2
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "checkout.yaml:7:35  faults[0].inject: there is no injector 'proces.pause'"
    assert said[1] == "     7 |   - {name: ledger-frozen, inject: proces.pause, on: {host: local}}"
    assert said[2].startswith("       |                                   ^ did you mean 'process.pause'?  `gameday catalog` lists all ")
    assert said[3] == "checkout.yaml:11:25  warning: 'mitigated within 10m', but the fault ends by itself after 5m: people may never get the chance"
    assert said[4] == "    11 | expect: ['errors < 10', 'mitigated within 10m']"
    assert said[5] == "       |                         ^ expected a longer 'for'"
    assert said[6] == "1 problem, 1 warning. Nothing was started."


def test_json_has_the_same_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "checkout.yaml").write_text(WRONG)
    assert validate_playbook(tmp_path / "checkout.yaml", [], as_json=True) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is False
    assert [(each["line"], each["column"], each["warning"]) for each in told["problems"]] == [(7, 35, False), (11, 25, True)]


def one(line: str, column: int, expected: str = "something else", tmp: Path | None = None) -> list[str]:
    assert tmp is not None
    path = tmp / "x.yaml"
    path.write_text(line, encoding="utf-8")
    return rendered(path, [Problem(1, column, "here", "wrong", expected)]).splitlines()


def test_a_long_line_is_shown_around_the_mistake(tmp_path: Path) -> None:
    _, shown, caret, _ = one("x" * 200 + "MISTAKE" + "y" * 200, 201, tmp=tmp_path)
    assert shown.startswith("     1 | …")
    assert shown[caret.index("^") :].startswith("MISTAKE")


def test_the_caret_stands_below_the_mistake_also_after_wide_characters(tmp_path: Path) -> None:
    _, shown, caret, _ = one("日本: MISTAKE", 5, tmp=tmp_path)
    assert shown == "     1 | 日本: MISTAKE"
    assert caret.index("^") == len("       | ") + 6  # four cells for two wide characters, the colon and the blank


def test_what_could_take_over_the_terminal_is_shown_as_dots(tmp_path: Path) -> None:
    _, shown, _, _ = one("a\x1b[31mb\x07\tc\u202e", 1, tmp=tmp_path)
    assert shown == "     1 | a·[31mb· c·"


def test_a_problem_without_a_place_in_the_file_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("")
    assert rendered(tmp_path / "x.yaml", [Problem(1, 1, "", "the file is empty", "a playbook")]).splitlines() == [
        f"{tmp_path}/x.yaml:1:1  the file is empty; expected a playbook",
        "1 problem. Nothing was started.",
    ]


def test_values_are_pairs() -> None:
    assert values_of(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(BadInput, match="expected name=value"):
        values_of(["novalue"])
