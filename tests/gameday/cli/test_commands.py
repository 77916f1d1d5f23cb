"""The real command: its exit status and its one clear message, in good and in bad cases."""

from __future__ import annotations

import json
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.store import RunStore
from gameday.cli import verbs
from gameday.commands import NoteAbout
from gameday.language import Clock
from gameday.record import RunRecord
from tests.gameday.cli.told import write

Gameday = Callable[..., subprocess.CompletedProcess[str]]
Inside = Callable[..., str]

NOWHERE = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}

BAD = [
    (("frobnicate",), 2, "No such command 'frobnicate'"),
    (("status", "zzzz"), 2, "gameday: there is no run 'zzzz'; `gameday runs` lists them"),
    (
        ("status", "../../etc/passwd"),
        2,
        "gameday: '../../etc/passwd' is not a run id; expected one such as '7kq2-checkout-day', the start of one, or 'latest'",
    ),
    (("run", "no-such.yaml"), 2, "gameday: no-such.yaml: cannot be read (No such file or directory); expected a playbook, a YAML file"),
    (("run", "x.yaml", "--approve", "maybe"), 2, "'maybe' is not one of 'ask', 'auto'"),
    (
        ("run", "x.yaml", "--detach", "--junit", "out.xml"),
        2,
        "gameday: --junit is written when the run has ended, and --detach does not wait for that",
    ),
    (
        ("run", "x.yaml", "--junit", "/no/such/folder/out.xml"),
        2,
        "gameday: --junit /no/such/folder/out.xml: expected a file in a folder that is there",
    ),
    (("note", "latest", "hello", "--about", "nonsense"), 2, "'nonsense' is not one of 'seen', 'went-well', 'went-wrong', 'lucky', 'action'"),
    (("mark", "latest", "recovered"), 2, "'recovered' is not one of 'detected', 'mitigated'"),
    (("extend", "latest", "3x"), 2, "gameday: '3x' is not a duration; expected a number with its unit: ms, s, m or h, such as '90s' or '5m'"),
    (("replay", "--speed", "-1"), 2, "--speed"),
    (("catalog", "proces.pause"), 2, "gameday: there is no kind 'proces.pause'; did you mean 'process.pause'?"),
    (("go", "latest"), 5, "gameday: 7kq2-checkout-day is over (aborted): it takes no go any more"),
    (("note", "latest", ""), 2, "gameday: text: expected a text of 1 to 2000 characters"),
    (
        ("tick", "latest", "deplois"),
        2,
        "gameday: 'deplois' is not one item of the checklist; expected a number, or how one begins: 1 Deploys frozen, 2 ",
    ),
    (("tick", "latest", "deploys"), 5, "gameday: 7kq2-checkout-day is over (aborted): it takes no tick any more"),
]


@pytest.mark.parametrize(("words", "status", "message"), BAD, ids=[" ".join(words)[:40] for words, _, _ in BAD])
def test_bad_input_is_one_clear_message(home: Path, gameday: Gameday, words: tuple[str, ...], status: int, message: str) -> None:
    done = gameday(*words)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""


def test_an_abort_of_a_run_that_is_over_is_no_mistake(home: Path, gameday: Gameday) -> None:
    for _ in range(2):
        done = gameday("abort", "latest")
        assert (done.returncode, done.stdout) == (0, "7kq2-checkout-day is over already: aborted\n")


def test_following_a_run_that_is_over_needs_no_temporal(home: Path, gameday: Gameday) -> None:
    done = gameday("follow", "7kq2", **NOWHERE)
    assert done.returncode == 3
    assert "nothing is left behind: 2 faults, 2 reverted, 0 dirty" in done.stdout
    assert "aborted    errors > 5 % in 3 of 5 samples: 6 %" in done.stdout
    assert "2 The ledger is slow: aborted, 0 of 1 expectations upheld" in done.stdout


def test_without_a_run_there_is_advice(gameday: Gameday) -> None:
    assert gameday("runs").stdout == "there is no run yet; start one with `gameday run PLAYBOOK`\n"
    done = gameday("status")
    assert (done.returncode, done.stderr) == (2, "gameday: there is no run yet; start one with `gameday run PLAYBOOK`\n")


def test_what_reads_can_be_read_by_machines(home: Path, inside: Inside) -> None:
    status = json.loads(inside("status", "--json"))
    assert (status["run"], status["outcome"], status["exit_code"], status["scenario"]) == ("7kq2-checkout-day", "aborted", 3, 2)
    assert status["probes"]["errors"]["unknown"] == "no answer in 1 s"
    (listed,) = json.loads(inside("runs", "--json"))
    assert (listed["run"], listed["objective"]) == ("7kq2-checkout-day", "Can checkout live without its ledger, and do we notice?")
    assert json.loads(inside("report", "--json"))["outcome"] == "aborted"
    assert json.loads(inside("leftovers", "--json")) == []
    assert {each["kind"] for each in json.loads(inside("catalog", "--json"))["faults"]} >= {"process.pause", "process.kill"}
    assert json.loads(inside("schema"))["title"] == "A gameday playbook"


