"""The host itself is the trouble: its disk is full, or it was restarted while a fault was on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities import engine, oplock, watchdog
from activities.journal import Journal, Order
from activities.operators import Operators
from activities.steps import processes
from activities.steps.step import from_json
from gameday.errors import Refused
from gameday.settings import Settings
from tests.activities.injectors.test_command import Switch
from tests.activities.injectors.test_process_pause import Sleeper
from tests.rigs.lab import Rig, rig, until
from worker.agent import adopt
from worker.keeper import _renew


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KB that holds a gameday home."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", place], check=False).returncode != 0:
        pytest.skip("kernel: it lets this user mount no file system")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> Path:
    """Fills the file system to its last byte."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return ballast


@pytest.mark.parametrize("kind", [Sleeper, Switch])
async def test_the_journals_disk_is_full(small_disk: Path, tmp_path: Path, kind: type[Rig]) -> None:
    """What is on comes off, with its proof; nothing new is put on, and why is said; with space again all is as before."""
    home = small_disk / "home"
    journal = Journal.at(home)
    watchdog.ensure(home)
    operators = Operators(home)
    try:
        with rig(kind, tmp_path / "rig") as target:
            before = target.look()
            await operators.perform(target.order("f-first"))
            ballast = fill(small_disk)
            (status,) = await operators.revert({"f-first": "its disk is full"})
            assert status["outcome"] == "reverted" and not status.get("problems"), status
            assert target.look() == before and not journal.live()
            fill(small_disk)
            with pytest.raises(Refused, match="nothing is applied that could not be undone"):
                await operators.perform(target.order("f-second"))
            assert target.look() == before and not journal.live()
            ballast.unlink()
            await operators.perform(target.order("f-third"))
            (status,) = await operators.revert({"f-third": "the test is over"})
            assert status["outcome"] == "reverted" and target.look() == before
    finally:
        await operators.close()
        watchdog.dismiss(journal.root)


async def test_a_lease_that_cannot_be_renewed_on_a_full_disk_runs_out(small_disk: Path, tmp_path: Path) -> None:
    """The watchdog needs no space to take a fault off."""
    home = small_disk / "home"
    journal = Journal.at(home)
    watchdog.ensure(home)
    operators = Operators(home)
    try:
        with rig(Sleeper, tmp_path / "rig") as target:
            await operators.perform(target.order("f-alone", lease=1.0))
            fill(small_disk)
            await asyncio.to_thread(until, lambda: target.look() == "running" and not journal.live())
            entry = journal.find("f-alone")
            assert entry is not None and entry.tombstone is not None and entry.tombstone["outcome"] == "expired"
    finally:
        await operators.close()
        watchdog.dismiss(journal.root)


