"""Finding targets: by unit, by name, by pid file; and gameday's own processes are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities import watchdog
from activities.hands import JournaledHands
from activities.injectors.injector import Host
from activities.injectors.process_kill import ProcessKill
from activities.journal import Journal
from activities.steps import processes
from activities.targets import ProcessFacts, refuses_own_processes, refuses_servers, resolve
from gameday.errors import NotFound
from gameday.playbook import Target
from gameday.settings import HostSettings
from tests.activities.injectors.test_process_pause import Sleeper
from tests.rigs.lab import rig, until


def test_a_process_is_found_by_its_systemd_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the members of the unit's cgroup, as the kernel lists them; a main process that has gone is none."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    with rig(Sleeper, tmp_path / "rig") as target:
        members = tmp_path / "system.slice" / "shop.service" / "cgroup.procs"
        members.parent.mkdir(parents=True)
        members.write_text(f"{target.process.pid}\n{gone.pid}\n")
        monkeypatch.setattr(processes, "CGROUPS", (tmp_path / "nowhere", tmp_path))
        found = resolve(Target(host="local", unit="shop"), "local", HostSettings())
        assert [process.pid for process in ProcessFacts.of(found).processes] == [target.process.pid]
        with pytest.raises(NotFound, match=r"by unit bar\.service"):
            resolve(Target(host="local", unit="bar.service"), "local", HostSettings())


def test_a_unit_is_found_in_any_slice_with_all_that_is_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template's instance has a slice of its own; a unit may have cgroups below it. A user's or a container's unit of that name is another."""
    monkeypatch.setattr(processes, "CGROUPS", (tmp_path,))
    unit = "system.slice/system-shop.slice/shop@1.service"
    others = ("user.slice/user-1000.slice/user@1000.service/app.slice/shop@1.service", "system.slice/docker-1.scope/system.slice/shop@1.service")
    workers = [subprocess.Popen(["sleep", "1000"]) for _ in range(4)]
    try:
        for folder, worker in zip((unit, f"{unit}/pool/one", *others), workers, strict=True):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "cgroup.procs").write_text(f"{worker.pid}\n")
        found = resolve(Target(host="local", unit="shop@1"), "local", HostSettings())
        assert [process.pid for process in ProcessFacts.of(found).processes] == [worker.pid for worker in workers[:2]]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def test_a_unit_is_killed_as_it_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process of it, and nothing that has joined it since: that was not approved."""
    monkeypatch.setattr(processes, "CGROUPS", (tmp_path,))
    members = tmp_path / "system.slice" / "shop.service" / "cgroup.procs"
    members.parent.mkdir(parents=True)
    workers = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]
    try:
        members.write_text(f"{workers[0].pid}\n{workers[1].pid}\n")
        found = resolve(Target(host="local", unit="shop"), "local", HostSettings())
        members.write_text("\n".join(str(worker.pid) for worker in workers))
        steps = ProcessKill().steps(ProcessKill.Params(), found, Host("local", HostSettings(), {}, tmp_path))
        for step in steps:
            hands = JournaledHands(tmp_path, lambda: None)
            step.apply(step.capture(hands), hands)
        until(lambda: all(worker.poll() is not None for worker in workers[:2]))
        assert workers[2].poll() is None
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


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


def test_what_answers_where_the_day_is_ended_or_told_of_others_is_not_a_target(tmp_path: Path) -> None:
    listening = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); time.sleep(120)"
    with subprocess.Popen([sys.executable, "-c", listening], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            (tmp_path / "pid").write_text(str(process.pid))
            target = resolve(Target(host="local", pid_file=str(tmp_path / "pid")), "local", HostSettings())
            for server in (f"127.0.0.1:{port}", f"localhost:{port}"):
                (said,) = refuses_servers(target, [server, "127.0.0.1:1"])
                assert f"pid {process.pid} answers at {server}" in said
            assert not list(refuses_servers(target, [f"192.0.2.1:{port}", "no.such.host.invalid:1", f"127.0.0.1:{port + 1}", "nonsense"]))
        finally:
            process.kill()
