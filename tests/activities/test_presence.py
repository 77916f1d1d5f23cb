"""Who is there, by a real store: names that count, clocks that are wrong, a store that does not answer."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities import presence
from activities.presence import Roll
from activities.store import RunStore
from gameday.observation import Attendance

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(f"sqlite:///{tmp_path}/gameday.db")


def roll(
    store: RunStore, since: datetime = NOW - MINUTE, until: datetime = NOW - MINUTE / 2, names: tuple[str, ...] = (), asked: bool = False
) -> Roll:
    return Roll(store, "abcd-day", Attendance(since=since, until=until, within=MINUTE, names=names, asked=asked))


async def looked(called: Roll, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> Roll:
    """After so many looks."""
    done, looks = asyncio.Event(), iter(range(1, times))
    waits = asyncio.sleep

    async def wait(_: float) -> None:
        if next(looks, None) is None:
            done.set()
            await waits(3600)

    monkeypatch.setattr(presence.asyncio, "sleep", wait)
    calling = asyncio.create_task(called.call())
    await done.wait()
    calling.cancel()
    return called


async def test_nobody_is_missed_before_the_first_look(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    called = roll(store)
    assert not called.is_over(NOW)
    assert (await looked(called, monkeypatch)).is_over(NOW)


@pytest.mark.parametrize(("names", "there"), [((), True), (("Ada", "Grace"), True), (("Grace",), False)])
async def test_who_follows_is_there_if_they_may_decide(store: RunStore, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], there: bool) -> None:
    store.show_presence("abcd-day", "Ada", NOW - MINUTE)
    store.show_presence("abcd-day", "Ada", NOW - MINUTE / 6)
    store.show_presence("other-day", "Grace", NOW)
    called = await looked(roll(store, names=names), monkeypatch)
    assert called.is_over(NOW) is not there and called.name == ("Ada" if there else None)


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(hours=1)])
async def test_a_follower_whose_clock_is_wrong_is_there_all_the_same(store: RunStore, monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    class Following(RunStore):
        """Somebody shows between one look and the next."""

        def presence(self, run_id: str) -> dict[str, datetime]:
            found = super().presence(run_id)
            self.show_presence(run_id, "Ada", NOW + by + timedelta(seconds=len(found)))
            return found

    called = await looked(roll(Following(store.url), asked=True), monkeypatch, times=3)
    assert called.was_asked_for and not called.is_over(NOW)


async def test_a_store_that_hangs_shows_nobody_either(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(RunStore):
        def presence(self, run_id: str) -> dict[str, datetime]:
            over.wait(20)
            return {}

    over = threading.Event()
    monkeypatch.setattr(presence, "PATIENCE", 0.05)
    try:
        assert (await looked(roll(Hanging(store.url)), monkeypatch)).is_over(NOW)
    finally:
        over.set()


async def test_a_store_that_does_not_answer_shows_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = RunStore(f"sqlite:///{tmp_path}/gameday.db")
    (tmp_path / "gameday.db").write_bytes(b"no database" * 1000)
    assert (await looked(roll(broken), monkeypatch)).is_over(NOW)