def inject_before_a_restart(journal: Journal, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a fault on as if it were during an earlier boot of this host."""
    with monkeypatch.context() as earlier:
        earlier.setattr(processes, "boot_id", lambda: "00000000-0000-0000-0000-000000000000")
        fields = {**order["order"], "fault_id": "f-before"}
        known = [{**step, "born": step["born"].replace(HERE, processes.boot_id())} if "born" in step else step for step in order["steps"]]
        steps = [from_json(step) for step in known]
        engine.inject(journal, Order(**fields), steps, lambda: [entry.watch() for entry in journal.live()])


HERE = processes.boot_id()


@pytest.mark.parametrize("kind", [Switch, Sleeper])
def test_the_host_was_restarted_during_the_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Rig]) -> None:
    """Files are reverted at the watchdog's start; a process of the earlier boot is gone, and whoever has its pid now is not touched."""
    home = tmp_path / "home"
    journal = Journal.at(home)
    with rig(kind, tmp_path / "rig") as target:
        before = target.look()
        inject_before_a_restart(journal, target.order("f-any"), monkeypatch)
        during = target.look()
        assert during != before
        adopt(Settings(home=home))  # as an agent does first of all
        until(lambda: not journal.live())
        entry = journal.find("f-before")
        assert entry is not None and entry.tombstone is not None
        assert (entry.tombstone["outcome"], entry.tombstone["reason"]) == ("expired", "the host was restarted"), "nobody took it away"
        assert target.look() == (before if kind is Switch else during)
        if isinstance(target, Sleeper):
            target.process.send_signal(18)
    watchdog.dismiss(journal.root)


def test_what_the_watchdog_did_not_outlive_comes_off_at_the_agents_start(tmp_path: Path) -> None:
    """Its lease is not over, and nobody had been there who would have ended it then."""
    home = tmp_path / "home"
    journal = Journal.at(home)
    with rig(Sleeper, tmp_path / "rig") as target:
        order = target.order("f-unwatched", lease=600.0)
        engine.inject(
            journal, Order(**order["order"]), [from_json(step) for step in order["steps"]], lambda: [each.watch() for each in journal.live()]
        )
        assert target.look() == "stopped"
        adopt(Settings(home=home))
        until(lambda: not journal.live())
        entry = journal.find("f-unwatched")
        assert entry is not None and entry.tombstone is not None and target.look() == "running"
        assert (entry.tombstone["outcome"], entry.tombstone["reason"]) == ("reverted", "its watchdog had died, and its agent")
        assert entry.tombstone["active_at"] is not None
    watchdog.dismiss(journal.root)


def test_what_was_asked_to_end_is_not_renewed_and_not_forgotten(tmp_path: Path) -> None:
    """Whoever asked has died, or could not prove it: the watchdog goes on with it, long before the lease would be over."""
    home = tmp_path / "home"
    journal = Journal.at(home)
    with rig(Sleeper, tmp_path / "rig") as target:
        watchdog.ensure(home)
        order = target.order("f-asked", lease=600.0)
        engine.inject(journal, Order(**order["order"]), [from_json(step) for step in order["steps"]], lambda: watchdog.poke(journal.root))
        (entry,) = journal.live()
        entry.end("the scenario is over")
        before = entry.deadline
        _renew([entry])
        assert entry.deadline == before
        until(lambda: not journal.live())
        assert target.look() == "running" and entry.tombstone is not None
        assert (entry.tombstone["outcome"], entry.tombstone["reason"]) == ("reverted", "the scenario is over")
    watchdog.dismiss(journal.root)


def test_a_tombstone_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = Journal.at(home)
    with rig(Sleeper, tmp_path / "rig") as target:
        order = target.order("f-damaged")
        engine.inject(
            journal, Order(**order["order"]), [from_json(step) for step in order["steps"]], lambda: [each.watch() for each in journal.live()]
        )
        (entry,) = journal.live()
        (entry.folder / "tombstone").write_bytes(b"{half")
        assert engine.check(journal, "f-damaged")["outcome"] is None
        assert engine.revert(journal, "f-damaged", "the run is over")["outcome"] == "reverted" and target.look() == "running"


def test_a_holder_that_froze_before_it_could_say_who_it_is_is_killed_and_no_other(tmp_path: Path) -> None:
    """The stamp in the lock is an earlier holder's, who lives and has long let go."""
    path = tmp_path / "lock"
    bystander = subprocess.Popen(["sleep", "1000"])
    path.write_text(json.dumps({"pid": bystander.pid, "born": processes.born(bystander.pid), "at": 0.0}).ljust(oplock.STAMP_BYTES))
    freeze = f"import fcntl, os, signal; fcntl.flock(os.open({str(path)!r}, os.O_RDWR), fcntl.LOCK_EX); os.kill(os.getpid(), signal.SIGSTOP)"
    frozen = subprocess.Popen([sys.executable, "-S", "-c", freeze])
    try:
        until(lambda: oplock.stamp_of_holder(path) is not None and Path(f"/proc/{frozen.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
        with oplock.OperationLock(path, patience=0.2):
            assert frozen.wait(5) == -signal.SIGKILL and bystander.poll() is None
    finally:
        for process in (frozen, bystander):
            process.kill()
            process.wait()
