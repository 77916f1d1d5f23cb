"""A day's commands, gates and endings, on a real Temporal server with a real conductor and agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.client import Client

from gameday.commands import Actor, Verb
from gameday.errors import NotFound, Refused
from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.language import Clock
from gameday.orders import LiveState
from gameday.playbook import Role
from tests.rigs.town import DAY, Town, town
from worker import client as talking

pytestmark = pytest.mark.timeout(120)
GATE = "{timeout: 60s}"
LINUS = Actor(id="os:linus", name="Linus", role=Role.RESPONDER)

TWO = DAY.replace("name: town-day", "name: two-scenarios") + (
    "  - title: Again\n    hypothesis: The same\n    faults:\n"
    "      - {name: second, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: 400ms}\n"
)


@pytest.fixture
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town"), "temporal", "worker", "agent") as built:
        yield built


async def live(place: Town, run_id: str) -> LiveState:
    state = await talking.look(await place.client(), run_id)
    assert state is not None
    return state


async def at_gate(place: Town, run_id: str) -> LiveState:
    for _ in range(600):
        state = await talking.look(await place.client(), run_id)
        if state is not None and state.gate:
            return state
        await asyncio.sleep(0.05)
    raise AssertionError("no gate came")


def kinds_of(place: Town, run_id: str) -> list[EventKind]:
    return [event.kind for event in place.record(run_id).events]


async def test_a_day_goes_through_its_phases_and_leaves_everything_as_it_was(place: Town) -> None:
    handle = await place.begin(place.day(length="600ms"))
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("passed", 0)
    record = place.record(result.run_id)
    assert [span.name for span in record.phases(0)] == ["pre-check", "inject", "observe", "recover", "analyze"]
    assert [story.outcome for story in record.faults()] == [FaultOutcome.REVERTED]
    assert record.chain.startswith("record verified")
    assert place.is_clean


async def test_go_opens_the_gate_and_silence_would_not(place: Town) -> None:
    handle = await place.begin(place.day(length="500ms", gate=GATE))
    state = await at_gate(place, handle.id)
    assert state.gate == "inject 1" and not place.is_frozen
    with pytest.raises(Refused, match="'inject 1' is waiting now"):
        await place.tell(handle, Verb.GO, gate="inject 9")
    with pytest.raises(Refused, match="may not go"):
        await place.tell(handle, Verb.GO, actor=LINUS)
    assert "go" in await place.tell(handle, Verb.GO)
    assert (await handle.result()).outcome == "passed"


async def test_a_gate_that_nobody_answers_stands_the_scenario_down(place: Town) -> None:
    handle = await place.begin(place.day(gate="{timeout: 300ms}"))
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("stood-down", 4)
    assert EventKind.FAULT_ARMED not in kinds_of(place, result.run_id)


async def test_abort_during_pre_check_injects_nothing(place: Town) -> None:
    handle = await place.begin(place.day(text=DAY.replace("baseline: 400ms", "baseline: 30s")))
    await place.tell(handle, Verb.ABORT, reason="not today")
    result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "not today"
    assert EventKind.FAULT_ARMED not in kinds_of(place, result.run_id)


async def test_abort_during_observe_reverts_and_is_told_to_all_fifty_callers(place: Town) -> None:
    handle = await place.frozen_day()
    answers = await asyncio.gather(*(place.tell(handle, Verb.ABORT, reason=f"caller {number}") for number in range(50)), return_exceptions=True)
    assert (await handle.result()).outcome == "aborted"
    assert all(isinstance(answer, (str, Refused)) for answer in answers), answers
    assert await place.tell(handle, Verb.ABORT) == "the run is over: aborted"
    events = kinds_of(place, handle.id)
    assert events.count(EventKind.ABORTED) == events.count(EventKind.FAULT_ENDED) == 1
    assert place.is_clean


async def test_hold_starts_nothing_new_and_leaves_what_is_on(place: Town) -> None:
    handle = await place.begin(place.day(length="700ms", text=TWO))
    await place.until(lambda: place.is_frozen, "the first fault is on")
    assert "stays on until its own end" in await place.tell(handle, Verb.HOLD, reason="lunch")
    with pytest.raises(Refused, match="on hold already"):
        await place.tell(handle, Verb.HOLD)
    await place.until(lambda: place.is_clean, "the fault ended at its own time")
    await asyncio.sleep(2)
    assert len(place.record(handle.id).faults()) == 1, "the second scenario has not begun"
    await place.tell(handle, Verb.RESUME)
    assert (await handle.result()).outcome == "passed"
    assert len(place.record(handle.id).faults()) == 2


async def test_skip_reverts_judges_and_goes_to_the_next_scenario(place: Town) -> None:
    handle = await place.begin(place.day(text=TWO))
    await place.until(lambda: place.is_frozen, "the first fault is on")
    await place.tell(handle, Verb.SKIP, reason="seen enough")
    result = await handle.result()
    record = place.record(result.run_id)
    assert [story.name for story in record.faults()] == ["frozen", "second"]
    assert [event.scenario for event in record.of(EventKind.SCENARIO_ENDED)] == [0, 1]
    assert place.is_clean


async def test_notes_marks_and_extensions_land_on_the_timeline_under_a_name(place: Town) -> None:
    handle = await place.frozen_day()
    assert await place.tell(handle, Verb.NOTE, actor=LINUS, text="it hangs") == "noted"
    await place.tell(handle, Verb.MARK, actor=LINUS, clock=Clock.DETECT)
    with pytest.raises(Refused, match="may not extend"):
        await place.tell(handle, Verb.EXTEND, actor=LINUS, by="2m")
    assert await place.tell(handle, Verb.EXTEND, by="2m") == "extended by 120 s"
    await place.tell(handle, Verb.ABORT)
    await handle.result()
    record = place.record(handle.id)
    said = {event.kind: event for event in record.of(EventKind.NOTE, EventKind.MARK)}
    assert said[EventKind.NOTE].actor == said[EventKind.MARK].actor == "Linus"
    assert said[EventKind.NOTE].text("text") == "it hangs"


async def test_a_command_for_a_run_that_is_not_there_says_so(place: Town) -> None:
    with pytest.raises(NotFound, match="there is no run 'nobody'"):
        await place.tell((await place.client()).get_workflow_handle("nobody"), Verb.ABORT)


async def test_a_host_without_an_agent_stands_the_scenario_down_and_says_which(place: Town) -> None:
    place.kill("agent")
    handle = await place.begin(place.day())
    result = await handle.result()
    assert result.outcome == "stood-down"
    event = place.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert event is not None and "no agent answers for the host local" in event.text("reason")


async def test_a_system_that_is_not_steady_is_left_alone(place: Town) -> None:
    handle = await place.begin(place.day(text=DAY.replace("port: PORT", "port: 1")))
    result = await handle.result()
    assert result.outcome == "stood-down"
    event = place.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert event is not None and "not in steady state: up = 100 %, and it is 0 %" in event.text("reason")


async def test_a_guardrail_aborts_and_the_record_says_which_sample(place: Town) -> None:
    text = DAY.replace("abort_when: ['up is unknown for 60s']", "abort_when: ['up < 50 % in 2 of 3 samples']")
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    handle = await place.begin(place.day(text=text.replace("port: PORT", f"port: {port}")))
    await place.until(lambda: place.is_frozen, "the fault is on")
    server.close()
    await server.wait_closed()
    result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "up < 50 % in 2 of 3 samples: 0 %"
    breach = place.record(result.run_id).first(EventKind.BREACH)
    assert breach is not None and breach.data["samples"]
    assert place.is_clean


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


async def test_the_stop_time_ends_the_day_with_the_time_as_the_reason(place: Town) -> None:
    made = place.day()
    times = made.playbook.times.model_copy(update={"stop": "16:00"})
    playbook = made.playbook.model_copy(update={"times": times})
    handle = await place.begin(made.model_copy(update={"playbook": playbook, "stop_at": datetime.now(UTC) + timedelta(seconds=6)}))
    await place.until(lambda: place.is_frozen, "the fault is on")
    result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "it is 16:00: the day's stop time"
    assert place.is_clean


async def test_later_than_latest_inject_nothing_is_applied(place: Town) -> None:
    made = place.day().model_copy(update={"latest_inject_at": datetime.now(UTC) - timedelta(seconds=1)})
    result = await (await place.begin(made)).result()
    assert result.outcome == "stood-down"
    assert EventKind.FAULT_ARMED not in kinds_of(place, result.run_id)


async def test_nothing_begins_before_the_days_start(place: Town) -> None:
    made = place.day(length="300ms").model_copy(update={"start_at": datetime.now(UTC) + timedelta(seconds=5)})
    result = await (await place.begin(made)).result()
    began = place.record(result.run_id).first(EventKind.SCENARIO_BEGAN)
    assert began is not None and made.start_at is not None and began.at >= made.start_at


async def test_a_day_that_is_aborted_between_its_scenarios_is_aborted(place: Town) -> None:
    text = TWO.replace("recover_within: 10s}", "recover_within: 10s, debrief: 60s}", 1)
    handle = await place.begin(place.day(length="300ms", text=text))
    await place.until(lambda: EventKind.SCENARIO_ENDED in _told(place, handle.id), "the first scenario is over")
    await place.tell(handle, Verb.ABORT, reason="enough for today")
    result = await handle.result()
    assert (result.outcome, result.exit_code) == ("aborted", 3)


def _told(place: Town, run_id: str) -> list[EventKind]:
    try:
        return kinds_of(place, run_id)
    except NotFound:
        return []


async def test_each_fault_that_lasts_until_mitigated_waits_for_its_own_mitigation(place: Town) -> None:
    """The second begins when the first was mitigated: that does not count for it."""
    other = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    (place.home / "other.pid").write_text(str(other.pid))
    on = f"{{host: local, pid_file: {place.home}/other.pid}}"
    second = f"\n      - {{name: second, inject: process.pause, on: {on}, after: frozen, for: 60s, until: mitigated}}"
    text = DAY.replace("for: LENGTH}", "for: 60s, until: mitigated}" + second)
    door = Door()
    await door.open()
    handle = await place.begin(place.day(text=text.replace("port: PORT", f"port: {door.port}")))
    try:
        for name in ("frozen", "second"):
            await place.until(lambda: name in active(place, handle.id), f"{name} is on")  # noqa: B023
            await door.close()
            lost = 1 + (name == "second")
            await place.until(lambda: _told(place, handle.id).count(EventKind.STEADY_LOST) >= lost, "steady state is lost")  # noqa: B023
            await door.open()
        result = await handle.result()
        faults = place.record(handle.id).faults()
        assert [(fault.name, fault.outcome, fault.reason) for fault in faults] == [
            ("frozen", FaultOutcome.REVERTED, "it lasts until mitigated"),
            ("second", FaultOutcome.REVERTED, "it lasts until mitigated"),
        ]
        assert result.outcome == "failed", "up was not above 10 % throughout"
    finally:
        await door.close()
        other.kill()
        await other.wait()


def active(place: Town, run_id: str) -> list[str]:
    with contextlib.suppress(NotFound):
        return [event.text("name") for event in place.record(run_id).of(EventKind.FAULT_ACTIVE)]
    return []


class Door:
    """A port at which something listens, or not."""

    def __init__(self) -> None:
        self.port, self.server = 0, None

    async def open(self) -> None:
        self.server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
            self.server = None


async def test_a_total_goes_on_over_the_day_also_through_a_counter_that_is_reset(place: Town) -> None:
    """50 in the first scenario, then the counter begins anew; the second scenario starts with the 50 behind it."""
    async with Counter() as counter:
        probe = f"failed: {{openmetrics: {{url: 'http://127.0.0.1:{counter.port}/metrics', metric: failed_total}}}}"
        text = (
            TWO.replace("for: 400ms", "for: 60s")
            .replace("probes:\n", f"probes:\n  {probe}\n")
            .replace("['up is unknown for 60s']", "['failed > 52 in total']")
        )
        counter.value = 100
        handle = await place.begin(place.day(text=text))
        await place.until(lambda: place.is_frozen, "the first fault is on")
        for value in (150, 1):
            counter.value = value
            seen = counter.asked
            await place.until(lambda: counter.asked > seen + 1, "it is read")  # noqa: B023
        await place.tell(handle, Verb.SKIP, reason="seen enough")
        await place.until(lambda: "second" in active(place, handle.id), "the second fault is on")
        counter.value = 4
        result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "failed > 52 in total: 54 since the day opened"


class Counter:
    """A service with one counter, as it is scraped."""

    def __init__(self) -> None:
        self.value, self.asked, self.port = 0, 0, 0

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f"# TYPE failed_total counter\nfailed_total {self.value}\n".encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        writer.close()
        self.asked += 1

    async def __aenter__(self) -> Counter:
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        await self.server.wait_closed()


async def test_a_fault_whose_time_is_after_latest_inject_is_dropped_and_said_so(place: Town) -> None:
    second = "\n      - {name: late, inject: process.pause, on: {host: local, pid_file: PIDFILE}, after: frozen, for: 1s}"
    made = place.day(text=DAY.replace("for: LENGTH}", "for: 60s}" + second))
    playbook = made.playbook.model_copy(update={"times": made.playbook.times.model_copy(update={"latest_inject": "16:00"})})
    handle = await place.begin(made.model_copy(update={"playbook": playbook, "latest_inject_at": datetime.now(UTC) + timedelta(seconds=8)}))
    await place.until(lambda: place.is_frozen, "the first fault is on")
    await asyncio.sleep(8)
    fault = next(iter(place.journal.live()))
    await (await place.client()).get_workflow_handle(f"{handle.id}-{fault.fault_id}").signal("end", "enough")
    result = await handle.result()
    assert result.outcome == "error", "not all of its faults were put on: that is not the day that was to be tested"
    failed = place.record(handle.id).first(EventKind.FAULT_FAILED)
    assert failed is not None and (failed.text("name"), failed.text("reason")) == ("late", "it is later than latest_inject (16:00)")


async def test_a_hold_keeps_a_later_fault_waiting_and_loses_nothing(place: Town) -> None:
    """The second fault has its whole time, however long the day was held and the first one's end took."""
    second = "\n      - {name: second, inject: process.pause, on: {host: local, pid_file: PIDFILE}, after: frozen, for: 2s}"
    handle = await place.begin(place.day(text=DAY.replace("for: LENGTH}", "for: 1s}" + second)))
    await place.until(lambda: "frozen" in active(place, handle.id), "the first fault is on")
    await place.tell(handle, Verb.HOLD, reason="coffee")
    await place.until(lambda: not place.is_frozen, "it ended by itself")
    await asyncio.sleep(4)  # longer than the plan of the whole scenario
    assert "second" not in active(place, handle.id)
    await place.tell(handle, Verb.RESUME)
    result = await handle.result()
    first, other = place.record(handle.id).faults()
    assert result.outcome == "passed"
    assert [first.reason, other.reason] == ["its time was over (1 s)", "its time was over (2 s)"]


