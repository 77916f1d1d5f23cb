"""The runs as the control room tells them things: one start is one run, and Temporal is spoken to where it is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.store import RunStore
from gameday.commands import Actor
from gameday.errors import Refused
from gameday.settings import load_settings
from tests.rigs.town import Town, town
from worker import runs as rooms
from worker.runs import TemporalRuns

ADA, LINUS = Actor(id="slack:T01/U01", name="Ada"), Actor(id="slack:T01/U03", name="Linus")
DAY = """
name: quiet-day
objective: Is it one run?
probes: {up: {tcp: {host: 127.0.0.1, port: 1, measure: ok}}}
gates: {day: {timeout: 5m}}
scenarios:
  - title: One
    hypothesis: Nothing
    faults: [{name: frozen, inject: process.pause, on: {host: local, process: nobody-has-this}}]
"""


def runs_of(place: Town) -> TemporalRuns:
    return TemporalRuns(place.settings, RunStore(place.settings.store_url))


async def test_a_start_that_is_tried_again_is_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with town(tmp_path / "home", "temporal", "worker") as place:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{place.port}")
        playbook = place.home / "quiet-day.yaml"
        playbook.write_text(DAY)
        first = await runs_of(place).start("slack-submission-1", playbook, {}, ADA)
        await place.until(lambda: runs_of(place).store.plan(first) is not None, "it is in the store")
        assert await runs_of(place).start("slack-submission-1", playbook, {}, ADA) == first
        with pytest.raises(Refused, match="of somebody else"):
            await runs_of(place).start("slack-submission-1", playbook, {}, LINUS)
        assert await runs_of(place).start("slack-submission-2", playbook, {}, ADA) != first


async def test_temporal_is_spoken_to_where_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded one has another port each time that it comes up, and an abort cannot wait for the old one."""
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path))
    monkeypatch.setattr(rooms, "connect", which)
    settings = load_settings()
    runs = TemporalRuns(settings, RunStore(settings.store_url))
    for port in ("9", "10"):
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
        assert str(await runs.client()) == f"127.0.0.1:{port}"


async def which(home: Path) -> str:
    """In the place of a connection: where it would go."""
    return rooms.address(home)
