"""What a go approves is the exact list that was shown."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from gameday.commands import Verb
from gameday.errors import Refused
from gameday.event import Event, EventKind
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import GATE, at_gate, told

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def successors(shared: Town) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that take the sleeper's place in its pid file."""
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    (shared.home / "sleeper.pid").write_text(str(shared.sleeper.pid))
    for process in begun:
        process.kill()
        process.wait()


def restart(shared: Town, successors: list[subprocess.Popen[bytes]]) -> int:
    successors.append(subprocess.Popen(["sleep", "1000000"], start_new_session=True))
    (shared.home / "sleeper.pid").write_text(str(successors[-1].pid))
    return successors[-1].pid


def shown(shared: Town, run_id: str) -> list[Event]:
    return list(shared.record(run_id).of(EventKind.TARGETS_FOUND))


def labels(event: Event) -> list[str]:
    targets: Any = event.data["targets"]
    return [each["label"] for each in targets]


async def test_a_go_is_void_when_what_it_was_for_is_another_thing_by_now(shared: Town, successors: list[subprocess.Popen[bytes]]) -> None:
    handle = await shared.begin(shared.day(length="400ms", gate=GATE))
    await at_gate(shared, handle.id)
    pid = restart(shared, successors)
    assert f"(pid {shared.sleeper.pid})" in await shared.tell(handle, Verb.GO)
    await shared.until(lambda: told(shared, handle.id).count(EventKind.GATE_WAITING) == 2, "the gate asks again")
    before, now = shown(shared, handle.id)
    assert [str(shared.sleeper.pid) in labels(before)[0], str(pid) in labels(now)[0]] == [True, True]
    with pytest.raises(Refused, match="the list of what will be touched has changed since you saw it"):
        await shared.tell(handle, Verb.GO, targets=before.text("digest"))
    assert f"(pid {pid})" in await shared.tell(handle, Verb.GO, targets=now.text("digest"))
    result = await handle.result()
    record = shared.record(handle.id)
    assert result.outcome == "passed" and [each.label for each in record.faults()] == labels(now)
    assert told(shared, handle.id).count(EventKind.GO_VOID) == 1


async def test_a_go_to_what_has_gone_stands_the_scenario_down(shared: Town, successors: list[subprocess.Popen[bytes]]) -> None:
    handle = await shared.begin(shared.day(gate=GATE))
    await at_gate(shared, handle.id)
    restart(shared, successors)
    successors[-1].kill()
    successors[-1].wait()
    await shared.tell(handle, Verb.GO)
    result = await handle.result()
    assert result.outcome == "stood-down" and "has no process" in result.reason


async def test_the_answer_to_a_go_says_nothing_of_a_sealed_scenario(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=DAY.replace("hypothesis:", "sealed: true\n    hypothesis:"), length="300ms", gate=GATE))
    await at_gate(shared, handle.id)
    assert await shared.tell(handle, Verb.GO) == "go: inject 1"
    assert (await handle.result()).outcome == "passed"


async def test_a_go_to_what_has_not_changed_is_asked_for_once(shared: Town) -> None:
    handle = await shared.begin(shared.day(length="400ms", gate=GATE))
    await at_gate(shared, handle.id)
    await shared.until(lambda: bool(shown(shared, handle.id)), "the list is in the record")
    (event,) = shown(shared, handle.id)
    await shared.tell(handle, Verb.GO, targets=event.text("digest"))
    assert (await handle.result()).outcome == "passed"
    assert told(shared, handle.id).count(EventKind.GATE_WAITING) == 1
