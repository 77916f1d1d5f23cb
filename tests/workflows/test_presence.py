"""While a fault is on somebody who may decide must be there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from activities.store import RunStore
from gameday.commands import Verb
from gameday.event import EventKind
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import LINUS, TWO, told

pytestmark = pytest.mark.timeout(120)
TEAM = "team: {commander: {name: Ada}, safety: {name: Grace}, responders: [{name: Linus}]}\n"
WATCHED = DAY.replace("gates:", TEAM + "presence: {within: 10s, answer_within: 5s}\ngates:")
FIRST, AGAIN = EventKind.PRESENCE_LOST, EventKind.PRESENCE_BACK


async def test_where_nobody_is_there_and_nobody_answers_the_day_aborts(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=WATCHED))
    result = await handle.result()
    record = shared.record(handle.id)
    lost, aborted = record.first(FIRST), record.first(EventKind.ABORTED)
    assert lost and aborted and lost.at < aborted.at
    assert (result.outcome, aborted.text("by")) == ("aborted", "presence") and "nobody answered" in result.reason
    assert [str(fault.outcome) for fault in record.faults()] == ["reverted"] and not shared.is_frozen


async def test_an_answer_of_somebody_who_may_decide_renews_it_and_no_others(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=WATCHED))
    await shared.until(lambda: FIRST in told(shared, handle.id), "it is asked")
    assert await shared.tell(handle, Verb.HERE, actor=LINUS) == "Linus is there; the day waits for somebody who may decide"
    assert AGAIN not in told(shared, handle.id)
    assert await shared.tell(handle, Verb.HERE) == "Ada is there"
    await shared.until(lambda: told(shared, handle.id).count(FIRST) == 2, "it is asked again, and not before its time")
    kinds = told(shared, handle.id)
    assert EventKind.ABORTED not in kinds and kinds.index(AGAIN) > kinds.index(FIRST)
    asked = list(shared.record(handle.id).of(FIRST))
    assert (asked[1].at - asked[0].at).total_seconds() >= 10


async def test_whoever_follows_is_there_by_the_store_and_history_does_not_grow(shared: Town) -> None:
    handle = await shared.frozen_day(text=WATCHED)
    store = RunStore(shared.settings.store_url)

    async def follow(seconds: int) -> None:
        for _ in range(seconds):
            await asyncio.to_thread(store.show_presence, handle.id, "Grace", datetime.now(UTC))
            await asyncio.sleep(1)

    await follow(4)
    before = (await handle.describe()).history_length
    await follow(16)  # longer than nobody need show, and an answer is waited for
    assert FIRST not in told(shared, handle.id)
    assert (await handle.describe()).history_length == before
    await shared.until(lambda: FIRST in told(shared, handle.id), "they have left")
    store.show_presence(handle.id, "Grace", datetime.now(UTC))
    await shared.until(lambda: AGAIN in told(shared, handle.id), "they are back")
    event = shared.record(handle.id).first(AGAIN)
    assert event is not None and event.text("name") == "Grace"


async def test_a_question_that_nobody_answered_is_not_the_next_scenarios(shared: Town) -> None:
    """It is asked at the end of the first; the second has the whole time again."""
    two = TWO.replace("for: 400ms", "for: 8s").replace("gates:", TEAM + "presence: {within: 10s, answer_within: 5s}\ngates:")
    handle = await shared.begin(shared.day(text=two, length="12s"))
    assert (await handle.result()).outcome == "passed"
    assert told(shared, handle.id).count(FIRST) == 1


async def test_a_playbook_may_say_that_the_day_goes_on(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=WATCHED.replace("5s}", "5s, then: go-on}"), length="25s"))
    assert (await handle.result()).outcome == "passed"
    assert told(shared, handle.id).count(EventKind.PRESENCE_WAIVED) == 1
