"""What people say to a day, and what comes of it: go, ready, ticks, the reveal, a mark that ends a fault, more time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gameday.commands import Actor, Command, Verb
from gameday.errors import Refused
from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.language import Clock
from gameday.playbook import Role
from gameday.view import RunView
from gameday.viewer import hidden
from reports.statement import statement
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import GATE, LINUS, TWO, Door, all_on, at_gate, told
from worker import client as talking
from workflows.gates import FRESH

pytestmark = pytest.mark.timeout(120)
EDSGER = Actor(id="os:edsger", name="Edsger", role=Role.OBSERVER)
STRANGER = Actor(id="os:nobody", name="Nobody")
PREPARED = DAY.replace(
    "gates: {inject: GATE}",
    "checklist: [{item: Deploys frozen}, {item: Criteria read}]\ngates: {day: {timeout: 60s, checklist: true}, inject: {timeout: 60s, ready: 2}}",
)


def said(place: Town, run_id: str, kind: EventKind, key: str) -> list[tuple[str | None, str]]:
    """Who said it, and what."""
    return [(event.actor, event.text(key)) for event in place.record(run_id).of(kind)]


async def test_a_gate_stays_shut_until_the_checklist_is_ticked_and_the_go_is_kept(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=PREPARED))
    await at_gate(shared, handle.id, "day")
    assert await shared.tell(handle, Verb.GO) == "go: day; it opens once 2 more of the checklist are ticked"
    with pytest.raises(Refused, match="no such checklist item: the list has 2"):
        await shared.tell(handle, Verb.TICK, item=3)
    for actor in (LINUS, EDSGER):
        assert await shared.tell(handle, Verb.TICK, actor=actor, item=2) == "ticked: Criteria read"
    assert await shared.tell(handle, Verb.GO) == "go: day; it opens once 1 more of the checklist is ticked"
    assert (await at_gate(shared, handle.id)).gate == "day"
    await shared.tell(handle, Verb.TICK, actor=EDSGER, item=1)
    await at_gate(shared, handle.id, "inject 1")
    await shared.tell(handle, Verb.ABORT)
    await handle.result()
    assert said(shared, handle.id, EventKind.CHECKLIST_TICKED, "item") == [("Linus", "Criteria read"), ("Edsger", "Deploys frozen")]
    assert said(shared, handle.id, EventKind.GATE_OPENED, "gate") == [("Ada", "day")]


async def test_a_gate_stays_shut_until_enough_people_are_ready_each_counted_once(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=PREPARED.replace("day: {timeout: 60s, checklist: true}", "day: off"), length="300ms"))
    await at_gate(shared, handle.id, "inject 1")
    with pytest.raises(Refused, match="Nobody may not ready"):
        await shared.tell(handle, Verb.READY, actor=STRANGER)
    twice = Command(verb=Verb.READY, id="one-message", actor=LINUS, text="pager is on")
    for _ in range(2):
        assert (await talking.send(await shared.client(), handle.id, twice)).text == "Linus is ready"
    answer = await shared.tell(handle, Verb.GO)
    assert answer.startswith("go: inject 1, which touches local, ") and answer.endswith("; it opens once 1 more is ready")
    await shared.tell(handle, Verb.READY, actor=EDSGER)
    assert (await handle.result()).outcome == "passed"
    assert said(shared, handle.id, EventKind.READY, "note") == [("Linus", "pager is on"), ("Edsger", "")]
    record = shared.record(handle.id)
    view = RunView(record.plan, record.plan.started_at)
    for event in record.events:
        view.hear(event)
    assert view.ready == set(), "for the next gate they say so again"


async def test_a_sealed_scenario_is_revealed_once_and_by_its_commander(shared: Town) -> None:
    text = TWO.replace("hypothesis: Nobody minds", "hypothesis: Nobody minds\n    sealed: true")
    handle = await shared.begin(shared.day(text=text, gate=GATE))
    await at_gate(shared, handle.id, "inject 1")
    with pytest.raises(Refused, match="Linus may not reveal"):
        await shared.tell(handle, Verb.REVEAL, actor=LINUS)
    assert hidden(shared.record(handle.id)) == {0}
    assert await shared.tell(handle, Verb.REVEAL, reason="they know") == "revealed"
    with pytest.raises(Refused, match="this scenario is revealed already"):
        await shared.tell(handle, Verb.REVEAL)
    await shared.tell(handle, Verb.SKIP)
    await at_gate(shared, handle.id, "inject 2")
    with pytest.raises(Refused, match="this scenario is not sealed"):
        await shared.tell(handle, Verb.REVEAL)
    (event,) = shared.record(handle.id).of(EventKind.REVEALED)
    assert (event.actor, event.scenario, event.text("reason")) == ("Ada", 0, "they know")
    assert not hidden(shared.record(handle.id))


async def test_in_its_debrief_a_scenario_can_be_revealed_and_its_clocks_stand(shared: Town) -> None:
    text = TWO.replace("Nobody minds", "Nobody minds\n    sealed: true").replace("recover_within: 10s}", "recover_within: 10s, debrief: 60s}", 1)
    handle = await shared.begin(shared.day(text=text, length="300ms"))
    await shared.until(lambda: EventKind.SCENARIO_ENDED in told(shared, handle.id), "the debrief")
    assert hidden(shared.record(handle.id)) == {0}
    with pytest.raises(Refused, match="the scenario is over, its clocks stand"):
        await shared.tell(handle, Verb.MARK, clock=Clock.DETECT)
    await shared.tell(handle, Verb.REVEAL)
    await shared.tell(handle, Verb.NOTE, text="nobody looked at the board")
    await shared.until(lambda: EventKind.NOTE in told(shared, handle.id), "the note is recorded")
    assert not hidden(shared.record(handle.id))
    (note,) = shared.record(handle.id).of(EventKind.NOTE)
    assert note.scenario == 0, "a note of its debrief is the scenario's"


async def test_nothing_is_revealed_before_a_scenario_is_under_way(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=PREPARED))
    await at_gate(shared, handle.id, "day")
    for verb in (Verb.REVEAL, Verb.MARK, Verb.SKIP):
        with pytest.raises(Refused, match="no scenario is under way"):
            await shared.tell(handle, verb, clock=Clock.DETECT)


async def test_a_mark_ends_a_fault_that_lasts_until_detected_and_none_counts_before_it(shared: Town) -> None:
    text = DAY.replace("for: LENGTH}", "for: 60s, until: detected}").replace("['up > 10 %']", "['detected within 60s']")
    handle = await shared.begin(shared.day(text=text, gate=GATE))
    await at_gate(shared, handle.id)
    with pytest.raises(Refused, match="nothing has been injected yet"):
        await shared.tell(handle, Verb.MARK, actor=LINUS, clock=Clock.DETECT)
    await shared.tell(handle, Verb.GO)
    await all_on(shared, handle.id)
    marked = datetime.now(UTC)
    assert await shared.tell(handle, Verb.MARK, actor=LINUS, clock=Clock.DETECT) == "marked: detected"
    result = await handle.result()
    (fault,) = shared.record(handle.id).faults()
    assert (fault.outcome, fault.reason) == (FaultOutcome.REVERTED, "it lasts until detected")
    assert fault.ended_at is not None and fault.ended_at > marked
    assert result.outcome == "passed" and shared.is_clean
    assert said(shared, handle.id, EventKind.MARK, "clock") == [("Linus", "detected")]


async def test_an_extended_fault_goes_on_longer_but_never_longer_than_the_blast_radius_allows(shared: Town) -> None:
    text = DAY.replace("scenarios:", "blast_radius: {max_duration: 5s}\nscenarios:")
    handle = await shared.begin(shared.day(text=text, length="4s", gate=GATE))
    await at_gate(shared, handle.id)
    with pytest.raises(Refused, match="no fault is on that could be extended"):
        await shared.tell(handle, Verb.EXTEND, by="10s")
    await shared.tell(handle, Verb.GO)
    await all_on(shared, handle.id)
    with pytest.raises(Refused, match="say by how long"):
        await shared.tell(handle, Verb.EXTEND)
    assert await shared.tell(handle, Verb.EXTEND, by="10m") == "extended by 1 s; blast_radius.max_duration allows no more"
    assert await shared.tell(handle, Verb.EXTEND, by="10m") == "not extended: the blast radius allows no longer fault"
    await handle.result()
    (fault,) = shared.record(handle.id).faults()
    assert fault.reason == "its time was over (5 s)" and fault.active_at and fault.ended_at
    assert fault.ended_at - fault.active_at >= timedelta(seconds=5)
    assert said(shared, handle.id, EventKind.EXTENDED, "by") == [("Ada", "1.0")]


TEAMED = "team: {commander: {name: Ada, user: ada}, safety: {name: Grace, user: grace}, responders: [{name: Linus, user: linus}]}\nprobes:"
GRACE = Actor(id="os:grace", name="Grace")


async def test_a_real_incident_takes_everything_off_opens_the_seals_and_ends_the_day(shared: Town) -> None:
    text = TWO.replace("probes:", TEAMED, 1).replace("  - title: Again", "  - title: Again\n    sealed: true")
    handle = await shared.begin(shared.day(text=text, length="60s"))
    await shared.until(lambda: shared.is_frozen, "the first fault is on")
    answer = await shared.tell(handle, Verb.REAL, actor=LINUS, reason="customers cannot pay")
    assert answer.startswith("a real incident: everything is taken off")
    result = await handle.result()
    assert (result.outcome, result.reason) == ("aborted", "a real incident: customers cannot pay") and shared.is_clean
    record = shared.record(handle.id)
    assert said(shared, handle.id, EventKind.REAL_CALLED, "reason") == [("Linus", "customers cannot pay")]
    assert not hidden(record)
    told_of = "\n".join(statement(record))
    assert "A real incident, called by Linus at" in told_of and "touched 1 target" in told_of
    assert "proven clean      frozen (process.pause)" in told_of and "not touched       scenario 2, Again" in told_of
    assert "A real incident began" in Path(result.report).read_text()
    assert await shared.tell(handle, Verb.REAL) == "the run is over: aborted"


async def test_after_a_handover_the_new_commander_says_go(shared: Town) -> None:
    """Roles are the playbook's, whatever a command says of its sender."""
    handle = await shared.begin(shared.day(text=DAY.replace("probes:", TEAMED, 1), length="300ms", gate=GATE))
    await at_gate(shared, handle.id, "inject 1")
    for pretender in (GRACE.model_copy(update={"role": Role.COMMANDER}), STRANGER.model_copy(update={"role": Role.COMMANDER})):
        with pytest.raises(Refused, match="may not go: that is for commander"):
            await shared.tell(handle, Verb.GO, actor=pretender)
    assert await shared.tell(handle, Verb.HANDOVER, to="Grace") == "Grace commands now"
    with pytest.raises(Refused, match="Ada may not go: that is for Grace"):
        await shared.tell(handle, Verb.GO)
    await shared.tell(handle, Verb.GO, actor=GRACE)
    assert (await handle.result()).outcome == "passed"
    assert said(shared, handle.id, EventKind.HANDED_OVER, "to") == [("Ada", "Grace")]


