"""The run store on a real PostgreSQL: the same record as on SQLite, also with several writers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from activities import kinds
from activities.store import RunStore
from gameday.commands import Actor
from gameday.errors import NotFound, Unavailable
from gameday.event import Event, EventKind, event_id
from gameday.loading import loads
from gameday.plan import Plan, plan
from gameday.probe import Sample
from tests.rigs import database

START = datetime(2026, 6, 18, 12, 30, tzinfo=UTC)

PLAYBOOK = b"""\
name: store-day
objective: Does the store keep what it is given?
environment: test
team: {commander: {name: Ada}}
probes: {errors: {tcp: {host: 127.0.0.1, port: 1}}}
scenarios:
  - title: Ledger \xc3\xbcber Bord
    hypothesis: It is all there
    faults: [{name: ledger-frozen, inject: process.pause, on: {host: local, process: ledger}, for: 10s}]
    expect: ['errors < 1 s']
"""


def a_plan() -> Plan:
    catalogue = kinds.catalogue()
    return plan(loads(PLAYBOOK, catalogue), catalogue, Actor(id="os:ada", name="Ada"), START)


def a_note(run_id: str, number: int, said: str = "seen") -> Event:
    moment = START + timedelta(seconds=number)
    return Event(id=event_id(run_id, EventKind.NOTE, number), run_id=run_id, at=moment, kind=EventKind.NOTE, actor="Ada", data={"text": said})


Open = Callable[[str], RunStore]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens stores, and lets go of their connections after the test."""
    stores: list[RunStore] = []

    def open_one(url: str) -> RunStore:
        stores.append(RunStore(url))
        return stores[-1]

    yield open_one
    for store in stores:
        store._engine.dispose()


@pytest.fixture
def store(new_store_url: Callable[[], str], opened: Open) -> RunStore:
    return opened(new_store_url())


def test_a_record_comes_back_as_it_was_written(store: RunStore) -> None:
    day = a_plan()
    notes = [a_note(day.run_id, number, f"Straße \N{SNOWMAN} {number} \x00") for number in range(3)]
    read = Sample.read("errors", START, 0.25, took_ms=1.5)
    unknown = Sample(probe="errors", at=START + timedelta(seconds=1), unknown="no answer within 2 s")
    store.open(day)
    store.append(notes)
    store.add_samples(day.run_id, [read, unknown])

    record = store.read(day.run_id)

    assert record.plan == day
    assert record.events == tuple(notes)
    assert record.samples == (read, unknown)
    assert record.chain == "record verified (chains of 3 events and 2 samples)"
    assert record.missing == ()


def test_what_comes_twice_is_kept_once_and_as_it_was_first(store: RunStore) -> None:
    day = a_plan()
    for _ in range(2):
        store.open(day)
        store.append([a_note(day.run_id, 0), a_note(day.run_id, 1), a_note(day.run_id, 0)])
        store.add_samples(day.run_id, [Sample.read("errors", START, 1.0)])
    store.add_samples(day.run_id, [Sample.read("errors", START, 2.0)])

    record = store.read(day.run_id)

    assert [event.id for event in record.events] == [a_note(day.run_id, 0).id, a_note(day.run_id, 1).id]
    assert [sample.value for sample in record.samples] == [1.0]
    assert record.chain == "record verified (chains of 2 events and 1 sample)"


def test_an_edit_behind_its_back_shows(store: RunStore) -> None:
    day = a_plan()
    store.open(day)
    store.append(a_note(day.run_id, number) for number in range(3))
    with store._engine.begin() as connection:
        connection.execute(sa.text("update gameday_events set event = replace(event, 'seen', 'SEEN') where seq = 1"))

    assert store.read(day.run_id).chain == "the record is damaged: event 1 was changed"


def test_two_writers_at_once_make_one_chain(new_store_url: Callable[[], str], opened: Open) -> None:
    url = new_store_url()
    day = a_plan()
    opened(url).open(day)
    ours = [[a_note(day.run_id, number) for number in range(writer, 120, 2)] for writer in range(2)]
    both = [a_note(day.run_id, number) for number in range(200, 240)]  # what a conductor that died and its successor both send

    def write(events: list[Event]) -> None:
        store = opened(url)
        for mine, shared in zip(events, [*both, *both[: len(events) - len(both)]], strict=True):
            store.append([mine, shared])

    at_once([partial(write, events) for events in ours])

    record = opened(url).read(day.run_id)
    assert record.chain == "record verified (chains of 160 events and 0 samples)"
    assert {event.id for event in record.events} == {event.id for event in [*ours[0], *ours[1], *both]}


