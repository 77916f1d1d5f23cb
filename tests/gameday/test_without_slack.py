"""Without Slack nothing changes: where its libraries are not there, every other part of gameday is as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT = "import sys; sys.modules['slack_sdk'] = sys.modules['aiohttp'] = None; "
"""As if they were not installed: whoever imports one gets an ImportError."""
PARTS = "worker.conductor, worker.agent, worker.keeper, worker.up, worker.starter, workflows.game_day, activities.notifiers, reports.postmortem"


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WITHOUT + code, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_no_other_part_needs_its_libraries() -> None:
    done = run(f"import {PARTS}")
    assert done.returncode == 0, done.stderr


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return run("sys.argv[0] = 'gameday'; from gameday.__main__ import main; sys.exit(main())", *words)


def test_a_playbook_is_checked_all_the_same() -> None:
    done = command("validate", "playbooks/shop-day.yaml", "--set", "checkout=http://127.0.0.1:1", "--set", "monitor=http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr


def test_the_control_room_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path))
    done = command("slack", "check")
    assert "install gameday with its extra: gameday[slack]" in done.stderr and "Traceback" not in done.stderr
