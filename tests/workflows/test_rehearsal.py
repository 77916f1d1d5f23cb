"""A rehearsal proves probes, targets and brakes; a dry run changes nothing; a day may ask for the one before the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.plan import RunKind
from gameday.viewer import hidden
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import told

pytestmark = pytest.mark.timeout(120)
KILLED = "\n      - {name: killed, inject: process.kill, on: {host: local, pid_file: PIDFILE}, at: 10m, for: 1s}"
BOTH = DAY.replace("for: LENGTH}", "for: 9m}" + KILLED)
ASKING = DAY.replace("gates:", "rehearsal: {within: 1h}\ngates:")


def findings(shared: Town, run_id: str) -> list[tuple[str, str]]:
    return [(event.text("state"), event.text("about")) for event in shared.record(run_id).of(EventKind.REHEARSED)]


async def test_a_rehearsal_tries_probes_and_brakes_and_kills_nobody(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=BOTH, kind=RunKind.REHEARSAL, approved=True))
    result = await handle.result()
    faults = shared.record(handle.id).faults()
    assert result.outcome == "passed", result.reason
    assert [(fault.name, str(fault.outcome)) for fault in faults] == [("frozen", "reverted"), ("killed", "spent")]
    assert faults[1].label.startswith("dry run: ") and not shared.is_frozen and shared.sleeper.poll() is None
    assert findings(shared, handle.id) == [("ok", "probe up")]


async def test_a_rehearsal_asks_before_each_fault_unless_it_is_approved(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=DAY, kind=RunKind.REHEARSAL))
    await shared.until(lambda: EventKind.GATE_WAITING in told(shared, handle.id), "the gate")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("port: PORT, measure: ok", "port: 1", "probe up"),
        ("pid_file: PIDFILE", "process: nobody-is-called-so", "has no process"),
    ],
)
async def test_what_does_not_work_fails_the_rehearsal(shared: Town, old: str, new: str, why: str) -> None:
    lines = [line for line in DAY.replace(old, new).splitlines() if not line.strip().startswith(("steady_state", "abort_when", "expect"))]
    handle = await shared.begin(shared.day(text="\n".join(lines), kind=RunKind.REHEARSAL, approved=True))
    result = await handle.result()
    assert result.outcome == "failed"
    assert why in result.reason or ("no", why) in findings(shared, handle.id)


async def test_a_day_that_asks_for_a_rehearsal_begins_only_after_one_of_what_it_is_now(shared: Town) -> None:
    day = shared.day(text=ASKING, length="300ms")
    refused = await (await shared.begin(day)).result()
    assert refused.outcome == "stood-down" and "none of it as it is now has passed; run `gameday rehearse`" in refused.reason
    tried = await (await shared.begin(shared.day(text=ASKING, length="300ms", kind=RunKind.REHEARSAL, approved=True))).result()
    assert tried.outcome == "passed"
    assert (await (await shared.begin(shared.day(text=ASKING, length="400ms"))).result()).outcome == "passed"
    changed = ASKING.replace("up is unknown for 60s", "up is unknown for 50s")
    assert (await (await shared.begin(shared.day(text=changed, length="300ms"))).result()).outcome == "stood-down"


async def test_a_rehearsal_of_a_sealed_scenario_stays_sealed_when_it_is_over(shared: Town) -> None:
    text = DAY.replace("hypothesis:", "sealed: true\n    hypothesis:")
    handle = await shared.begin(shared.day(text=text, kind=RunKind.REHEARSAL, approved=True))
    await handle.result()
    record = shared.record(handle.id)
    assert record.ended and hidden(record) == {0}


async def test_a_dry_run_and_a_day_that_does_not_begin_leave_the_seals_shut(shared: Town) -> None:
    text = DAY.replace("hypothesis:", "sealed: true\n    hypothesis:")
    dry = await shared.begin(shared.day(text=text, length="300ms", kind=RunKind.DRY, approved=True))
    assert (await dry.result()).outcome == "passed" and hidden(shared.record(dry.id)) == {0}
    never = text.replace("gates:", "rehearsal: {within: 1h}\ngates:").replace("unknown for 60s", "unknown for 40s")
    day = await shared.begin(shared.day(text=never, length="300ms"))
    assert (await day.result()).outcome == "stood-down" and hidden(shared.record(day.id)) == {0}


@pytest.fixture
def states(shared: Town) -> Iterator[set[str]]:
    """The states that the sleeper was seen in."""
    seen, over = set[str](), threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            seen.add(Path(f"/proc/{shared.sleeper.pid}/stat").read_text().rsplit(")", 1)[1].split()[0])

    looking = threading.Thread(target=look)
    looking.start()
    yield seen
    over.set()
    looking.join()


async def test_a_dry_run_goes_the_whole_way_and_changes_nothing(shared: Town, states: set[str]) -> None:
    text = DAY.replace("for: LENGTH}", "for: 1s}" + KILLED.replace("10m", "1s"))
    handle = await shared.begin(shared.day(text=text, kind=RunKind.DRY, approved=True))
    result = await handle.result()
    faults = shared.record(handle.id).faults()
    assert result.outcome == "passed" and {fault.outcome for fault in faults} == {FaultOutcome.REVERTED, FaultOutcome.SPENT}
    assert all("dry run: " in fault.label for fault in faults) and "T" not in states and shared.sleeper.poll() is None
    assert shared.is_clean and not list((shared.home / "dry").iterdir())