async def test_a_gate_for_two_people_is_opened_by_somebody_else_and_by_nobody_in_advance(shared: Town) -> None:
    text = DAY.replace("probes:", TEAMED, 1)
    handle = await shared.begin(shared.day(text=text, length="300ms", gate="{timeout: 60s, two_people: true}", approved=True))
    await at_gate(shared, handle.id, "inject 1")
    with pytest.raises(Refused, match="this gate asks for two people"):
        await shared.tell(handle, Verb.GO)
    await shared.tell(handle, Verb.GO, actor=GRACE)
    assert (await handle.result()).outcome == "passed"
    assert said(shared, handle.id, EventKind.GATE_OPENED, "how") == [("Grace", "go")]


async def test_what_broke_while_a_gate_waited_is_not_made_worse(shared: Town) -> None:
    """The go comes long after pre-check: it is looked at again, and nothing is put on a system that is broken already."""
    door = Door()
    await door.open()
    try:
        handle = await shared.begin(shared.day(text=DAY.replace("port: PORT", f"port: {door.port}"), gate=GATE))
        await at_gate(shared, handle.id, "inject 1")
        await door.close()
        await asyncio.sleep(FRESH.total_seconds() + 1)
        await shared.tell(handle, Verb.GO)
        result = await handle.result()
    finally:
        await door.close()
    assert result.outcome == "stood-down" and "not in steady state any more when the go came: up = 100 %" in result.reason
    assert not shared.record(handle.id).faults()
