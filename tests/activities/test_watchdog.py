"""The watchdog, and what it does alone: end what is frozen, what lasts too long, and be replaced when it hangs itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from activities import watchdog
from activities.journal import Journal
from activities.operators import Operators
from tests.activities.injectors.test_process_pause import Sleeper
from tests.rigs.lab import rig, until


async def test_a_frozen_inject_is_killed_and_applies_nothing_late(tmp_path: Path, operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen between journal and change; its lease runs out. The watchdog kills the holder, and only then reverts."""
    monkeypatch.setenv("GAMEDAY_FAILPOINT", "freeze@after_journal")
    with rig(Sleeper, tmp_path / "rig") as target:
        frozen = Operators(tmp_path / "home")
        attempt = asyncio.create_task(frozen.perform(target.order("f-frozen", lease=0.5)))
        entry = None
        while entry is None or entry.tombstone is None:
            await asyncio.sleep(0.05)
            entry = Journal.at(tmp_path / "home").find("f-frozen")
        assert target.look() == "running"
        with pytest.raises(Exception, match="ended from outside"):
            await attempt
        monkeypatch.delenv("GAMEDAY_FAILPOINT")
        await frozen.close()


async def test_a_fault_that_is_renewed_for_ever_ends_at_its_cap(tmp_path: Path, operators: Operators) -> None:
    with rig(Sleeper, tmp_path / "rig") as target:
        order = target.order("f-capped")
        order["order"] |= {"lease": 30.0, "cap": 1.5}
        await operators.perform(order)
        entry = Journal.at(tmp_path / "home").find("f-capped")
        assert entry is not None
        while entry.tombstone is None:
            entry.renew()
            await asyncio.sleep(0.05)
        assert entry.tombstone["reason"] == "its longest time was over" and target.look() == "running"


async def test_a_frozen_watchdog_is_replaced(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = Journal.at(home)
    watchdog.ensure(home)
    beat = json.loads((journal.root / ".watchdog").read_bytes())
    os.kill(beat["pid"], signal.SIGSTOP)
    await asyncio.to_thread(until, lambda: (watchdog.heartbeat(journal.root) or 0) > 3)
    watchdog.ensure(home)
    assert json.loads((journal.root / ".watchdog").read_bytes())["pid"] != beat["pid"]
    watchdog.dismiss(journal.root)
    await asyncio.to_thread(until, lambda: watchdog.heartbeat(journal.root) is None)
