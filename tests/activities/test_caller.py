"""What is recorded calls people: once, through restarts, dead stores and full disks, and nothing waits for it."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from activities import caller, durable
from activities.caller import Caller
from activities.notifiers.named import named
from activities.outbox import Outbox
from activities.store import RunStore
from gameday.errors import Unavailable
from gameday.event import EventKind
from gameday.notify import About, NotifierSettings
from gameday.plan import Plan
from tests.activities.notifiers.conftest import Clock, clock, secrets
from tests.rigs.calls import HOOK, Dead, Scripted, calling, event, hook, recording
from tests.rigs.paging import API_KEY, ROUTING_KEY, SECRET, Hook, Opsgenie, PagerDuty, paging
from tests.rigs.web import http, until

__all__ = ["clock", "http", "secrets"]


async def test_what_is_recorded_calls_once_however_often_it_is_delivered(
    tmp_path: Path, store: RunStore, made: Plan, http: httpx.AsyncClient, clock: Clock
) -> None:
    async with (
        paging(Hook(clock)) as rig,
        calling({"hook": hook(rig.url, http, clock)}, tmp_path, store, clock) as people,
        recording(store, tmp_path, people) as recorder,
    ):
        await recorder.events([event(made, "e1")], made)
        for _ in range(3):
            await recorder.events([event(made, "e1"), event(made, "note", EventKind.NOTE)])
        await recorder.seen(made.run_id, (), [event(made, "e2", EventKind.ALERT_FIRING)])
        assert await people.settled(30)
        await recorder.events([event(made, "e1")])
        await recorder.seen(made.run_id, (), [event(made, "e2", EventKind.ALERT_FIRING)])
        assert await people.settled(30)
        await recorder.written(30)
    assert [told["about"] for told in rig.took] == ["aborted", "alert"]
    assert rig.took[0]["text"].startswith("day (local): aborted by Ada: “enough”")
    assert [each.id for each in store.read(made.run_id).events] == ["e1", "note", "e2"]


async def test_the_next_conductor_sends_what_was_not_sent_and_nothing_twice(tmp_path: Path, store: RunStore, made: Plan, clock: Clock) -> None:
    alive = Scripted()
    async with calling({"slow": Dead(), "alive": alive}, tmp_path, store, clock) as people:
        await people.hear([event(made, "e1"), event(made, "e2")], made)
        await until(lambda: alive.ids == ["e1", "e2"])
        await until(lambda: len(list((tmp_path / "calls" / "alive").glob("*.done"))) == 2)
    unsorted = Caller({"slow": Dead(), "alive": alive}, tmp_path / "calls", store, clock)
    await unsorted.hear([event(made, "e3")], None)  # and it dies before it looks at it
    slow, alive = Scripted(), Scripted()
    async with calling({"slow": slow, "alive": alive}, tmp_path, store, clock) as people:
        assert await people.settled(30)
        await people.hear([event(made, "e1"), event(made, "e2"), event(made, "e3")], made)
        assert await people.settled(30)
    assert (slow.ids, alive.ids) == (["e1", "e2", "e3"], ["e3"])


async def test_each_is_called_about_what_it_is_for(tmp_path: Path, store: RunStore, made: Plan, clock: Clock) -> None:
    pager, all_of_it = Scripted(about=frozenset({About.DIRTY})), Scripted()
    async with calling({"pager": pager, "all": all_of_it}, tmp_path, store, clock) as people:
        await people.hear([event(made, "e1"), event(made, "e2", EventKind.FAULT_DIRTY)], made)
        assert await people.settled(30)
    assert (pager.ids, all_of_it.ids) == (["e2"], ["e1", "e2"])


async def test_a_dirty_fault_is_resolved_by_its_end_also_with_the_store_dead_and_a_restart_between(
    tmp_path: Path, made: Plan, http: httpx.AsyncClient, clock: Clock
) -> None:
    store = RunStore(f"sqlite:///{tmp_path}/store/gameday.db")
    (tmp_path / "store" / "gameday.db").mkdir()  # no database
    settings = {"pagerduty": PagerDuty(clock), "opsgenie": Opsgenie(clock)}
    async with paging(settings["pagerduty"]) as page, paging(settings["opsgenie"]) as genie:
        ways = {
            "page": NotifierSettings.model_validate({"pagerduty": {"url": page.url, "routing_key": "secret://env/PAGERDUTY"}}),
            "genie": NotifierSettings.model_validate({"opsgenie": {"url": genie.url, "api_key": "secret://env/OPSGENIE"}}),
        }
        async with calling(named(ways, http, clock), tmp_path, store, clock) as people:
            await people.hear([event(made, "never-dirty", EventKind.FAULT_ENDED, about="f-2")], made)
            await people.hear([event(made, "e1", EventKind.FAULT_DIRTY)], made)
            assert await people.settled(30)
        assert isinstance(page, PagerDuty) and isinstance(genie, Opsgenie)
        assert list(page.incidents) == list(genie.alerts) == [f"gameday/{made.run_id}/e1"]
        async with calling(named(ways, http, clock), tmp_path, store, clock) as people:
            await people.hear([event(made, "e2", EventKind.FAULT_ENDED, seconds=60)], None)
            assert await people.settled(30)
        assert (page.incidents, genie.alerts, len(page.took), len(genie.took)) == ({}, {}, 2, 2)


async def test_that_a_fault_was_dirty_may_be_known_from_another_conductor_by_the_store(
    tmp_path: Path, store: RunStore, made: Plan, clock: Clock
) -> None:
    store.open(made)
    store.append([event(made, "e1", EventKind.FAULT_DIRTY)])
    told = Scripted()
    async with calling({"it": told}, tmp_path, store, clock) as people:
        await people.hear([event(made, "e2", EventKind.FAULT_ENDED, seconds=60)], None)
        assert await people.settled(30)
    assert [(notice.about, notice.key) for notice in told.told] == [(About.CLEAN, f"gameday/{made.run_id}/e1")]


def sealed(made: Plan) -> Plan:
    scenarios = tuple(each.model_copy(update={"sealed": True}) for each in made.playbook.scenarios)
    return made.model_copy(update={"playbook": made.playbook.model_copy(update={"scenarios": scenarios})})


async def test_seals_open_with_what_the_store_knows_and_stay_closed_where_it_says_nothing(
    tmp_path: Path, store: RunStore, made: Plan, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, told = sealed(made), Scripted()
    store.open(run)
    async with calling({"it": told}, tmp_path, store, clock) as people:
        await people.hear([event(made, "closed", EventKind.FAULT_DIRTY)], None)
        assert await people.settled(30)
        store.append([event(made, "open", EventKind.REVEALED)])
        monkeypatch.setattr(store, "told", lambda *_: (_ for _ in ()).throw(RuntimeError("nobody foresaw this")))
        await people.hear([event(made, "silent", EventKind.FAULT_DIRTY)], None)
        assert await people.settled(30)
        monkeypatch.undo()
        monkeypatch.setenv("HOOK", SECRET)
        await people.hear([event(made, "opened", EventKind.FAULT_DIRTY)], None)
        assert await people.settled(30)
    assert [(notice.id, "frozen" in notice.text) for notice in told.told] == [("closed", False), ("silent", False), ("opened", True)]
    assert "a scenario is running" in told.told[0].text


async def test_a_store_that_hangs_keeps_nobody_from_being_called(
    tmp_path: Path, store: RunStore, made: Plan, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, told = threading.Event(), Scripted()
    monkeypatch.setattr(store, "told", lambda *_: over.wait(60))
    monkeypatch.setattr(caller, "STORE_PATIENCE", 0.05)
    try:
        async with calling({"it": told}, tmp_path, store, clock) as people:
            await people.hear([event(made, "e1"), event(made, "e2")], made)
            assert await people.settled(30)
    finally:
        over.set()
    assert told.ids == ["e1", "e2"]


async def test_a_store_that_is_silent_is_asked_once_for_all_that_waits(
    tmp_path: Path, store: RunStore, made: Plan, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, other = list[str](), made.model_copy(update={"run_id": "0ther-day"})

    def silent(run_id: str, *_: object) -> None:
        asked.append(run_id)
        raise Unavailable("the run store does not answer")

    monkeypatch.setattr(store, "told", silent)
    people = Caller({"it": Scripted()}, tmp_path / "calls", store, clock, clock.sleep)
    await people.hear([event(made, "e1"), event(other, "e2"), event(made, "e3")], made)
    await people._sort()
    assert asked == [made.run_id] and len(list((tmp_path / "calls" / "it").glob("*.json"))) == 3


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Nothing can be written any more, until the fixture is called."""
    write, full = durable.write, [True]

    def written(path: Path, data: bytes, durable: bool = True) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data, durable)

    monkeypatch.setattr(durable, "write", written)
    return full.clear