def test_a_reader_never_sees_half_of_a_write(store: RunStore, opened: Open) -> None:
    """Between two of the reader's own queries another process appends: that must not look like damage."""
    day = a_plan()
    store.open(day)
    store.append([a_note(day.run_id, 0)])
    writer = opened(store.url)
    reading: list[str] = []

    @sa.event.listens_for(store._engine, "after_cursor_execute")
    def _meanwhile(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "FROM gameday_events" in statement and not reading:
            reading.append(statement)
            writer.append([a_note(day.run_id, 1)])

    record = store.read(day.run_id)

    assert reading
    assert record.chain == "record verified (chains of 1 event and 0 samples)"


def test_an_empty_database_can_be_opened_by_several_at_once(new_store_url: Callable[[], str], opened: Open) -> None:
    url = new_store_url()
    days = [a_plan() for _ in range(6)]

    def begin(day: Plan) -> None:
        opened(url).open(day)

    at_once([partial(begin, day) for day in days])

    assert {line.run_id for line in opened(url).list()} == {day.run_id for day in days}


def test_a_reason_with_odd_characters_does_not_stop_the_record(store: RunStore) -> None:
    """PostgreSQL's text cannot hold NUL. What another server answered may."""
    day = a_plan()
    store.open(day)
    store.add_samples(day.run_id, [Sample(probe="errors", at=START, unknown="the answer was '\x00\x07'")])

    (sample,) = store.read(day.run_id).samples
    assert sample.unknown is not None
    assert sample.unknown.startswith("the answer was")


def test_a_database_without_an_encoding_will_do(postgresql: str, new_store_url: Callable[[], str], opened: Open) -> None:
    with database.connect(postgresql) as connection:
        connection.execute("create database plain template template0 encoding 'SQL_ASCII'")
    day = a_plan()
    store = opened(new_store_url().rpartition("/")[0] + "/plain")
    store.open(day)
    assert store.plan(day.run_id) == day


def test_following_and_listing(store: RunStore) -> None:
    day = a_plan()
    store.open(day)
    store.append(a_note(day.run_id, number) for number in range(3))
    ended = Event(id=event_id(day.run_id, EventKind.RUN_ENDED), run_id=day.run_id, at=START, kind=EventKind.RUN_ENDED, data={"outcome": "passed"})
    store.add_samples(day.run_id, [Sample.read("errors", START + timedelta(seconds=number), float(number)) for number in range(3)])
    assert [seq for seq, _ in store.events_after(day.run_id, 1)] == [1, 2]
    assert [sample.value for sample in store.samples_after(day.run_id, START)] == [1.0, 2.0]
    assert [line.outcome for line in store.list()] == [None]
    store.append([ended])
    assert [(line.run_id, line.outcome) for line in store.list()] == [(day.run_id, "passed")]
    store.append([a_note(day.run_id, 7, 'it said "kind":"run.ended"')])  # a fault proven gone later, say
    assert [line.outcome for line in store.list()] == ["passed"]
    with pytest.raises(NotFound):
        store.read("7kq2-another-day")


def test_a_server_that_is_away_is_unavailable_and_then_back(store: RunStore, opened: Open, postgresql: str) -> None:
    day = a_plan()
    store.open(day)
    with database.connect(postgresql) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'")
    store.append([a_note(day.run_id, 0)])
    assert store.read(day.run_id).chain == "record verified (chains of 1 event and 0 samples)"

    nowhere = opened("postgresql+psycopg://gameday@127.0.0.1:1/gameday")
    with pytest.raises(Unavailable, match="the run store does not answer"):
        nowhere.open(day)


def at_once(work: list[Callable[[], None]]) -> None:
    """Does all of this in threads that begin together, and raises what one of them raised."""
    barrier = threading.Barrier(len(work))

    def perform(each: Callable[[], None]) -> None:
        barrier.wait()
        each()

    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(perform, work))
