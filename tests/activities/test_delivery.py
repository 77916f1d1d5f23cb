"""One notifier's notices on their way: in order, tried again, refused or given up, and none waits for another's."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from activities import delivery
from activities.notifiers.notifier import NotSent
from activities.store import RunStore
from gameday.plan import Plan
from tests.activities.notifiers.conftest import Clock, clock, secrets
from tests.rigs.calls import Dead, Scripted, calling, event, hook
from tests.rigs.paging import Hook, paging
from tests.rigs.web import http, until

__all__ = ["clock", "http", "secrets"]


async def test_what_fails_is_tried_again_in_order_and_a_server_that_asks_for_time_gets_it(
    tmp_path: Path, store: RunStore, made: Plan, http: httpx.AsyncClient, clock: Clock
) -> None:
    async with paging(Hook(clock)) as rig:
        rig.moods.extend([500, (429, "30"), "close"])
        async with calling({"hook": hook(rig.url, http, clock)}, tmp_path, store, clock) as people:
            for identity in ("e1", "e2", "e3"):
                await people.hear([event(made, identity)], made)
            assert await people.settled(30)
    assert [told["id"] for told in rig.took] == ["e1", "e2", "e3"]
    assert clock.slept == [1, 30, 4] and rig.asked == 6


async def test_the_pauses_grow_up_to_a_minute(tmp_path: Path, store: RunStore, made: Plan, clock: Clock) -> None:
    failing = Scripted(*(NotSent("not now") for _ in range(9)), RuntimeError("a mistake of its own"))
    async with calling({"it": failing}, tmp_path, store, clock) as people:
        await people.hear([event(made, "e1")], made)
        assert await people.settled(30)
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60] and failing.ids == ["e1"]


async def test_one_that_hangs_is_cut_off_and_tried_again(
    tmp_path: Path, store: RunStore, made: Plan, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Patient(Clock):
        async def sleep(self, seconds: float) -> None:
            monkeypatch.setattr(delivery, "TIMEOUT", 60.0)  # what comes next is not cut off, however slow this machine is
            await super().sleep(seconds)

    monkeypatch.setattr(delivery, "TIMEOUT", 1.0)
    clock = Patient()
    async with paging(Hook(clock)) as rig:
        rig.moods.append("hang")
        async with calling({"hook": hook(rig.url, http, clock)}, tmp_path, store, clock) as people:
            await people.hear([event(made, "e1")], made)
            assert await people.settled(90)
    assert [told["id"] for told in rig.took] == ["e1"] and clock.slept == [1]


async def test_a_refusal_is_logged_and_what_comes_after_it_is_sent(
    tmp_path: Path, store: RunStore, made: Plan, http: httpx.AsyncClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with paging(Hook(clock)) as rig:
        rig.moods.append(400)
        async with calling({"hook": hook(f"{rig.url}/in-the-address", http, clock)}, tmp_path, store, clock) as people:
            await people.hear([event(made, "e1"), event(made, "e2")], made)
            assert await people.settled(30)
            await people.hear([event(made, "e1")], None)
            assert await people.settled(30)
    assert [told["id"] for told in rig.took] == ["e2"] and clock.slept == []
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert (
        said.startswith(f"a call to hook about aborted of {made.run_id} is refused for good: 127.0.0.1:")
        and "answered 400: not now, whoever has …" in said
    )
    assert "in-the-address" not in said


async def test_what_nobody_took_for_a_day_is_given_up_with_one_line(
    tmp_path: Path, store: RunStore, made: Plan, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with calling({"it": Scripted(*(NotSent("not now") for _ in range(5000)))}, tmp_path, store, clock) as people:
        await people.hear([event(made, "e1")], made)
        assert await people.settled(60)
    assert 24 * 3600 <= sum(clock.slept) < 24 * 3600 + 60
    assert [record.getMessage() for record in caplog.records if record.name == "activities.delivery"] == [
        f"a call to it about aborted of {made.run_id} is tried again until it is taken: not now",
        f"a call to it about aborted of {made.run_id} is given up: nobody took it in 24 h",
    ]


async def test_a_dead_notifier_holds_up_no_other(tmp_path: Path, store: RunStore, made: Plan, clock: Clock) -> None:
    alive = Scripted()
    async with calling({"dead": Dead(), "alive": alive}, tmp_path, store, clock) as people:
        for identity in ("e1", "e2"):
            await people.hear([event(made, identity)], made)
            await until(lambda identity=identity: identity in alive.ids)  # type: ignore[misc]
    assert alive.ids == ["e1", "e2"]
