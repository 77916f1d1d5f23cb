"""What a scenario does with its time and its targets: its hour, its cards, its blast radius, and that it is the last one when dirty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.record import Targets
from gameday.commands import Verb
from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.orders import FaultQuestion, LiveState, SelectOrder
from gameday.settings import HostSettings, Settings
from tests.rigs.town import Town
from tests.workflows.conftest import ELSEWHERE, GATE, TWO, all_on, sees, told
from tests.workflows.stand_ins import HOSTS, StandIns

pytestmark = pytest.mark.timeout(120)
AFTER = "\n      - {name: second, inject: process.pause, on: {host: east, process: other}, after: frozen, for: 60s}"
LABELLED = ELSEWHERE.replace("{host: east, process: shop}", "{hosts: {app: shop}, process: shop, count: COUNT}")


async def test_a_scenario_waits_for_its_planned_time_and_can_be_skipped_before(shared: Town) -> None:
    planned = datetime.now(UTC) + timedelta(seconds=2)
    made = shared.day(text=TWO, length="300ms").model_copy(update={"planned_at": (planned + timedelta(hours=1), planned)})
    handle = await shared.begin(made)
    await shared.until(lambda: EventKind.SCENARIO_BEGAN in told(shared, handle.id), "the day is open")
    await shared.tell(handle, Verb.SKIP, reason="not today")
    assert (await handle.result()).outcome == "passed"
    record = shared.record(handle.id)
    assert [event.text("outcome") for event in record.of(EventKind.SCENARIO_ENDED)] == ["stood-down", "passed"]
    assert record.phases(0) == [] and record.phases(1)[0].start >= planned


async def test_cards_are_said_at_their_time_while_the_fault_is_on(shared: Town, played: StandIns) -> None:
    cards = "cards: [{at: 0s, say: Support calls}, {at: 1s, say: The press calls}, {at: 30s, say: Nobody calls}]"
    handle = await shared.begin(shared.day(text=ELSEWHERE.replace("expect:", cards + "\n    expect:")))
    await shared.until(lambda: told(shared, handle.id).count(EventKind.CARD) == 2, "two cards are said")
    await shared.tell(handle, Verb.SKIP)
    await handle.result()
    record = shared.record(handle.id)
    (fault,), (first, second) = record.faults(), record.of(EventKind.CARD)
    assert (first.text("say"), second.text("say")) == ("Support calls", "The press calls")
    assert fault.active_at and fault.ended_at
    assert fault.active_at <= first.at and fault.active_at + timedelta(seconds=1) <= second.at < fault.ended_at


async def test_a_scenario_that_is_dirty_is_the_last_of_its_day(shared: Town, played: StandIns) -> None:
    played.proves = False
    text = TWO.replace("{host: local, pid_file: PIDFILE}, for: LENGTH}", "{host: east, process: shop}, for: 300ms}" + AFTER)
    handle = await shared.begin(shared.day(text=text))
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("dirty", 6)
    record = shared.record(handle.id)
    assert [event.scenario for event in record.of(EventKind.SCENARIO_BEGAN)] == [0]
    dirty, dropped = record.faults()
    assert (dirty.name, dirty.outcome) == ("frozen", FaultOutcome.DIRTY)
    assert (dropped.name, dropped.reason) == ("second", "a fault before it could not be proven gone")


async def test_more_targets_at_once_than_the_blast_radius_allows_are_not_touched(shared: Town, played: StandIns) -> None:
    """How many hosts carry the labels is known only when they are looked for."""
    text = LABELLED.replace("scenarios:", "blast_radius: {max_concurrent: 2}\nscenarios:").replace("COUNT", "3")
    result = await (await shared.begin(shared.day(text=text))).result()
    event = shared.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert result.outcome == "stood-down" and played.most == 0
    assert event is not None and event.text("reason") == "3 faults would be on at the same time, and the blast radius allows 2"


async def test_targets_chosen_by_labels_are_on_no_more_at_once_than_allowed(shared: Town, played: StandIns) -> None:
    """The second fault waits for each of the first one's targets."""
    second = "\n      - {name: second, inject: process.pause, on: {hosts: {app: shop}, process: other, count: 2}, after: frozen, for: 300ms}"
    text = LABELLED.replace("scenarios:", "blast_radius: {max_concurrent: 2}\nscenarios:").replace("COUNT", "2")
    result = await (await shared.begin(shared.day(text=text.replace("for: LENGTH}", "for: 300ms}" + second)))).result()
    assert result.outcome == "passed" and played.most == 2
    assert [fault.name for fault in shared.record(result.run_id).faults()] == ["frozen", "frozen", "second", "second"]


