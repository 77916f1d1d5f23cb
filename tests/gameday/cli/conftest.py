"""A home with a day in its store, and the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.store import RunStore
from gameday import cli
from gameday.record import RunRecord
from tests.gameday.cli.told import plan_of, told_day, write

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def day() -> RunRecord:
    """The day as a record."""
    return told_day(plan_of())


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own without a run, and no Temporal from the environment."""
    for name in list(os.environ):
        if name.startswith(("GAMEDAY_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "no-such-file"))
    return tmp_path / "home"


@pytest.fixture
def home(empty_home: Path, day: RunRecord) -> Path:
    """A home with the day in its store."""
    write(RunStore(f"sqlite:///{empty_home / 'gameday.db'}"), day)
    return empty_home


Gameday = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def gameday(empty_home: Path) -> Gameday:
    """The real command, in a process of its own. Never with a traceback."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "gameday", *words],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def inside(empty_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The same command in this process: what it prints, once it has ended well."""

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["gameday", *words])
        status = cli._run()
        told = capsys.readouterr()
        assert (status, told.err) == (0, "")
        return told.out

    return run
