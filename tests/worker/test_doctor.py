"""`gameday doctor` beside a real Temporal: who polls, before and after conductor and agent are up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.town import ROOT, Town, town

pytestmark = pytest.mark.timeout(120)

SETTINGS = """
[hosts.local]
labels = {app = "sleeper"}
[hosts.shop-2]
labels = {app = "sleeper"}
"""


async def examined(place: Town) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by what it is about; hosts with their names."""
    environment = {**os.environ, **place.environment, "GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}"}
    argv = [sys.executable, "-m", "gameday", "doctor", "--json"]
    doctor = await asyncio.create_subprocess_exec(*argv, env=environment, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said, _ = await doctor.communicate()
    assert doctor.returncode == 0
    return {each["found"].split(":")[0] if each["about"] == "agent" else each["about"]: each for each in json.loads(said)}


async def test_it_says_who_polls_and_what_to_start(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    async with town(tmp_path / "home", "temporal") as place:
        place.environment["GAMEDAY_SETTINGS"] = str(settings)
        found = await examined(place)
        assert [found[each]["verdict"] for each in ("Temporal", "conductor", "local", "shop-2")] == ["ok", "no", "no", "no"]
        assert found["conductor"]["advice"] == "start `gameday worker`"
        assert found["shop-2"]["advice"] == "start `GAMEDAY_HOST=shop-2 gameday agent` on shop-2"
        place.start("worker", "agent")
        handle = await place.frozen_day()
        found = await examined(place)
        assert [found[each]["verdict"] for each in ("conductor", "local", "shop-2")] == ["ok", "ok", "no"]
        assert f"{place.processes['worker'].pid}@" in found["conductor"]["found"]
        assert f"{place.processes['agent'].pid}@" in found["local"]["found"]
        await handle.cancel()
        await place.until(lambda: place.is_clean, "it is off again")
