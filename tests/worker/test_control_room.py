"""The control room's process: it can be stopped while it waits, and there is one of it at a time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control_room.table import claim
from tests.rigs.slack import Slack, slack_server
from worker.control_room import _unless

ROOT = Path(__file__).parents[2]


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_server() as server:
        yield server


def begin(home: Path, slack: Slack, app_token: str = "") -> subprocess.Popen[str]:
    section = 'bot_token = "secret://env/B"\napp_token = "secret://env/A"\n' + f'base_url = "{slack.base_url.rstrip("/")}"\n'
    home.mkdir(exist_ok=True)
    (home / "settings.toml").write_text(f"[slack]\n{section}")
    environment = {**os.environ, "GAMEDAY_HOME": str(home), "A": app_token or slack.app_token, "B": slack.bot_token}
    argv = [sys.executable, "-m", "gameday", "slack"]
    return subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def test_a_wrong_app_token_is_told_at_the_start(slack: Slack, tmp_path: Path) -> None:
    process = begin(tmp_path / "home", slack, app_token="xapp-nobody")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "[slack] app_token: " in said and "gameday slack check" in said and "Traceback" not in said


def test_a_second_one_waits_for_the_first_to_end_and_can_be_stopped_meanwhile(slack: Slack, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    first = claim(home / "slack")
    assert first is not None
    process = begin(home, slack)
    assert process.stderr is not None
    assert "another control room of this home runs" in process.stderr.readline()
    assert slack.connected == 0
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0 and "Traceback" not in said
    second = begin(home, slack)
    first.close()
    slack.until(lambda: slack.connections == 2, 60, "the second one is there")
    second.send_signal(signal.SIGTERM)
    _, said = second.communicate(timeout=30)
    assert second.returncode == 0 and "Traceback" not in said


async def test_what_never_comes_to_an_end_is_not_waited_for_once_it_is_to_stop() -> None:
    stop, began = asyncio.Event(), time.monotonic()
    asyncio.get_running_loop().call_later(0.1, stop.set)
    assert not await _unless(stop, asyncio.sleep(3600))
    assert time.monotonic() - began < 10 and await _unless(asyncio.Event(), asyncio.sleep(0))
