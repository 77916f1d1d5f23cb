"""A day's commands, gates and endings, on a real Temporal server with a real conductor and agent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from gameday.commands import Verb
from gameday.errors import NotFound, Refused
from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.language import Clock
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import GATE, LINUS, TWO, at_gate, kinds_of, told
from worker import client as talking

pytestmark = pytest.mark.timeout(120)


async def test_a_day_goes_through_its_phases_and_leaves_everything_as_it_was(shared: Town) -> None:
    handle = await shared.begin(shared.day(length="600ms"))
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("passed", 0)
    record = shared.record(result.run_id)
    assert [span.name for span in record.phases(0)] == ["pre-check", "inject", "observe", "recover", "analyze"]
    assert [story.outcome for story in record.faults()] == [FaultOutcome.REVERTED]
    assert record.chain.startswith("record verified")
    assert shared.is_clean


async def test_go_opens_the_gate_and_silence_would_not(shared: Town) -> None:
    handle = await shared.begin(shared.day(length="500ms", gate=GATE))
    state = await at_gate(shared, handle.id)
    assert state.gate == "inject 1" and not shared.is_frozen
    with pytest.raises(Refused, match="'inject 1' is waiting now"):
        await shared.tell(handle, Verb.GO, gate="inject 9")
    with pytest.raises(Refused, match="may not go"):
        await shared.tell(handle, Verb.GO, actor=LINUS)
    assert "go" in await shared.tell(handle, Verb.GO)
    assert (await handle.result()).outcome == "passed"


async def test_a_gate_that_nobody_answers_stands_the_scenario_down(shared: Town) -> None:
    handle = await shared.begin(shared.day(gate="{timeout: 300ms}"))
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("stood-down", 4)
    assert EventKind.FAULT_ARMED not in kinds_of(shared, result.run_id)


async def test_abort_during_pre_check_injects_nothing(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=DAY.replace("baseline: 400ms", "baseline: 30s")))
    await shared.tell(handle, Verb.ABORT, reason="not today")
    result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "not today"
    assert EventKind.FAULT_ARMED not in kinds_of(shared, result.run_id)


async def test_abort_during_observe_reverts_and_is_told_to_all_fifty_callers(shared: Town) -> None:
    handle = await shared.frozen_day()
    answers = await asyncio.gather(*(shared.tell(handle, Verb.ABORT, reason=f"caller {number}") for number in range(50)), return_exceptions=True)
    assert (await handle.result()).outcome == "aborted"
    assert all(isinstance(answer, (str, Refused)) for answer in answers), answers
    assert await shared.tell(handle, Verb.ABORT) == "the run is over: aborted"
    events = kinds_of(shared, handle.id)
    assert events.count(EventKind.ABORTED) == events.count(EventKind.FAULT_ENDED) == 1
    assert shared.is_clean


async def test_hold_starts_nothing_new_and_leaves_what_is_on(shared: Town) -> None:
    handle = await shared.begin(shared.day(length="700ms", text=TWO))
    await shared.until(lambda: shared.is_frozen, "the first fault is on")
    assert "stays on until its own end" in await shared.tell(handle, Verb.HOLD, reason="lunch")
    with pytest.raises(Refused, match="on hold already"):
        await shared.tell(handle, Verb.HOLD)
    await shared.until(lambda: shared.is_clean, "the fault ended at its own time")
    await asyncio.sleep(2)
    assert len(shared.record(handle.id).faults()) == 1, "the second scenario has not begun"
    await shared.tell(handle, Verb.RESUME)
    assert (await handle.result()).outcome == "passed"
    assert len(shared.record(handle.id).faults()) == 2


async def test_skip_reverts_judges_and_goes_to_the_next_scenario(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=TWO))
    await shared.until(lambda: shared.is_frozen, "the first fault is on")
    await shared.tell(handle, Verb.SKIP, reason="seen enough")
    result = await handle.result()
    record = shared.record(result.run_id)
    assert [story.name for story in record.faults()] == ["frozen", "second"]
    assert [event.scenario for event in record.of(EventKind.SCENARIO_ENDED)] == [0, 1]
    assert shared.is_clean


async def test_notes_marks_and_extensions_land_on_the_timeline_under_a_name(shared: Town) -> None:
    handle = await shared.frozen_day()
    assert await shared.tell(handle, Verb.NOTE, actor=LINUS, text="it hangs") == "noted"
    await shared.tell(handle, Verb.MARK, actor=LINUS, clock=Clock.DETECT)
    with pytest.raises(Refused, match="may not extend"):
        await shared.tell(handle, Verb.EXTEND, actor=LINUS, by="2m")
    assert await shared.tell(handle, Verb.EXTEND, by="2m") == "extended by 120 s"
    await shared.tell(handle, Verb.ABORT)
    await handle.result()
    record = shared.record(handle.id)
    said = {event.kind: event for event in record.of(EventKind.NOTE, EventKind.MARK)}
    assert said[EventKind.NOTE].actor == said[EventKind.MARK].actor == "Linus"
    assert said[EventKind.NOTE].text("text") == "it hangs"


async def test_a_command_for_a_run_that_is_not_there_says_so(shared: Town) -> None:
    with pytest.raises(NotFound, match="there is no run 'nobody'"):
        await shared.tell((await shared.client()).get_workflow_handle("nobody"), Verb.ABORT)


async def test_a_host_without_an_agent_stands_the_scenario_down_and_says_which(place: Town) -> None:
    place.kill("agent")
    handle = await place.begin(place.day())
    result = await handle.result()
    assert result.outcome == "stood-down" and "scenario 1 stood down: no agent answers for the host local" in result.reason
    event = place.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert event is not None and "no agent answers for the host local" in event.text("reason")


async def test_a_system_that_is_not_steady_is_left_alone(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=DAY.replace("port: PORT", "port: 1")))
    result = await handle.result()
    assert result.outcome == "stood-down"
    event = shared.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert event is not None and "not in steady state: up = 100 %, and it is 0 %" in event.text("reason")


async def test_a_guardrail_aborts_and_the_record_says_which_sample(shared: Town) -> None:
    text = DAY.replace("abort_when: ['up is unknown for 60s']", "abort_when: ['up < 50 % in 2 of 3 samples']")
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    handle = await shared.begin(shared.day(text=text.replace("port: PORT", f"port: {port}")))
    await shared.until(lambda: shared.is_frozen, "the fault is on")
    server.close()
    await server.wait_closed()
    result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "up < 50 % in 2 of 3 samples: 0 %"
    breach = shared.record(result.run_id).first(EventKind.BREACH)
    assert breach is not None and breach.data["samples"]
    assert shared.is_clean


async def test_a_dead_store_delays_nothing_and_gets_the_record_when_it_is_back(place: Town) -> None:
    handle = await place.frozen_day()
    store = place.home / "gameday.db"
    await asyncio.to_thread(_break_store, store)
    await place.tell(handle, Verb.ABORT, reason="in the dark")
    await place.until(lambda: place.is_clean, "reverted without a store", seconds=15)
    await asyncio.to_thread(_mend_store, store)
    result = await handle.result()
    record = place.record(result.run_id)
    assert record.ended is not None and record.chain.startswith("record verified")
    assert [event.text("reason") for event in record.of(EventKind.ABORTED)] == ["in the dark"]


def _break_store(path: Any) -> None:
    """The database is somewhere else: what is at its place now is not one."""
    for name in ("", "-wal", "-shm"):
        part = path.with_name(path.name + name)
        if part.exists():
            part.rename(part.with_name("away-" + part.name))
    path.mkdir()


def _mend_store(path: Any) -> None:
    path.rmdir()
    for name in ("", "-wal", "-shm"):
        away = path.with_name("away-" + path.name + name)
        if away.exists():
            away.rename(path.with_name(path.name + name))


async def test_the_stop_time_ends_the_day_with_the_time_as_the_reason(shared: Town) -> None:
    made = shared.day()
    times = made.playbook.times.model_copy(update={"stop": "16:00"})
    playbook = made.playbook.model_copy(update={"times": times})
    handle = await shared.begin(made.model_copy(update={"playbook": playbook, "stop_at": datetime.now(UTC) + timedelta(seconds=12)}))
    await shared.until(lambda: shared.is_frozen, "the fault is on")
    result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "it is 16:00: the day's stop time"
    assert shared.is_clean


async def test_later_than_latest_inject_nothing_is_applied(shared: Town) -> None:
    made = shared.day().model_copy(update={"latest_inject_at": datetime.now(UTC) - timedelta(seconds=1)})
    result = await (await shared.begin(made)).result()
    assert result.outcome == "stood-down"
    assert EventKind.FAULT_ARMED not in kinds_of(shared, result.run_id)


async def test_nothing_begins_before_the_days_start(shared: Town) -> None:
    made = shared.day(length="300ms").model_copy(update={"start_at": datetime.now(UTC) + timedelta(seconds=5)})
    result = await (await shared.begin(made)).result()
    began = shared.record(result.run_id).first(EventKind.SCENARIO_BEGAN)
    assert began is not None and made.start_at is not None and began.at >= made.start_at


async def test_a_day_that_is_aborted_between_its_scenarios_is_aborted(shared: Town) -> None:
    text = TWO.replace("recover_within: 10s}", "recover_within: 10s, debrief: 60s}", 1)
    handle = await shared.begin(shared.day(length="300ms", text=text))
    await shared.until(lambda: EventKind.SCENARIO_ENDED in told(shared, handle.id), "the first scenario is over")
    await shared.tell(handle, Verb.ABORT, reason="enough for today")
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("aborted", 3)


async def test_a_cancel_while_recovery_is_watched_ends_the_day(shared: Town) -> None:
    """It is not lost in what nothing can be taken from: the next scenario does not begin."""
    text = TWO.replace("steady_for: 0s, recover_within: 10s", "steady_for: 5s, recover_within: 10s")
    handle = await shared.begin(shared.day(length="300ms", text=text))
    await shared.until(lambda: EventKind.FAULT_ENDED in told(shared, handle.id), "the first fault is off")
    await handle.cancel()
    result = await asyncio.wait_for(talking.outcome(handle, handle.id), 60)
    assert (result.outcome, result.reason) == ("aborted", "the workflow was cancelled")
    assert told(shared, handle.id).count(EventKind.FAULT_ACTIVE) == 1


async def test_a_long_reason_is_refused_and_wedges_nothing(shared: Town) -> None:
    handle = await shared.frozen_day()
    with pytest.raises(ValidationError, match="at most 900 char"):
        await shared.tell(handle, Verb.ABORT, reason="x" * 901)
    for _ in range(2):
        await shared.tell(handle, Verb.ABORT, reason="x" * 900)
    assert (await handle.result()).outcome == "aborted"
