"""Plays short days of every kind on a real server and stores their histories, to be replayed by later code.

`python -m tests.workflows.store_history VERSION`; with names after it, such as `dirty`, only those days.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from gameday.commands import Verb
from gameday.event import EventKind
from gameday.language import Clock
from gameday.orders import DayResult
from tests.rigs.town import DAY, Town, town
from tests.workflows.conftest import ELSEWHERE, TWO, Door, all_on, at_gate, sees, told
from tests.workflows.stand_ins import SETTINGS, StandIns, stand_ins

HISTORIES = Path(__file__).parent / "histories"
SPARE = frozenset({"taskId", "identity", "requestId", "workerVersion", "historySizeBytes", "meteringMetadata", "stackTrace"})
"""What no replay reads."""
Run = WorkflowHandle[object, DayResult]


async def passed(place: Town, hosts: StandIns) -> Run:
    return await place.begin(place.day(length="600ms"))


async def failed(place: Town, hosts: StandIns) -> Run:
    return await place.begin(place.day(length="600ms", text=DAY.replace("['up > 10 %']", "['detected within 100ms']")))


async def stood_down(place: Town, hosts: StandIns) -> Run:
    return await place.begin(place.day(gate="{timeout: 300ms}"))


async def skipped(place: Town, hosts: StandIns) -> Run:
    run = await place.frozen_day(text=TWO)
    await place.tell(run, Verb.SKIP, reason="seen enough")
    return run


async def dirty(place: Town, hosts: StandIns) -> Run:
    """Its fault is proven gone only when the day is over."""
    hosts.proves = False
    run = await place.begin(place.day(length="300ms", text=ELSEWHERE))
    await run.result()
    hosts.proves = True
    return run


async def commanded(place: Town, hosts: StandIns) -> Run:
    """Sealed, and with all that people can say."""
    gates = "{day: {timeout: 60s, checklist: true, ready: 1}, inject: {timeout: 60s}}"
    text = DAY.replace("{inject: GATE}", gates + "\nchecklist: [{item: Deploys frozen}]")
    text = text.replace("Nobody minds", "Nobody minds\n    sealed: true\n    cards: [{at: 0s, say: Support calls}]")
    run = await place.begin(place.day(text=text.replace("for: LENGTH}", "for: 60s, until: detected}")))
    await at_gate(place, run.id, "day")
    await place.tell(run, Verb.TICK, item=1)
    await place.tell(run, Verb.GO)
    await place.tell(run, Verb.READY, text="pager is on")
    await at_gate(place, run.id, "inject 1")
    await place.tell(run, Verb.GO)
    await all_on(place, run.id)
    await place.tell(run, Verb.HOLD)
    await place.tell(run, Verb.NOTE, text="it hangs")
    await place.tell(run, Verb.RESUME)
    await place.tell(run, Verb.EXTEND, by="10s")
    await place.tell(run, Verb.REVEAL, reason="they know")
    await place.tell(run, Verb.MARK, clock=Clock.DETECT)
    return run


async def mitigated(place: Town, hosts: StandIns) -> Run:
    door = Door()
    await door.open()
    run = await place.frozen_day(text=DAY.replace("for: LENGTH}", "for: 60s, until: mitigated}").replace("port: PORT", f"port: {door.port}"))
    await door.close()
    await place.until(lambda: EventKind.STEADY_LOST in told(place, run.id), "steady state is lost")
    await door.open()
    await run.result()
    await door.close()
    return run


async def overlapping(place: Town, hosts: StandIns) -> Run:
    more = (
        "for: 1500ms}\n      - {name: second, inject: process.pause, on: {host: north, process: shop}, at: 500ms, for: 2s}"
        "\n      - {name: third, inject: process.pause, on: {host: west, process: shop}, after: frozen, at: 200ms, for: 300ms}"
    )
    return await place.begin(place.day(text=ELSEWHERE.replace("for: LENGTH}", more)))


async def rested(place: Town, hosts: StandIns) -> Run:
    """With a debrief, and a break between its scenarios."""
    return await place.begin(
        place.day(length="300ms", text=TWO.replace("recover_within: 10s}", "recover_within: 10s, debrief: 300ms, break: 300ms}"))
    )


async def aborted(place: Town, hosts: StandIns) -> Run:
    run = await place.frozen_day()
    await place.tell(run, Verb.HOLD)
    await place.tell(run, Verb.ABORT, reason="enough seen")
    return run


async def aborted_in_pre_check(place: Town, hosts: StandIns) -> Run:
    return await _abort_in("pre-check", place, DAY.replace("baseline: 400ms", "baseline: 30s"))


async def aborted_in_inject(place: Town, hosts: StandIns) -> Run:
    hosts.quick.clear()
    run = await _abort_in("inject", place, ELSEWHERE)
    await run.result()
    hosts.quick.set()
    return run


async def aborted_in_recover(place: Town, hosts: StandIns) -> Run:
    return await _abort_in("recover", place, DAY.replace("for: LENGTH", "for: 300ms").replace("steady_for: 0s", "steady_for: 30s"))


async def _abort_in(phase: str, place: Town, text: str) -> Run:
    run = await place.begin(place.day(text=text))
    await sees(place, run.id, lambda state: state.phase == phase, phase)
    await place.tell(run, Verb.ABORT, reason="not today")
    return run


DAYS: dict[str, Callable[[Town, StandIns], Awaitable[Run]]] = {
    play.__name__.replace("_", "-"): play
    for play in (
        *(passed, failed, stood_down, skipped, dirty, commanded, mitigated, overlapping, rested),
        *(aborted, aborted_in_pre_check, aborted_in_inject, aborted_in_recover),
    )
}
FAULTS = ("passed", "dirty", "commanded", "mitigated", "aborted", "aborted-in-inject")
"""The days whose first fault goes a way of its own."""


async def store(version: str, names: list[str]) -> None:
    async with town(Path(tempfile.mkdtemp()) / "home", "temporal") as place:
        (place.home / "settings.toml").write_text(SETTINGS)
        place.start("worker", "agent")
        async with stand_ins(await place.client()) as hosts:
            for name in names or DAYS:
                run = await DAYS[name](place, hosts)
                print(name, (await run.result()).outcome)
                await _keep(place, run.id, f"{version}-{name}-day")
                if name in FAULTS:
                    await _keep(place, f"{run.id}-{place.record(run.id).faults()[0].fault_id}", f"{version}-{name}-fault")


async def _keep(place: Town, workflow_id: str, name: str) -> None:
    handle = (await place.client()).get_workflow_handle(workflow_id)
    await handle.result()
    events = _lean(json.loads((await handle.fetch_history()).to_json())["events"])
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    (HISTORIES / f"{name}.json").write_text(f'{{"events":[\n{lines}\n]}}\n')


def _lean(value: Any) -> Any:
    """Without what no replay reads: also what an activity was given, since only that it was asked for is compared."""
    if isinstance(value, list):
        return [_lean(each) for each in value]
    if not isinstance(value, dict):
        return value
    given = {"input"} if "activityType" in value else set()
    return {key: _lean(each) for key, each in value.items() if key not in SPARE | given}


if __name__ == "__main__":
    asyncio.run(store(sys.argv[1], sys.argv[2:]))
