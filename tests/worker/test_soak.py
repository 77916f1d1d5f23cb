"""Random kills, freezes, restarts and cuts during days with several faults: twenty rounds here, two hundred by `make soak`."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.soak import soak

ROUNDS = 20


@pytest.mark.timeout(900)
async def test_random_kills_freezes_partitions_and_restarts(tmp_path: Path, record_property: Any) -> None:
    """A failure names the seed of its round; GAMEDAY_SOAK_SEED plays that again."""
    seed = os.environ.get("GAMEDAY_SOAK_SEED")
    said, _ = await soak(tmp_path / "home", 1 if seed else ROUNDS, seed or secrets.token_hex(3))
    record_property("counted", said)