async def test_a_full_disk_keeps_nobody_from_being_called_nor_the_record_from_going_on(
    tmp_path: Path, store: RunStore, made: Plan, clock: Clock, full_disk: Callable[[], None]
) -> None:
    told = Scripted()
    async with calling({"it": told}, tmp_path, store, clock) as people, recording(store, tmp_path, people) as recorder:
        with pytest.raises(OSError, match="No space left"):  # its workflow tries it again
            await recorder.events([event(made, "e1")], made)
        await recorder.seen(made.run_id, (), [event(made, "e2", EventKind.ALERT_FIRING)])
        assert await people.settled(30)
        assert told.ids == ["e1", "e2"]
        full_disk()
        await recorder.events([event(made, "e1")], made)
        assert await people.settled(30)
        await recorder.written(30)
    assert told.ids == ["e1", "e2"], "a second delivery is the same call"


def test_what_was_kept_in_memory_is_written_when_there_is_room(tmp_path: Path, clock: Clock, full_disk: Callable[[], None]) -> None:
    box = Outbox(tmp_path / "box", clock)
    box.put("7kq2-day", "aborted", "e1", "{}")
    assert [each.text for each in box.waiting()] == ["{}"] and not list((tmp_path / "box").iterdir())
    full_disk()
    assert [each.text for each in box.waiting()] == ["{}"]
    assert [each.text for each in Outbox(tmp_path / "box", clock).waiting()] == ["{}"]