async def test_a_cancel_while_recovery_is_watched_ends_the_day(place: Town) -> None:
    """It is not lost in what nothing can be taken from: the next scenario does not begin."""
    text = TWO.replace("steady_for: 0s, recover_within: 10s", "steady_for: 5s, recover_within: 10s")
    handle = await place.begin(place.day(length="300ms", text=text))
    await place.until(lambda: EventKind.FAULT_ENDED in _told(place, handle.id), "the first fault is off")
    await handle.cancel()
    result = await asyncio.wait_for(talking.outcome(handle, handle.id), 60)
    assert (result.outcome, result.reason) == ("aborted", "the workflow was cancelled")
    assert _told(place, handle.id).count(EventKind.FAULT_ACTIVE) == 1


async def test_a_long_reason_is_refused_and_wedges_nothing(place: Town) -> None:
    handle = await place.frozen_day()
    with pytest.raises(ValidationError, match="at most 900 char"):
        await place.tell(handle, Verb.ABORT, reason="x" * 901)
    for _ in range(2):
        await place.tell(handle, Verb.ABORT, reason="x" * 900)
    assert (await handle.result()).outcome == "aborted"


async def test_what_labels_choose_stays_within_the_blast_radius(place: Town) -> None:
    made = place.day()
    radius = made.playbook.blast_radius.model_copy(update={"hosts": ("elsewhere",)})
    result = await (await place.begin(made.model_copy(update={"playbook": made.playbook.model_copy(update={"blast_radius": radius})}))).result()
    assert result.outcome == "stood-down"
    event = place.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert event is not None and "frozen: local is outside the blast radius" in event.text("reason")


