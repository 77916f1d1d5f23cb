"""The faults of a day: several at once or after one another, what they wait for and what is counted, on a real server, conductor and agent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from gameday.commands import Verb
from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.record import Phase
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import TWO, Door, active, told

pytestmark = pytest.mark.timeout(120)


async def test_each_fault_that_lasts_until_mitigated_waits_for_its_own_mitigation(shared: Town) -> None:
    """The second begins when the first was mitigated: that does not count for it."""
    other = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    (shared.home / "other.pid").write_text(str(other.pid))
    on = f"{{host: local, pid_file: {shared.home}/other.pid}}"
    second = f"\n      - {{name: second, inject: process.pause, on: {on}, after: frozen, for: 60s, until: mitigated}}"
    text = DAY.replace("for: LENGTH}", "for: 60s, until: mitigated}" + second)
    door = Door()
    await door.open()
    handle = await shared.begin(shared.day(text=text.replace("port: PORT", f"port: {door.port}")))
    try:
        for name in ("frozen", "second"):
            await shared.until(lambda: name in active(shared, handle.id), f"{name} is on")  # noqa: B023
            await door.close()
            lost = 1 + (name == "second")
            await shared.until(lambda: told(shared, handle.id).count(EventKind.STEADY_LOST) >= lost, "steady state is lost")  # noqa: B023
            await door.open()
        result = await handle.result()
        faults = shared.record(handle.id).faults()
        assert [(fault.name, fault.outcome, fault.reason) for fault in faults] == [
            ("frozen", FaultOutcome.REVERTED, "it lasts until mitigated"),
            ("second", FaultOutcome.REVERTED, "it lasts until mitigated"),
        ]
        assert result.outcome == "failed", "up was not above 10 % throughout"
    finally:
        await door.close()
        other.kill()
        await other.wait()


async def test_a_total_goes_on_over_the_day_also_through_a_counter_that_is_reset(shared: Town) -> None:
    """50 in the first scenario, then the counter begins anew; the second scenario starts with the 50 behind it."""
    async with Counter() as counter:
        probe = f"failed: {{openmetrics: {{url: 'http://127.0.0.1:{counter.port}/metrics', metric: failed_total}}}}"
        text = (
            TWO.replace("for: 400ms", "for: 60s")
            .replace("probes:\n", f"probes:\n  {probe}\n")
            .replace("['up is unknown for 60s']", "['failed > 52 in total']")
        )
        counter.value = 100
        handle = await shared.begin(shared.day(text=text))
        await shared.until(lambda: shared.is_frozen, "the first fault is on")
        for value in (150, 1):
            counter.value = value
            seen = counter.asked
            await shared.until(lambda: counter.asked > seen + 1, "it is read")  # noqa: B023
        await shared.tell(handle, Verb.SKIP, reason="seen enough")
        await shared.until(lambda: "second" in active(shared, handle.id), "the second fault is on")
        counter.value = 4
        result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "failed > 52 in total: 54 since the day opened"


async def test_a_cap_that_is_passed_while_nothing_is_on_lets_no_further_scenario_begin(shared: Town) -> None:
    """It is the day's: what grows in recover, or before the next scenario, counts as what grew while a fault was on."""
    async with Counter() as counter:
        probe = f"failed: {{openmetrics: {{url: 'http://127.0.0.1:{counter.port}/metrics', metric: failed_total}}}}"
        text = TWO.replace("probes:\n", f"probes:\n  {probe}\n").replace("['up is unknown for 60s']", "['failed > 52 in total']")
        counter.value = 100
        handle = await shared.begin(shared.day(text=text.replace("steady_for: 0s", "steady_for: 2s"), length="300ms"))
        await shared.until(lambda: EventKind.RUN_STARTED in told(shared, handle.id), "it is in the store")
        await shared.until(lambda: shared.record(handle.id).phase(0, Phase.RECOVER) is not None, "the first scenario recovers")
        counter.value = 200
        result = await handle.result()
    assert result.outcome == "aborted" and result.reason == "failed > 52 in total: 100 since the day opened"
    record = shared.record(handle.id)
    assert [fault.name for fault in record.faults()] == ["frozen"] and record.first(EventKind.BREACH) is not None


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