def test_a_list_of_runs_says_how_they_ended(home: Path, inside: Inside) -> None:
    heads, line = inside("runs").splitlines()
    assert heads.split() == ["run", "started", "outcome", "objective"]
    assert line.startswith("7kq2-checkout-day   2026-06-18 ")
    assert line.endswith("   aborted   Can checkout live without its ledger, and do we notice?")


def test_a_run_without_an_end_says_since_when_it_is_silent(empty_home: Path, day: RunRecord, inside: Inside) -> None:
    write(RunStore(f"sqlite:///{empty_home / 'gameday.db'}"), RunRecord(day.plan, day.events[:12], ()))
    assert "no end; silent since" in inside("runs")
    assert "nothing was recorded for" in inside("status")


def test_status_is_one_page(home: Path, inside: Inside) -> None:
    said = inside("status")
    for fact in ("checkout-day   run 7kq2   staging   commander Ada", "■ aborted", "ledger-slow", "nothing is left behind", "`gameday report"):
        assert fact in said


def test_the_report_is_written_beside_the_store(home: Path, inside: Inside) -> None:
    said = inside("report", "7kq2")
    assert said == f"{home}/runs/7kq2-checkout-day/postmortem.md\n"
    assert Path(said.strip()).read_text().startswith("# ")


@pytest.mark.parametrize(
    ("name", "value", "status", "message"),
    [
        ("GAMEDAY_SETTINGS", "/no/such/settings.toml", 2, "GAMEDAY_SETTINGS names /no/such/settings.toml, and there is no such file"),
        ("GAMEDAY_LEASE", "3x", 2, "'3x' is not a duration"),
        ("GAMEDAY_STORE", "nonsense://x", 2, "the store's URL cannot be used"),
        ("GAMEDAY_STORE", "sqlite:////dev/null/x.db", 5, "/dev/null: a file is in the way"),
        ("GAMEDAY_HOME", "/dev/null/x", 5, "a file is in the way; expected a folder there"),
    ],
)
def test_wrong_settings_say_what_is_wrong_with_them(gameday: Gameday, name: str, value: str, status: int, message: str) -> None:
    done = gameday("runs", **{name: value})
    assert done.returncode == status
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_store_that_is_none_says_so(empty_home: Path, gameday: Gameday) -> None:
    empty_home.mkdir()
    (empty_home / "gameday.db").write_text("this is no database" * 100)
    done = gameday("runs")
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1)
    assert "the run store does not answer (file is not a database)" in done.stderr


def test_a_temporal_that_does_not_answer_is_named(home: Path, gameday: Gameday) -> None:
    done = gameday("doctor", "--json", **NOWHERE)
    found = {each["about"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert (found["Temporal"]["verdict"], "127.0.0.1:1" in found["Temporal"]["found"]) == ("no", True)
    assert found["watchdog"]["verdict"] == "ok"


def test_a_reader_that_has_had_enough_is_no_mistake(home: Path) -> None:
    command = f"{sys.executable} -m gameday replay --json | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


def test_no_colour_where_none_is_wanted(home: Path, gameday: Gameday) -> None:
    assert "\x1b" not in gameday("status").stdout
    assert "\x1b" not in gameday("status", NO_COLOR="1").stdout


def test_help_is_grouped(gameday: Gameday) -> None:
    said = gameday("--help").stdout
    assert said.index("The day:") < said.index("What people say during it:") < said.index("The processes:")
    assert said.index("What people say during it:") < said.index("  abort ") < said.index("What was recorded:") < said.index("  replay ")


def test_each_command_documents_its_options() -> None:
    from typer.main import get_command

    from gameday.cli.app import app

    group = typing.cast(typing.Any, get_command(app))
    assert len(group.commands) >= 26
    for name, command in group.commands.items():
        assert command.help, name
        assert [each.name for each in command.params if not getattr(each, "help", None) and not getattr(each, "hidden", False)] == [], name


def test_the_choices_are_those_of_the_language() -> None:
    assert set(typing.get_args(typing.get_args(verbs.About)[0])) == set(NoteAbout)
    assert set(typing.get_args(typing.get_args(verbs.Clock)[0])) == {Clock.DETECT, Clock.MITIGATE}


HEAVY = """
import atexit, sys
from gameday.cli import main
sys.argv = ["gameday", "--help"]
heavy = {"temporalio", "pydantic", "sqlalchemy", "rich", "yaml", "asyncio"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))
main()
"""


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HEAVY], cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"
