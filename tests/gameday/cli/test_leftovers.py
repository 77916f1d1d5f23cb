"""Leftovers: what is on, whose it is, and what came of taking it off. The target is a real process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities import watchdog
from activities.engine import inject
from activities.journal import Journal, Order
from activities.steps.process_signal import Pause
from activities.steps.processes import boot_clock, born, life
from gameday.cli.leftovers import show_leftovers
from tests.rigs.lab import until

FAULT = "f-11111111111111111111"


@pytest.fixture
def target() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(120)"])
    yield process
    process.kill()
    process.wait()


def put_on(home: Path, target: subprocess.Popen[bytes], lease: float, quiet: bool = False) -> None:
    """A fault as an agent would put it on, without a watchdog: it is the journal's alone."""
    journal = Journal.at(home)
    order = Order(FAULT, "7kq2-checkout-day", "ledger-frozen", "process.pause", f"local, ledger (pid {target.pid})", lease=lease, cap=60, quiet=quiet)
    inject(journal, order, [Pause(target.pid, born(target.pid))], lambda: (journal.root / FAULT / "watched").touch())


def state(target: subprocess.Popen[bytes]) -> str:
    alive = life(target.pid)
    return alive.state if alive else "gone"


def test_nothing_left_is_said_so(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_leftovers(revert=False, as_json=False) == 0
    assert capsys.readouterr().out == "nothing is left behind\n"


def test_who_looks_in_the_wrong_home_is_told(empty_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(empty_home / "journal", ignore_errors=True)
    monkeypatch.setattr(watchdog, "homes", lambda: {empty_home})
    show_leftovers(revert=False, as_json=False)
    assert f"no agent has ever kept a journal in {empty_home}; if its home is another one" in capsys.readouterr().err.replace("\n", " ")
    monkeypatch.setattr(watchdog, "homes", lambda: {empty_home, Path("/var/lib/gameday")})
    show_leftovers(revert=False, as_json=False)
    assert "for another home: GAMEDAY_HOME=/var/lib/gameday gameday leftovers" in capsys.readouterr().err


def test_a_watchdog_is_found_by_the_home_that_it_was_started_for(tmp_path: Path) -> None:
    watchdog.ensure(tmp_path)
    assert tmp_path in watchdog.homes()
    watchdog.dismiss(Journal.at(tmp_path).root)


@pytest.mark.parametrize("command", [["halt", "--local"], ["leftovers"]])
def test_broken_settings_stand_between_nobody_and_the_lever(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "settings.toml").write_text("[hosts\n")
    Journal.at(tmp_path)
    environment = {**os.environ, "GAMEDAY_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "gameday", *command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "goes on without settings" in done.stderr, done.stderr


def test_an_agent_that_cannot_read_its_settings_still_looks_after_what_is_on(empty_home: Path, target: subprocess.Popen[bytes]) -> None:
    put_on(empty_home, target, lease=0.5)
    (empty_home / "settings.toml").write_text("[hosts\n")
    environment = {**os.environ, "GAMEDAY_HOME": str(empty_home)}
    done = subprocess.run([sys.executable, "-m", "gameday", "agent"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "not valid TOML" in done.stderr
    until(lambda: state(target) != "T", 20)


@pytest.mark.parametrize(
    ("watched", "ends"),
    [
        (True, "It ends by its lease"),
        (False, "NOTHING WATCHES IT: start `gameday agent`; once its lease is over, `gameday leftovers --revert` takes it off"),
    ],
)
def test_without_temporal_a_running_lease_has_no_known_owner_and_is_left_alone(
    empty_home: Path, target: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str], watched: bool, ends: str
) -> None:
    put_on(empty_home, target, lease=30)
    if watched:
        beat = {"pid": os.getpid(), "born": born(os.getpid()), "at": boot_clock()}
        (Journal.at(empty_home).root / ".watchdog").write_text(json.dumps(beat))
    assert show_leftovers(revert=True, as_json=False) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{FAULT}  ledger-frozen (process.pause) on local, ledger (pid {target.pid})"
    assert said[1] == "    of the run 7kq2-checkout-day; no Temporal answers, so nobody can say whether it is still wanted. " + ends
    assert said[2] == "1 fault in the journal: 0 of a live run, 0 taken off, 1 left"
    assert state(target) == "T"


def test_what_its_lease_has_left_behind_is_taken_off_and_read_back(
    empty_home: Path, target: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    put_on(empty_home, target, lease=30)
    (Journal.at(empty_home).root / FAULT / "lease").write_text("0.0")
    assert show_leftovers(revert=False, as_json=False) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "    LEFT BEHIND by the run 7kq2-checkout-day (its lease ran out)"
    assert said[-1] == "take them off with: gameday leftovers --revert"
    assert show_leftovers(revert=True, as_json=False) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[2].startswith("    taken off: ")
    assert said[-1] == "1 fault in the journal: 0 of a live run, 1 taken off, 0 left"
    assert state(target) != "T"
    assert show_leftovers(revert=True, as_json=False) == 0


def test_a_fault_of_a_sealed_scenario_gives_nothing_away(
    empty_home: Path, target: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    put_on(empty_home, target, lease=30, quiet=True)
    for as_json in (False, True):
        show_leftovers(revert=False, as_json=as_json)
        said = capsys.readouterr().out
        assert "ledger" not in said
        assert "pause" not in said


def test_a_journal_entry_that_was_changed_is_said_so(empty_home: Path, target: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    put_on(empty_home, target, lease=30)
    entry = Journal.at(empty_home).root / FAULT / "entry"
    entry.write_text(entry.read_text().replace("ledger-frozen", "ledger-fr0zen"))
    assert show_leftovers(revert=True, as_json=True) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["authentic"], told["outcome"]) == (False, None)
    assert "not authentic" in told["problem"]
    os.kill(target.pid, 18)
