"""Faults that are done by hand: asked of somebody, on and off by their word, in a day on a real server and conductor."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gameday.by_hand import Asked, Half, open_errands
from gameday.cli.context import user
from gameday.commands import Actor, Command, Verb
from gameday.errors import NotFound, Refused
from gameday.event import EventKind
from gameday.fault import DIRTY_AFTER, FaultOutcome
from gameday.plan import RunKind
from gameday.view import RunView
from gameday.viewer import veil
from reports.proofs import proofs
from tests.rigs.town import ADA, DAY, ROOT, Town
from tests.workflows.conftest import GATE, LINUS, active, at_gate, told
from worker import client as talking

pytestmark = pytest.mark.timeout(120)
TEAM = "team: {commander: {name: Ada, user: ada}, responders: [{name: Linus, user: linus}, {name: Pat, user: pat}]}\nprobes:"
BY_HAND = (
    DAY.replace("probes:", TEAM, 1)
    .replace("inject: process.pause", "inject: manual")
    .replace("name: frozen", "name: cable-out")
    .replace("on: {host: local, pid_file: PIDFILE}", "with: {do: Pull the cable, undo: Plug it back in, by: Linus}")
)
PAT = Actor(id="os:pat", name="Pat")


def asked(place: Town, run_id: str) -> Asked | None:
    """What is asked of people now, as the record tells it."""
    if EventKind.FAULT_ASKED not in told(place, run_id):
        return None
    return next((found for _, found in open_errands(place.record(run_id).events).values()), None)


async def is_asked(place: Town, run_id: str, half: Half) -> Asked:
    def holds() -> bool:
        found = asked(place, run_id)
        return found is not None and found.half is half

    await place.until(holds, f"somebody is asked to {half} it")
    found = asked(place, run_id)
    assert found is not None
    return found


async def test_it_is_on_and_off_by_the_word_of_whoever_was_asked(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=BY_HAND, length="1s"))
    found = await is_asked(shared, handle.id, Half.DO)
    assert (found.fault, found.by, found.text) == ("cable-out", "Linus", "Pull the cable")
    assert not active(shared, handle.id)
    with pytest.raises(Refused, match="Pat may not say done: that is for whoever is asked, commander, technical lead, or whoever started the run"):
        await shared.tell(handle, Verb.DONE, actor=PAT)
    assert await shared.tell(handle, Verb.DONE, actor=LINUS) == "Linus says done: Pull the cable"
    await is_asked(shared, handle.id, Half.UNDO)
    with pytest.raises(Refused, match="that was for an earlier request; asked now is: Plug it back in"):
        await shared.tell(handle, Verb.DONE, actor=LINUS, half=Half.DO)
    assert await shared.tell(handle, Verb.DONE, actor=ADA, fault="cable-out") == "Ada says done: Plug it back in"
    result = await handle.result()
    assert result.outcome == "passed", result.reason
    (fault,) = shared.record(handle.id).faults()
    assert (fault.outcome, fault.reason, fault.label) == (FaultOutcome.REVERTED, "its time was over (1 s)", "by hand, Linus")
    on, off = shared.record(handle.id).first(EventKind.FAULT_ACTIVE), fault.ended
    assert on and off and (on.actor, off.actor) == ("Linus", "Ada")
    assert off.data["proof"] == [{"step": "by hand", "before": "–", "after": "Ada says done: Plug it back in", "state": "by the word of Ada"}]
    report = await asyncio.to_thread(Path(result.report).read_text)
    assert "gone by the word of Ada, and nothing was read back" in report and "Ada says done: Plug it back in" in report


def lines(place: Town, run_id: str) -> list[str]:
    """The timeline as plain text."""
    record = place.record(run_id)
    view = RunView(record.plan, record.plan.started_at)
    return [said.text for event in record.events if (said := view.take(event)) is not None]


async def test_silence_means_that_it_is_not_injected_and_it_is_undone_all_the_same(shared: Town) -> None:
    text = BY_HAND.replace("by: Linus}", "by: Linus, do_within: 500ms}")
    handle = await shared.begin(shared.day(text=text))
    found = await is_asked(shared, handle.id, Half.UNDO)
    assert found.text == "Plug it back in (it may be half done: undo whatever there is of it)"
    await shared.tell(handle, Verb.DONE, actor=LINUS)
    result = await handle.result()
    (fault,) = shared.record(handle.id).faults()
    silence = "nobody said within 500ms that it was done"
    assert (result.outcome, fault.outcome, fault.reason, fault.active_at) == ("stood-down", FaultOutcome.NOT_INJECTED, silence, None)
    assert f"cable-out was not put on ({silence}); Linus says done: Plug it back in" in lines(shared, handle.id)


async def test_an_abort_before_it_was_done_asks_for_the_undo_of_what_may_be_half_done(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=BY_HAND))
    await is_asked(shared, handle.id, Half.DO)
    await shared.tell(handle, Verb.ABORT, reason="enough")
    found = await is_asked(shared, handle.id, Half.UNDO)
    (event,) = [each for each in shared.record(handle.id).of(EventKind.FAULT_ASKED) if each.text("what") == Half.UNDO]
    assert found.text.startswith("Plug it back in (it may be half done") and found.until is not None
    assert found.until - event.at <= DIRTY_AFTER, "a day that was aborted waits no longer than for a host"
    await shared.tell(handle, Verb.DONE, actor=LINUS)
    assert (await handle.result()).outcome == "aborted"
    (fault,) = shared.record(handle.id).faults()
    assert (fault.outcome, fault.reason) == (FaultOutcome.NOT_INJECTED, "enough")


async def test_what_nobody_undoes_is_dirty_and_a_later_word_still_ends_it(shared: Town) -> None:
    """The day is over by then: the word goes to the fault itself."""
    handle = await shared.begin(shared.day(text=BY_HAND.replace("by: Linus}", "by: Linus, undo_within: 500ms}")))
    await is_asked(shared, handle.id, Half.DO)
    await shared.tell(handle, Verb.DONE, actor=LINUS)
    await shared.until(lambda: "cable-out" in active(shared, handle.id), "it is on")
    await shared.tell(handle, Verb.ABORT, reason="enough")
    assert (await handle.result()).outcome == "dirty"
    dirty = shared.record(handle.id).first(EventKind.FAULT_DIRTY)
    assert dirty is not None and dirty.data["problems"] == ["Linus has not said that it is undone: Plug it back in"]
    fault_id, left = open_errands(shared.record(handle.id).events)["cable-out"]
    assert left.half is Half.UNDO
    client = await shared.client()
    assert not await talking.is_open(client, handle.id)
    said = Command(verb=Verb.DONE, id="late", actor=LINUS)
    await talking.send_done(client, f"{handle.id}-{fault_id}", said, left.half)
    await client.get_workflow_handle(f"{handle.id}-{fault_id}").result()
    (fault,) = shared.record(handle.id).faults()
    assert fault.outcome is FaultOutcome.REVERTED and not open_errands(shared.record(handle.id).events)
    (proof,) = proofs(shared.record(handle.id), 0)
    assert proof.clean and proof.late is not None and proof.word == "by the word of Linus"
    with pytest.raises(NotFound, match="waits for nobody any more"):
        await talking.send_done(client, f"{handle.id}-{fault_id}", said, left.half)


async def test_of_a_sealed_scenario_only_whoever_is_asked_is_told(shared: Town) -> None:
    text = BY_HAND.replace("hypothesis: Nobody minds", "hypothesis: Nobody minds\n    sealed: true")
    handle = await shared.begin(shared.day(text=text, length="300ms"))
    await is_asked(shared, handle.id, Half.DO)
    record = shared.record(handle.id)
    for stranger in ("Pat", ""):
        assert "cable" not in repr(veil(record, stranger).events).lower() and not open_errands(veil(record, stranger).events)
    ((fault_id, mine),) = open_errands(veil(record, "Linus").events).values()
    assert (fault_id, mine.text) == ("", "Pull the cable")
    for _ in range(2):  # the same before it is done and after it
        with pytest.raises(Refused, match="Pat may not say done: that is for whoever is asked, commander"):
            await shared.tell(handle, Verb.DONE, actor=PAT)
        await shared.tell(handle, Verb.DONE, actor=ADA)
        await is_asked(shared, handle.id, Half.UNDO)
    await handle.result()


async def test_a_killed_conductor_loses_nothing_of_it(place: Town) -> None:
    handle = await place.begin(place.day(text=BY_HAND, length="300ms"))
    await is_asked(place, handle.id, Half.DO)
    place.kill("worker")
    place.start("worker")
    for half in Half:
        await is_asked(place, handle.id, half)
        await place.tell(handle, Verb.DONE, actor=LINUS)
    await handle.result()
    (fault,) = place.record(handle.id).faults()
    assert (fault.outcome, fault.reason) == (FaultOutcome.REVERTED, "its time was over (0.3 s)")


async def test_it_goes_with_faults_on_hosts_and_is_no_host_s_to_revert(shared: Town) -> None:
    both = BY_HAND.replace("for: LENGTH}", "for: 60s}\n      - {name: frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: 60s}")
    handle = await shared.begin(shared.day(text=both, gate=GATE))
    await at_gate(shared, handle.id)
    assert (await shared.tell(handle, Verb.GO)).endswith("; by hand, Linus")
    await is_asked(shared, handle.id, Half.DO)
    await shared.until(lambda: shared.is_frozen, "the other is on")
    await shared.tell(handle, Verb.DONE, actor=LINUS)
    await shared.until(lambda: "cable-out" in active(shared, handle.id), "it is on")
    await shared.tell(handle, Verb.SKIP)
    await is_asked(shared, handle.id, Half.UNDO)
    await shared.until(lambda: shared.is_clean, "the other is off, whoever is still waited for")
    await shared.tell(handle, Verb.DONE, actor=LINUS)
    await handle.result()
    assert {fault.outcome for fault in shared.record(handle.id).faults()} == {FaultOutcome.REVERTED}


@pytest.mark.parametrize("kind", [RunKind.REHEARSAL, RunKind.DRY])
async def test_a_rehearsal_and_a_dry_run_ask_nobody(shared: Town, kind: RunKind) -> None:
    handle = await shared.begin(shared.day(text=BY_HAND, length="500ms", kind=kind, approved=True))
    result = await handle.result()
    record = shared.record(handle.id)
    assert result.outcome == "passed" and record.first(EventKind.FAULT_ASKED) is None
    assert [fault.label for fault in record.faults()] == ["dry run: by hand, Linus"]
    untried = [event.text("said") for event in record.of(EventKind.REHEARSED) if event.text("about") == "fault cable-out"]
    assert untried == (["by hand, Linus: not tried, since a rehearsal asks nobody to do anything"] if kind is RunKind.REHEARSAL else [])
    assert "cable-out reverted after 0 ms; nobody was asked" in lines(shared, handle.id)


def gameday(place: Town, *words: str) -> subprocess.CompletedProcess[str]:
    """The real command, by whoever runs the tests, with nobody at a terminal."""
    environment = {**os.environ, "GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}"}
    argv = [sys.executable, "-m", "gameday", *words]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


async def test_the_command_says_what_it_is_about_and_still_works_when_the_run_is_over(shared: Town) -> None:
    mine = BY_HAND.replace("user: linus", f"user: {user()}").replace("by: Linus}", "by: Linus, undo_within: 500ms}")
    handle = await shared.begin(shared.day(text=mine, length="300ms"))
    await is_asked(shared, handle.id, Half.DO)

    async def done(*words: str) -> tuple[int, str, str]:
        ran = await asyncio.to_thread(gameday, shared, "done", handle.id, *words)
        return ran.returncode, ran.stdout, ran.stderr

    code, _, said = await done("fuse")
    assert code == 5 and "'fuse' is nothing that Linus may say done to now; expected cable-out" in said
    assert await done() == (0, "Linus says done: Pull the cable\n", "cable-out: Linus is asked: Pull the cable\n")
    assert (await handle.result()).outcome == "dirty"
    status = await asyncio.to_thread(gameday, shared, "status", handle.id)
    assert f"NOT PROVEN CLEAN: 1 fault: 1 dirty; `gameday done {handle.id} cable-out` says that it is undone by hand" in status.stdout
    code, _, said = await done("--half", "do")
    assert code == 5 and "is over: that was for an earlier request; asked now is: Plug it back in" in said
    over = f"Linus says done: Plug it back in. The run is over; `gameday report {handle.id}` writes its report again\n"
    assert (await done("cable-out"))[:2] == (0, over)
    await shared.until(lambda: not open_errands(shared.record(handle.id).events), "its end is in the record")
    code, _, said = await done()
    assert code == 5 and "is over: Linus may not say done: that is for whoever is asked" in said, "nothing is asked of Linus any more"
