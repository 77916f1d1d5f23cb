"""A store that is down holds nothing up, and gets everything in order when it is back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from activities.recorder import Recorder, _turn, drain
from activities.store import RunStore
from gameday.errors import NotFound, Unavailable
from gameday.event import Event, EventKind
from gameday.plan import Plan, new_run_id
from gameday.probe import Sample
from tests.activities.conftest import NOON


def note(made: Plan, number: int) -> Event:
    at = NOON + timedelta(seconds=number)
    return Event(id=f"e{number}", run_id=made.run_id, at=at, kind=EventKind.NOTE, actor="Ada", data={"text": f"note {number}"})


def reading(number: int) -> Sample:
    return Sample(probe="up", at=NOON + timedelta(seconds=number), value=float(number))


def test_a_record_is_read_as_it_was_written_and_its_chain_holds(store: RunStore, made: Plan) -> None:
    store.open(made)
    store.append([note(made, 1), note(made, 2)])
    store.add_samples(made.run_id, [reading(1), Sample(probe="up", at=NOON, unknown="no answer in 1 s")])
    record = store.read(made.run_id)
    assert record.plan == made
    assert [event.text("text") for event in record.events] == ["note 1", "note 2"]
    assert [(sample.value, sample.unknown) for sample in record.samples] == [(None, "no answer in 1 s"), (1.0, None)]
    assert record.chain == "record verified (chains of 2 events and 2 samples)"


def test_a_second_delivery_is_the_same_event_and_the_same_sample(store: RunStore, made: Plan) -> None:
    for _ in range(3):
        store.open(made)
        store.append([note(made, 1)])
        store.add_samples(made.run_id, [reading(1)])
    record = store.read(made.run_id)
    assert (len(record.events), len(record.samples)) == (1, 1)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("update gameday_events set event = replace(event, 'note 2', 'note X') where seq = 1", "event 1 was changed"),
        ("delete from gameday_events where seq = 1", "event 1 is missing"),
        ("delete from gameday_events where seq = 2", "should have 3 events and has 2"),
        ("update gameday_samples set value = 0 where seq = 1", "sample 1 was changed"),
        ("update gameday_samples set unknown = 'nobody looked', value = null where seq = 2", "sample 2 was changed"),
        ("delete from gameday_samples where seq = 0", "sample 0 is missing"),
        ("update gameday_runs set plan = replace(plan, 'Why', 'Who')", "its plan or event 0 was changed"),
        ("update gameday_events set seq = case seq when 0 then 9 when 1 then 0 else seq end", "event 0 was changed"),
    ],
)
def test_damage_to_the_record_shows(store: RunStore, made: Plan, damage: str, found: str) -> None:
    store.open(made)
    store.append([note(made, number) for number in (1, 2, 3)])
    store.add_samples(made.run_id, [reading(number) for number in (1, 2, 3)])
    with store._engine.begin() as connection:
        connection.exec_driver_sql(damage)
    record = store.read(made.run_id)
    assert found in record.chain and record.missing == (record.chain,)


@given(value=st.floats(allow_nan=False, allow_infinity=False), took=st.floats(min_value=0, max_value=1e9))
@example(value=-0.0, took=-0.0)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_number_reads_as_it_was_hashed(store: RunStore, made: Plan, value: float, took: float) -> None:
    """Also -0.0, which a database may give back as 0.0."""
    one = made.model_copy(update={"run_id": new_run_id("day")})
    store.open(one)
    store.add_samples(one.run_id, [Sample(probe="up", at=NOON, value=value, took_ms=took)])
    assert store.read(one.run_id).chain == "record verified (chains of 0 events and 1 sample)"


def test_a_plan_that_was_changed_shows_before_anything_happened(store: RunStore, made: Plan) -> None:
    store.open(made)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("update gameday_runs set plan = replace(plan, 'Why', 'Who')")
    assert store.read(made.run_id).chain == "the record is damaged: its plan was changed"


def test_a_run_that_is_not_there_is_not_found(store: RunStore) -> None:
    with pytest.raises(NotFound, match="`gameday runs` lists them"):
        store.read("nobody")


async def test_what_a_dead_store_does_not_take_is_written_when_it_is_back(tmp_path: Path, made: Plan) -> None:
    place = tmp_path / "store"
    place.write_text("in the way of the folder that the database is in")
    with pytest.raises(OSError):
        RunStore(f"sqlite:///{place}/gameday.db")
    place.unlink()
    store = RunStore(f"sqlite:///{place}/gameday.db")
    place.rmdir()
    recorder = Recorder(store, tmp_path / "spool")
    running = asyncio.create_task(recorder.run())
    await recorder.events([note(made, 1)], made)
    await recorder.seen(made.run_id, [reading(1)])
    with pytest.raises(Unavailable, match="written when it is back"):
        await recorder.written(patience=0.3)
    place.mkdir()
    await recorder.events([note(made, 2)])
    await recorder.written(patience=10)
    record = store.read(made.run_id)
    assert [event.text("text") for event in record.events] == ["note 1", "note 2"]
    assert len(record.samples) == 1
    running.cancel()


async def test_what_a_dead_process_left_in_the_spool_is_written_by_the_next(tmp_path: Path, store: RunStore, made: Plan) -> None:
    first = Recorder(store, tmp_path / "spool")
    await first.events([note(made, 1)], made)  # and it dies before it writes
    assert not drain(store, tmp_path / "spool")
    assert len(store.read(made.run_id).events) == 1
    assert not list((tmp_path / "spool").glob("*.json"))


async def test_a_batch_that_cannot_be_read_holds_up_no_other(tmp_path: Path, store: RunStore, made: Plan) -> None:
    spool = tmp_path / "spool"
    recorder = Recorder(store, spool)
    (spool / "0000.torn.json").write_text('{"events": ["{"]}')
    await recorder.events([note(made, 1)], made)
    drain(store, spool)
    assert len(store.read(made.run_id).events) == 1
    assert [path.name for path in spool.glob("unreadable-*")] == ["unreadable-0000.torn.json"]


async def test_what_comes_before_its_plan_waits_for_it_and_holds_up_no_other_run(tmp_path: Path, store: RunStore, made: Plan) -> None:
    """The observer's first finding may be spooled before the workflow's first events, which bring the plan."""
    spool, other = tmp_path / "spool", made.model_copy(update={"run_id": "0ther-day"})
    recorder = Recorder(store, spool)
    await recorder.events([note(made, 1)])
    await recorder.events([note(made, 2)])
    await recorder.events([note(other, 3)], other)
    assert drain(store, spool), "the first run's events wait"
    assert len(store.read(other.run_id).events) == 1
    await recorder.events([note(made, 0)], made)
    running = asyncio.create_task(recorder.run())
    await recorder.written(patience=10)
    assert [event.text("text") for event in store.read(made.run_id).events] == ["note 0", "note 1", "note 2"]
    running.cancel()


async def test_written_is_not_said_while_another_process_still_writes(tmp_path: Path, store: RunStore, made: Plan) -> None:
    spool = tmp_path / "spool"
    recorder = Recorder(store, spool)
    running = asyncio.create_task(recorder.run())
    with _turn(spool) as ours:
        assert ours
        await recorder.events([note(made, 1)], made)
        with pytest.raises(Unavailable):
            await recorder.written(patience=0.5)
    await recorder.written(patience=10)
    assert len(store.read(made.run_id).events) == 1
    running.cancel()


async def test_an_error_that_nobody_foresaw_does_not_end_the_writing(tmp_path: Path, store: RunStore, made: Plan, monkeypatch: Any) -> None:
    recorder = Recorder(store, tmp_path / "spool")
    monkeypatch.setattr(store, "open", lambda plan: (_ for _ in ()).throw(RuntimeError("nobody foresaw this")))
    running = asyncio.create_task(recorder.run())
    await recorder.events([note(made, 1)], made)
    with pytest.raises(Unavailable):
        await recorder.written(patience=0.3)
    monkeypatch.undo()
    await recorder.written(patience=10)
    assert len(store.read(made.run_id).events) == 1
    running.cancel()