async def test_all_faults_of_a_host_are_reverted_by_one_activity_whose_proof_is_theirs(place: Town) -> None:
    """Their workflows ask their host no second time."""
    others = [await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True) for _ in range(3)]
    lines = ""
    for number, other in enumerate(others):
        file = place.home / f"other-{number}.pid"
        file.write_text(str(other.pid))
        lines += f"\n      - {{name: other-{number}, inject: process.pause, on: {{host: local, pid_file: {file}}}, for: 60s}}"
    try:
        handle = await place.begin(place.day(text=DAY.replace("for: LENGTH}", "for: 60s}" + lines)))
        await place.until(lambda: len(active(place, handle.id)) == 4, "all four are on")
        await place.tell(handle, Verb.ABORT, reason="enough")
        assert (await handle.result()).outcome == "aborted" and place.is_clean
        assert [fault.outcome for fault in place.record(handle.id).faults()] == [FaultOutcome.REVERTED] * 4
        client = await place.client()
        assert await scheduled(client, handle.id, "revert") == ["host.revert"]
        for fault in place.record(handle.id).faults():
            assert await scheduled(client, f"{handle.id}-{fault.fault_id}", "revert") == []
    finally:
        for other in others:
            other.kill()
            await other.wait()


async def scheduled(client: Client, workflow_id: str, ending: str) -> list[str]:
    history = client.get_workflow_handle(workflow_id).fetch_history_events()
    names = [event.activity_task_scheduled_event_attributes.activity_type.name async for event in history]
    return [name for name in names if name.endswith(ending)]