def test_marks_are_kept_for_a_week(tmp_path: Path, clock: Clock) -> None:
    box = Outbox(tmp_path / "box", clock)
    box.put("7kq2-day", "aborted", "e1", "{}")
    box.done(box.waiting()[0])
    clock.now += 6 * 24 * 3600
    box.tidy()
    box.put("7kq2-day", "aborted", "e1", "{}")
    assert box.waiting() == []
    clock.now += 2 * 24 * 3600
    box.tidy()
    box.put("7kq2-day", "aborted", "e1", "{}")
    assert len(box.waiting()) == 1


async def test_of_two_conductors_of_one_home_one_calls(tmp_path: Path, store: RunStore, made: Plan, clock: Clock) -> None:
    first, second = Scripted(), Scripted()
    async with calling({"it": first}, tmp_path, store, clock) as one:
        await one.hear([event(made, "e1")], made)
        assert await one.settled(30)
        async with calling({"it": second}, tmp_path, store, clock) as other:
            await other.hear([event(made, "e2")], made)
            assert await other.settled(30)
    assert (first.ids, second.ids) == (["e1", "e2"], [])


async def test_with_nobody_to_call_nothing_is_kept(tmp_path: Path, store: RunStore, made: Plan, clock: Clock) -> None:
    async with calling({}, tmp_path, store, clock) as people:
        await people.hear([event(made, "e1")], made)
        assert await people.settled(0)
    assert not (tmp_path / "calls").exists()


async def test_no_log_line_of_a_bad_day_has_a_secret(
    tmp_path: Path, store: RunStore, made: Plan, http: httpx.AsyncClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with paging(Hook(clock)) as first, paging(PagerDuty(clock)) as second, paging(Opsgenie(clock)) as third:
        for rig in (first, second, third):
            rig.moods.extend([500, "close", (429, "1"), 422])
        ways = {
            "hook": {"webhook": {"url": first.url, **HOOK}},
            "page": {"pagerduty": {"url": second.url, "routing_key": "secret://env/PAGERDUTY"}},
            "genie": {"opsgenie": {"url": third.url, "api_key": "secret://env/OPSGENIE"}},
        }
        settings = {name: NotifierSettings.model_validate(way) for name, way in ways.items()}
        async with calling(named(settings, http, clock), tmp_path, store, clock) as people:
            await people.hear([event(made, "e1"), event(made, "e2", EventKind.FAULT_DIRTY)], made)
            assert await people.settled(30)
    assert "answered 500" in caplog.text and "answered 422" in caplog.text
    assert [each for each in (SECRET, ROUTING_KEY, API_KEY) if each in caplog.text] == []
    kept = "".join(path.read_text() for path in (tmp_path / "calls").rglob("*.done"))
    assert kept and [each for each in (SECRET, ROUTING_KEY, API_KEY) if each in kept] == []
