"""A share of the packets is lost: counted on real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from activities.operators import Operators
from tests.activities.injectors.test_network_partition import Cut
from tests.rigs.lab import rig
from tests.rigs.network import THERE


class Lossy(Cut):
    """Half of the packets are lost."""

    kind = "network.loss"
    every = 10
    params: ClassVar[dict[str, Any]] = {"peers": [THERE], "percent": 50}
    bad_params = ({"peers": [THERE]}, {"peers": [THERE], "percent": 0}, {"peers": [THERE], "percent": 100})


async def test_about_its_share_of_the_packets_is_lost(tmp_path: Path, operators: Operators) -> None:
    with rig(Lossy, tmp_path / "rig") as target:
        assert target.wire.lost(400) == 0
        await operators.perform(target.order("f-lossy"))
        assert 120 <= target.wire.lost(400) <= 280, "one way, 50 %: further off than this once in a million million times"
        await operators.revert({"f-lossy": "the test is over"})
        assert target.wire.lost(400) == 0
