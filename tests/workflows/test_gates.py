"""What a gate asks for counts for this gate, and what it says is so: also when its time is over, on hold, or skipped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gameday.commands import Verb
from gameday.event import EventKind
from gameday.view import RunView
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import GATE, LINUS, TWO, at_gate, sees, told

pytestmark = pytest.mark.timeout(120)
CHECKED = DAY.replace("gates: {inject: GATE}", "checklist: [{item: Deploys frozen}]\ngates: {inject: {timeout: TIMEOUT, checklist: true}}")
DEBRIEFED = TWO.replace("recover_within: 10s}", "recover_within: 10s, debrief: 60s}", 1)


def view(place: Town, run_id: str) -> RunView:
    record = place.record(run_id)
    seen = RunView(record.plan, record.plan.started_at)
    for event in record.events:
        seen.hear(event)
    return seen


async def test_a_gate_that_had_its_go_says_what_was_missing_when_its_time_was_over(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=CHECKED.replace("TIMEOUT", "6s")))
    await at_gate(shared, handle.id)
    await shared.tell(handle, Verb.GO)
    assert (await handle.result()).outcome == "stood-down"
    missing = "Ada said go, but not in time: 1 more of the checklist is ticked"
    for kind in (EventKind.SCENARIO_STOOD_DOWN, EventKind.GATE_SILENT):
        event = shared.record(handle.id).first(kind)
        assert event is not None and event.text("reason") == missing


async def test_who_was_ready_for_one_gate_says_so_again_before_the_next(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=TWO, gate="{timeout: 60s, ready: 1}"))
    await at_gate(shared, handle.id, "inject 1")
    await shared.tell(handle, Verb.READY, actor=LINUS)
    await shared.tell(handle, Verb.READY, actor=LINUS)
    await shared.tell(handle, Verb.SKIP)
    await at_gate(shared, handle.id, "inject 2")
    said = await shared.tell(handle, Verb.GO)
    assert said.startswith("go: inject 2, which touches local, ") and said.endswith("; it opens once 1 more is ready")
    assert told(shared, handle.id).count(EventKind.READY) == 1, "saying it twice is saying it once"


async def test_a_skipped_gate_waits_no_more_and_the_debrief_can_be_skipped_too(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=DEBRIEFED, gate=GATE))
    await at_gate(shared, handle.id, "inject 1")
    await shared.tell(handle, Verb.SKIP)
    await shared.until(lambda: EventKind.SCENARIO_ENDED in told(shared, handle.id), "the debrief")
    assert view(shared, handle.id).gate == ""
    await shared.tell(handle, Verb.SKIP)
    await at_gate(shared, handle.id, "inject 2")


async def test_a_gates_time_stands_still_while_the_day_is_on_hold(shared: Town) -> None:
    handle = await shared.begin(shared.day(gate="{timeout: 20s}"))
    before = (await at_gate(shared, handle.id)).gate_until
    await shared.tell(handle, Verb.HOLD)
    await asyncio.sleep(0.2)
    await shared.tell(handle, Verb.RESUME)
    after = (await sees(shared, handle.id, lambda state: state.gate_until != before, "a later end")).gate_until
    assert before is not None and after is not None and after >= before + timedelta(seconds=0.2)
    await shared.until(lambda: EventKind.RESUMED in told(shared, handle.id), "it is recorded")
    assert view(shared, handle.id).gate_until == after


async def test_a_scenario_that_waits_for_its_time_says_until_when(shared: Town) -> None:
    planned = datetime.now(UTC) + timedelta(seconds=60)
    handle = await shared.begin(shared.day().model_copy(update={"planned_at": (planned,)}))
    await shared.until(lambda: EventKind.SCENARIO_BEGAN in told(shared, handle.id), "the scenario waits")
    assert view(shared, handle.id).lines[-1].text == f"1 The sleeper freezes, planned for {planned:%H:%M:%S}"
