"""What every injector must do, plug-ins included: on a real target, through the operations and the watchdog as they run in production."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

from activities import kinds, watchdog
from activities.hands import JournaledHands
from activities.injectors import process_pause
from activities.journal import Journal
from activities.operators import Operators
from activities.probes import tcp
from activities.steps import processes
from activities.steps.process_signal import Kill
from activities.steps.step import State
from activities.targets import ProcessFacts, refuses_own_processes, resolve
from gameday.catalogue import Catalogue
from gameday.errors import FaultEnded, NotFound, TargetTaken
from gameday.loading import loads
from gameday.playbook import Target
from gameday.settings import HostSettings
from tests.rigs.lab import RIGS, Rig, Sleeper, rig, until


@pytest.fixture(params=RIGS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig(request.param, tmp_path / "rig") as built:
        yield built


@pytest.fixture
async def operators(tmp_path: Path) -> AsyncIterator[Operators]:
    """Operations in processes of their own, with a real watchdog beside them."""
    home = tmp_path / "home"
    journal = Journal.at(home)
    watchdog.ensure(home)
    built = Operators(home)
    yield built
    await built.close()
    watchdog.dismiss(journal.root)
    await asyncio.to_thread(until, lambda: watchdog.heartbeat(journal.root) is None)


async def revert(operators: Operators, fault_id: str) -> dict[str, object]:
    answer = await operators.perform({"op": "revert", "reasons": {fault_id: "the test is over"}})
    status: dict[str, object] = answer["statuses"][0]
    return status


def test_every_kind_in_the_catalogue_has_a_rig() -> None:
    assert set(kinds.injectors()) == {cls.kind for cls in RIGS.values()}


async def test_injects_once_when_called_twice_and_is_seen_active(target: Rig, operators: Operators) -> None:
    before = target.look()
    order = target.order("f-twice")
    first = (await operators.perform(order))["status"]
    changed = target.look()
    second = (await operators.perform(order))["status"]
    assert first["state"] == second["state"] == "active"
    assert before != changed == target.look()
    await revert(operators, "f-twice")


async def test_reverts_when_called_twice_and_leaves_the_target_as_it_was(target: Rig, operators: Operators) -> None:
    before = target.look()
    await operators.perform(target.order("f-back"))
    first, second = await revert(operators, "f-back"), await revert(operators, "f-back")
    if target.leaves == "spent":
        assert first == second and first["outcome"] == "spent"
        target.renew()
    else:
        assert first == second and first["outcome"] == "reverted"
        assert all(line["state"] in ("before", "gone") for line in first["proof"])  # type: ignore[attr-defined]  # a list of proofs
    assert target.look() == before


async def test_a_late_attempt_is_refused_by_the_tombstone(target: Rig, operators: Operators) -> None:
    order = target.order("f-late")
    before = target.look()
    await revert(operators, "f-late")
    with pytest.raises(FaultEnded):
        await operators.perform(order)
    assert target.look() == before


async def test_is_a_leftover_when_its_owner_dies_and_the_watchdog_ends_it(target: Rig, operators: Operators, tmp_path: Path) -> None:
    before = target.look()
    await operators.perform(target.order("f-orphan", lease=0.4))
    journal = Journal.at(tmp_path / "home")
    entry = journal.find("f-orphan")
    assert entry is not None
    await asyncio.to_thread(until, lambda: entry.tombstone is not None)
    assert entry.tombstone is not None
    assert entry.tombstone["outcome"] == ("spent" if target.leaves == "spent" else "expired")
    target.renew()
    assert target.look() == before


async def test_two_faults_cannot_have_one_target(target: Rig, operators: Operators) -> None:
    mine = target.order("f-mine")
    theirs = {**mine, "order": {**mine["order"], "fault_id": "f-theirs"}}
    await operators.perform(mine)
    first = target.look()
    with pytest.raises(TargetTaken, match="held by the fault 'fault' of run run"):
        await operators.perform(theirs)
    assert target.look() == first
    await revert(operators, "f-mine")


async def test_bad_parameters_are_refused_before_anything_happens(target: Rig) -> None:
    params = kinds.injectors()[target.kind].Params
    for bad in target.bad_params:
        with pytest.raises(ValidationError):
            params.model_validate(bad)


async def test_a_frozen_inject_is_killed_and_applies_nothing_late(tmp_path: Path, operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen between journal and change; its lease runs out. The watchdog kills the holder, and only then reverts."""
    monkeypatch.setenv("GAMEDAY_FAILPOINT", "freeze@after_journal")
    with rig("pause", tmp_path / "rig") as target:
        frozen = Operators(tmp_path / "home")
        attempt = asyncio.create_task(frozen.perform(target.order("f-frozen", lease=0.5)))
        entry = None
        while entry is None or entry.tombstone is None:
            await asyncio.sleep(0.05)
            entry = Journal.at(tmp_path / "home").find("f-frozen")
        assert target.look() == "running"
        with pytest.raises(Exception, match="ended from outside"):
            await attempt
        monkeypatch.delenv("GAMEDAY_FAILPOINT")
        await frozen.close()


