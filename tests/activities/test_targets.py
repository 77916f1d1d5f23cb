"""Finding targets: by unit, by name, by pid file; and gameday's own processes are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities import watchdog
from activities.journal import Journal
from activities.steps import processes
from activities.targets import ProcessFacts, refuses_own_processes, resolve
from gameday.errors import NotFound
from gameday.playbook import Target
from gameday.settings import HostSettings
from tests.activities.injectors.test_process_pause import Sleeper
from tests.rigs.lab import rig


def test_a_process_is_found_by_its_systemd_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the members of the unit's cgroup, as the kernel lists them; a main process that has gone is none."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    with rig(Sleeper, tmp_path / "rig") as target:
        members = tmp_path / "system.slice" / "shop.service" / "cgroup.procs"
        members.parent.mkdir(parents=True)
        members.write_text(f"{target.process.pid}\n{gone.pid}\n")
        monkeypatch.setattr(processes, "SYSTEM_SLICES", (tmp_path / "nowhere", tmp_path / "system.slice"))
        found = resolve(Target(host="local", unit="shop"), "local", HostSettings())
        assert [process.pid for process in ProcessFacts.of(found).processes] == [target.process.pid]
        with pytest.raises(NotFound, match=r"by unit bar\.service"):
            resolve(Target(host="local", unit="bar.service"), "local", HostSettings())


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
