"""Following live and replaying afterwards show the same, in whatever order and batches the facts reach the store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.store import RunStore
from gameday.event import Event, EventKind
from gameday.feed import Feed, Item, merged
from gameday.probe import Sample
from gameday.record import RunRecord
from gameday.view import RunView


class Shelf:
    """A store in memory: what has arrived so far, as `RunStore` gives it out."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.samples: list[Sample] = []

    def put(self, item: Item) -> None:
        (self.events if isinstance(item, Event) else self.samples).append(item)  # type: ignore[arg-type]

    def events_after(self, run_id: str, seq: int) -> list[tuple[int, Event]]:
        return list(enumerate(self.events))[seq:]

    def samples_after(self, run_id: str, at: datetime | None) -> list[Sample]:
        return sorted((each for each in self.samples if at is None or each.at > at), key=lambda each: (each.at, each.probe))


def feed_of(shelf: Shelf, record: RunRecord, open_seals: bool = True) -> Feed:
    return Feed(cast(RunStore, shelf), record.plan, open_seals)


def replayed(shelf: Shelf, record: RunRecord) -> RunView:
    view = RunView(record.plan, record.plan.started_at)
    for item in merged(shelf.events, shelf.samples):
        view.take(item)
    return view


LATE = st.floats(0, 4.5, allow_nan=False)
"""Seconds that an item may come late: less than what the feed asks for again."""


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_run_followed_live_ends_as_its_replay(day: RunRecord, data: st.DataObject) -> None:
    items: list[Item] = [*day.events, *day.samples]
    late = data.draw(st.lists(LATE, min_size=len(items), max_size=len(items)))
    arriving = sorted(zip(items, late, strict=True), key=lambda pair: pair[0].at + timedelta(seconds=pair[1]))
    looks = set(data.draw(st.lists(st.integers(0, len(items)), max_size=30)))
    shelf = Shelf()
    feed = feed_of(shelf, day)
    told: list[Item] = []
    for place, (item, _) in enumerate(arriving):
        shelf.put(item)
        if place in looks:
            told += feed.pull()
    told += feed.pull()
    assert len(told) == len(items)
    assert feed.view == replayed(shelf, day)


def test_events_later_than_the_window_have_the_record_read_anew(day: RunRecord) -> None:
    shelf = Shelf()
    feed = feed_of(shelf, day)
    for item in merged(day.events, day.samples):
        if not (isinstance(item, Event) and item.kind is EventKind.FAULT_ACTIVE and item.scenario == 0):
            shelf.put(item)
            feed.pull()
    missing = next(event for event in day.events if event.kind is EventKind.FAULT_ACTIVE)
    shelf.put(missing)
    assert feed.pull() == [missing]
    assert feed.view == replayed(shelf, day)


@pytest.fixture
def sealed(day: RunRecord) -> RunRecord:
    """The same day, its second scenario sealed."""
    scenarios = tuple(each.model_copy(update={"sealed": index == 1}) for index, each in enumerate(day.plan.playbook.scenarios))
    plan = day.plan.model_copy(update={"playbook": day.plan.playbook.model_copy(update={"scenarios": scenarios})})
    return RunRecord(plan, day.events, day.samples)


def test_who_must_not_know_sees_nothing_of_a_sealed_scenario_until_its_reveal(sealed: RunRecord) -> None:
    shelf = Shelf()
    feed = feed_of(shelf, sealed, open_seals=False)
    during = [item for item in merged(sealed.events, sealed.samples) if item.at < sealed.plan.started_at + timedelta(seconds=43)]
    for item in during:
        shelf.put(item)
    told = feed.pull()
    secrets = ("ledger-slow", "The ledger is slow", "envoy edge", "http.fault")
    assert not any(secret in repr(item) for item in told for secret in secrets)
    assert not any(secret in repr(feed.view) for secret in secrets)
    assert feed.view.lines[-1].text == "2 a scenario is running"
    reveal = Event(
        id="reveal", run_id=sealed.run_id, at=sealed.plan.started_at + timedelta(seconds=43), kind=EventKind.REVEALED, scenario=1, actor="Ada"
    )
    shelf.put(reveal)
    then = feed.pull()
    assert any("ledger-slow" in repr(item) for item in then)
    assert feed.view == replayed(shelf, sealed)


def test_nothing_is_told_twice(day: RunRecord) -> None:
    shelf = Shelf()
    feed = feed_of(shelf, day)
    for item in [*day.events, *day.samples]:
        shelf.put(item)
    assert len(feed.pull()) == len(day.events) + len(day.samples)
    assert feed.pull() == []