async def test_the_recorded_seed_chooses_the_same_targets_again(shared: Town, played: StandIns) -> None:
    on = "{hosts: {app: shop}, process: shop, count: 1}"
    more = "".join(f"\n      - {{name: more-{each}, inject: process.pause, on: {on}}}" for each in range(9))
    handle = await shared.begin(shared.day(text=LABELLED.replace("for: LENGTH}", "for: 1m}" + more).replace("COUNT", "'70 %'"), gate=GATE))
    await shared.until(lambda: EventKind.TARGETS_FOUND in told(shared, handle.id), "the targets are recorded")
    record = shared.record(handle.id)
    (found,) = record.of(EventKind.TARGETS_FOUND)
    targets: Any = found.data["targets"]
    faults = tuple(FaultQuestion(name=each.name, kind=each.inject, on=each.on) for each in record.plan.playbook.scenarios[0].faults)
    settings = Settings(hosts={host: HostSettings(labels={"app": "shop"}) for host in HOSTS})
    again = await Targets(settings, _no_versions, _lives).select(SelectOrder(faults=faults, seed=int(found.text("seed"))))
    assert again.hosts and not again.problems
    assert {(each["fault"], each["host"]) for each in targets} == {
        (fault.name, host) for fault, hosts in zip(faults, again.hosts, strict=True) for host in hosts
    }
    assert again != await Targets(settings, _no_versions, _lives).select(SelectOrder(faults=faults, seed=int(found.text("seed")) + 1))


async def test_more_time_reaches_beyond_what_the_scenario_was_to_be_observed(shared: Town, played: StandIns) -> None:
    handle = await shared.begin(shared.day(text=ELSEWHERE.replace("expect:", "observe: 6s\n    expect:")))
    await all_on(shared, handle.id)
    assert await shared.tell(handle, Verb.EXTEND, by="3s") == "extended by 3 s"
    await handle.result()
    (fault,) = shared.record(handle.id).faults()
    assert fault.active_at and fault.ended_at and fault.ended_at - fault.active_at >= timedelta(seconds=9)


async def test_how_much_longer_is_measured_on_what_is_on(shared: Town, played: StandIns) -> None:
    more = "\n      - {name: second, inject: process.pause, on: {host: north, process: shop}, after: frozen, for: 60m}"
    handle = await shared.begin(shared.day(text=ELSEWHERE.replace("for: LENGTH}", "for: 30s}" + more)))
    await sees(shared, handle.id, one_on, "the first is on")
    assert await shared.tell(handle, Verb.EXTEND, by="60s") == "extended by 60 s"


async def test_a_fault_whose_turn_comes_early_waits_until_it_may_be_on(shared: Town, played: StandIns) -> None:
    """The first one was given more time, and only one may be on at once."""
    more = "\n      - {name: second, inject: process.pause, on: {host: north, process: shop}, at: 7s, for: 1s}"
    text = ELSEWHERE.replace("for: LENGTH}", "for: 6s}" + more).replace("scenarios:", "blast_radius: {max_concurrent: 1}\nscenarios:")
    handle = await shared.begin(shared.day(text=text))
    await sees(shared, handle.id, one_on, "the first is on")
    await shared.tell(handle, Verb.EXTEND, by="3s")
    await handle.result()
    first, second = shared.record(handle.id).faults()
    assert (played.most, first.outcome, second.outcome) == (1, FaultOutcome.REVERTED, FaultOutcome.REVERTED)


def one_on(state: LiveState) -> bool:
    return any(fault.state == "active" for fault in state.faults)


async def _no_versions() -> dict[str, str]:
    return {}


async def _lives(_: str) -> bool:
    return True
