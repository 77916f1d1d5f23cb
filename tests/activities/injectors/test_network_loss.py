"""A share of the packets is lost: counted on real ones."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any, ClassVar

from activities.journal import Journal
from activities.operators import Operators
from tests.activities.injectors.test_network_partition import Cut
from tests.rigs.lab import SLOWNESS, rig, until
from tests.rigs.network import THERE


class Lossy(Cut):
    """Half of the packets are lost."""

    kind = "network.loss"
    every = 20
    params: ClassVar[dict[str, Any]] = {"peers": [THERE], "percent": 50}
    bad_params = ({"peers": [THERE]}, {"peers": [THERE], "percent": 0}, {"peers": [THERE], "percent": 100})


async def test_about_its_share_of_the_packets_is_lost(tmp_path: Path, operators: Operators) -> None:
    with rig(Lossy, tmp_path / "rig") as target:
        assert target.wire.lost(400) == 0
        await operators.perform(target.order("f-lossy"))
        assert 120 <= target.wire.lost(400) <= 280, "one way, 50 %: further off than this once in a million million times"
        await operators.revert({"f-lossy": "the test is over"})
        assert target.wire.lost(400) == 0


async def test_the_kernel_ends_it_with_everybody_dead(tmp_path: Path, operators: Operators) -> None:
    with rig(Lossy, tmp_path / "rig") as target:
        await operators.perform(target.order("f-alone", lease=3.0 * SLOWNESS))
        root = Journal.at(tmp_path / "home").root
        os.kill(json.loads((root / ".watchdog").read_bytes())["pid"], signal.SIGKILL)
        assert target.wire.lost(100) > 0
        await asyncio.to_thread(until, lambda: target.wire.lost(100) == 0, 3.0 * SLOWNESS + 10.0)
        assert Journal.at(tmp_path / "home").live(), "nobody took it off"
        await operators.revert({"f-alone": "an agent starts"})
        assert "gameday" not in target.wire.rules()