async def test_a_fault_whose_time_is_after_latest_inject_is_dropped_and_said_so(shared: Town) -> None:
    second = "\n      - {name: late, inject: process.pause, on: {host: local, pid_file: PIDFILE}, after: frozen, for: 1s}"
    made = shared.day(text=DAY.replace("for: LENGTH}", "for: 60s}" + second))
    playbook = made.playbook.model_copy(update={"times": made.playbook.times.model_copy(update={"latest_inject": "16:00"})})
    latest = datetime.now(UTC) + timedelta(seconds=15)
    handle = await shared.begin(made.model_copy(update={"playbook": playbook, "latest_inject_at": latest}))
    await shared.until(lambda: shared.is_frozen, "the first fault is on")
    await shared.until(lambda: datetime.now(UTC) > latest, "it is late")
    fault = next(iter(shared.journal.live()))
    await (await shared.client()).get_workflow_handle(f"{handle.id}-{fault.fault_id}").signal("end", "enough")
    result = await handle.result()
    assert result.outcome == "error", "not all of its faults were put on: that is not the day that was to be tested"
    failed = shared.record(handle.id).first(EventKind.FAULT_FAILED)
    assert failed is not None and (failed.text("name"), failed.text("reason")) == ("late", "it is later than latest_inject (16:00)")


async def test_a_hold_keeps_a_later_fault_waiting_and_loses_nothing(shared: Town) -> None:
    """The second fault has its whole time, however long the day was held and the first one's end took."""
    second = "\n      - {name: second, inject: process.pause, on: {host: local, pid_file: PIDFILE}, after: frozen, for: 2s}"
    handle = await shared.begin(shared.day(text=DAY.replace("for: LENGTH}", "for: 1s}" + second)))
    await shared.until(lambda: "frozen" in active(shared, handle.id), "the first fault is on")
    await shared.tell(handle, Verb.HOLD, reason="coffee")
    await shared.until(lambda: not shared.is_frozen, "it ended by itself")
    await asyncio.sleep(4)  # longer than the plan of the whole scenario
    assert "second" not in active(shared, handle.id)
    await shared.tell(handle, Verb.RESUME)
    result = await handle.result()
    first, other = shared.record(handle.id).faults()
    assert result.outcome == "passed"
    assert [first.reason, other.reason] == ["its time was over (1 s)", "its time was over (2 s)"]


async def test_what_labels_choose_stays_within_the_blast_radius(shared: Town) -> None:
    made = shared.day()
    radius = made.playbook.blast_radius.model_copy(update={"hosts": ("elsewhere",)})
    result = await (await shared.begin(made.model_copy(update={"playbook": made.playbook.model_copy(update={"blast_radius": radius})}))).result()
    assert result.outcome == "stood-down"
    event = shared.record(result.run_id).first(EventKind.SCENARIO_STOOD_DOWN)
    assert event is not None and "frozen: local is outside the blast radius" in event.text("reason")


async def test_all_faults_of_a_host_are_reverted_by_one_activity_whose_proof_is_theirs(shared: Town) -> None:
    """Their workflows ask their host no second time."""
    others = [await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True) for _ in range(3)]
    lines = ""
    for number, other in enumerate(others):
        file = shared.home / f"other-{number}.pid"
        file.write_text(str(other.pid))
        lines += f"\n      - {{name: other-{number}, inject: process.pause, on: {{host: local, pid_file: {file}}}, for: 60s}}"
    try:
        handle = await shared.begin(shared.day(text=DAY.replace("for: LENGTH}", "for: 60s}" + lines)))
        await shared.until(lambda: len(active(shared, handle.id)) == 4, "all four are on")
        await shared.tell(handle, Verb.ABORT, reason="enough")
        assert (await handle.result()).outcome == "aborted" and shared.is_clean
        assert [fault.outcome for fault in shared.record(handle.id).faults()] == [FaultOutcome.REVERTED] * 4
        client = await shared.client()
        assert await scheduled(client, handle.id, "revert") == ["host.revert"]
        for fault in shared.record(handle.id).faults():
            assert await scheduled(client, f"{handle.id}-{fault.fault_id}", "revert") == []
    finally:
        for other in others:
            other.kill()
            await other.wait()


async def scheduled(client: Client, workflow_id: str, ending: str) -> list[str]:
    history = client.get_workflow_handle(workflow_id).fetch_history_events()
    names = [event.activity_task_scheduled_event_attributes.activity_type.name async for event in history]
    return [name for name in names if name.endswith(ending)]
