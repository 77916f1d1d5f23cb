"""The demo as a newcomer starts it: its playbooks are sound, and its day ends as it is meant to, with nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities.journal import Journal
from activities.kinds import catalogue
from activities.store import RunStore
from gameday.clocks import clocks
from gameday.loading import loads

ROOT = Path(__file__).parents[2]
VALUES = {"checkout": "http://127.0.0.1:1", "monitor": "http://127.0.0.1:2"}


@pytest.mark.parametrize("name", ["shop-day.yaml", "shop-day-without-envoy.yaml"])
def test_a_playbook_of_the_demo_has_no_problem_and_no_doubt(name: str) -> None:
    loaded = loads((ROOT / "playbooks" / name).read_bytes(), catalogue(), VALUES)
    assert len(loaded.playbook.scenarios) == 2
    assert not loaded.warnings


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("options", "faults"), [((), 2), (("--no-envoy",), 3)], ids=["with Envoy", "without Envoy"])
def test_the_day_is_survived_once_and_aborted_by_a_guardrail_the_second_time(tmp_path: Path, options: tuple[str, ...], faults: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "GAMEDAY_"))}
    environment |= {"HOME": str(tmp_path), "GAMEDAY_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "demo", *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=230, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"nothing is left behind: {faults} faults, {faults} reverted, 0 dirty" in done.stdout
    report = Path(done.stdout.strip().splitlines()[-1].split()[-1])
    assert report.is_file(), "the last line is the report's path"
    assert all(part in report.read_text() for part in ("| conductor ", "| Temporal server ", "| agent of local "))
    home = tmp_path / "home" / "demo"
    (line,) = RunStore(f"sqlite:///{home}/gameday.db").list()
    record = RunStore(f"sqlite:///{home}/gameday.db").read(line.run_id)
    assert clocks(record, 0).mitigate.after is not None, "the shop lived with its fault before that was taken off"
    assert line.outcome == "aborted" and "errors > 20 %" in str(record.ended and record.ended.text("reason"))
    assert not Journal.at(home).live()