async def test_what_responders_take_away_is_neutralised_and_never_put_on_again(tmp_path: Path, operators: Operators) -> None:
    with rig("pause", tmp_path / "rig") as target:
        assert isinstance(target, Sleeper)
        order = target.order("f-away")
        await operators.perform(order)
        os.kill(target.process.pid, signal.SIGCONT)
        await asyncio.to_thread(until, lambda: target.look() == "running")
        seen = (await operators.perform({"op": "check", "faults": ["f-away"]}))["statuses"][0]
        assert seen["problems"] == ["neutralised"]
        assert (await revert(operators, "f-away"))["outcome"] == "neutralised"
        with pytest.raises(FaultEnded):
            await operators.perform(order)
        assert target.look() == "running"


def test_an_injector_is_one_file_dropped_into_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new kind is found by its presence: nothing else has to be told of it."""
    source = Path(process_pause.__file__).read_text().replace("process.pause", "process.nap").replace("ProcessPause", "ProcessNap")
    folder = Path(process_pause.__file__).parent
    module = ModuleType("activities.injectors.process_nap")
    module.__file__ = str(folder / "process_nap.py")
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(kinds, "_in_folder", lambda room: [module])
    kinds.injectors.cache_clear()
    try:
        assert "process.nap" in kinds.injectors()
    finally:
        kinds.injectors.cache_clear()


def test_a_probe_is_one_file_dropped_into_place(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        Path(tcp.__file__).read_text().replace('kind = "tcp"', 'kind = "knock"').replace("TcpProbe", "KnockProbe").replace("TcpParams", "KnockParams")
    )
    module = ModuleType("activities.probes.knock")
    module.__file__ = str(Path(tcp.__file__).with_name("knock.py"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    monkeypatch.setattr(kinds, "_in_folder", lambda room: [module])
    kinds.probes.cache_clear()
    kinds.catalogue.cache_clear()
    try:
        text = (
            b"{name: day, objective: Why, hypothesis: So, probes: {door: {knock: {host: 127.0.0.1, port: 1}}}, steady_state: ['door < 1 s'], " + FAULT
        )
        known = Catalogue(injectors={"process.pause": process_pause.ProcessPause}, probes=kinds.probes())
        assert loads(text, known).playbook.probes["door"] == {"knock": {"host": "127.0.0.1", "port": 1}}
    finally:
        kinds.probes.cache_clear()
        kinds.catalogue.cache_clear()


FAULT = b"faults: [{name: f, inject: process.pause, on: {host: local, process: x}}]}"


def test_a_process_is_found_by_its_systemd_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the members of the unit's cgroup, as the kernel lists them; a main process that has gone is none."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    with rig("pause", tmp_path / "rig") as target:
        assert isinstance(target, Sleeper)
        members = tmp_path / "system.slice" / "shop.service" / "cgroup.procs"
        members.parent.mkdir(parents=True)
        members.write_text(f"{target.process.pid}\n{gone.pid}\n")
        monkeypatch.setattr(processes, "SYSTEM_SLICES", (tmp_path / "nowhere", tmp_path / "system.slice"))
        found = resolve(Target(host="local", unit="shop"), "local", HostSettings())
        assert [process.pid for process in ProcessFacts.of(found).processes] == [target.process.pid]
        with pytest.raises(NotFound, match=r"by unit bar\.service"):
            resolve(Target(host="local", unit="bar.service"), "local", HostSettings())


async def test_a_fault_that_is_renewed_for_ever_ends_at_its_cap(tmp_path: Path, operators: Operators) -> None:
    with rig("pause", tmp_path / "rig") as target:
        order = target.order("f-capped")
        order["order"] |= {"lease": 30.0, "cap": 1.5}
        await operators.perform(order)
        entry = Journal.at(tmp_path / "home").find("f-capped")
        assert entry is not None
        while entry.tombstone is None:
            entry.renew()
            await asyncio.sleep(0.05)
        assert entry.tombstone["reason"] == "its longest time was over" and target.look() == "running"


def test_a_helper_that_says_much_is_heard_out_and_one_that_closes_its_output_costs_nothing(tmp_path: Path) -> None:
    hands = JournaledHands(None, lambda: None)
    code, said = hands.run(("head", "-c", "300000", "/dev/zero"), 20.0)
    assert (code, len(said)) == (0, 2000)
    assert hands.run(("sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 7"), 20.0) == (7, "")


async def test_a_frozen_watchdog_is_replaced(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = Journal.at(home)
    watchdog.ensure(home)
    beat = json.loads((journal.root / ".watchdog").read_bytes())
    os.kill(beat["pid"], signal.SIGSTOP)
    await asyncio.to_thread(until, lambda: (watchdog.heartbeat(journal.root) or 0) > 3)
    watchdog.ensure(home)
    assert json.loads((journal.root / ".watchdog").read_bytes())["pid"] != beat["pid"]
    watchdog.dismiss(journal.root)
    await asyncio.to_thread(until, lambda: watchdog.heartbeat(journal.root) is None)


def test_gameday_refuses_to_touch_itself(tmp_path: Path) -> None:
    """Its watchdog, its operations, its other processes and the Temporal that it brought up: by whatever name they are found."""
    home, me = tmp_path / "home", Path(sys.executable).name
    journal = Journal.at(home)
    watchdog.ensure(home)
    temporal = subprocess.Popen(["sh", "-c", "read line", "temporal", f"--db-filename={home}/temporal.db"], stdin=subprocess.PIPE)
    conductor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)", "-m", "gameday", "worker"])
    try:
        beat = json.loads((journal.root / ".watchdog").read_bytes())
        expected = {
            beat["pid"]: "gameday's watchdog",
            temporal.pid: "the Temporal server that gameday brought up",
            conductor.pid: "a process of gameday",
            os.getpid(): "an ancestor of gameday's agent",
            os.getppid(): "an ancestor of gameday's agent",
        }
        for pid, what in expected.items():
            (tmp_path / "pid").write_text(str(pid))
            target = resolve(Target(host="local", pid_file=str(tmp_path / "pid")), "local", HostSettings())
            (problem,) = refuses_own_processes(target, home)
            assert what in problem and f"pid {pid}" in problem
        found = "\n".join(refuses_own_processes(resolve(Target(host="local", process=me), "local", HostSettings()), home))
        assert f"pid {os.getpid()} is an ancestor" in found, "what is found by name is refused too, and not left out in silence"
    finally:
        watchdog.dismiss(journal.root)
        for process in (temporal, conductor):
            process.kill()
            process.communicate()


def test_an_old_pid_file_that_names_another_process_by_now_is_no_successor(tmp_path: Path) -> None:
    gone, stranger = subprocess.Popen(["sleep", "1000"]), subprocess.Popen(["tail", "-f", "/dev/null"])
    file = tmp_path / "service.pid"
    file.write_text(str(gone.pid))
    step = Kill(gone.pid, processes.born(gone.pid), "SIGKILL", ("true",), ("pid_file", str(file)))
    hands = JournaledHands(None, lambda: None)
    undo = step.capture(hands)
    written = file.stat()
    try:
        gone.kill()
        gone.wait()
        file.write_text(str(stranger.pid))
        os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))  # as if the stranger had been given the old pid
        assert step.read(undo, hands).state is State.APPLIED
        file.write_text(str(stranger.pid))
        assert step.read(undo, hands).state is State.GONE, "a pid file that was written since names the successor"
    finally:
        stranger.kill()
        stranger.wait()
