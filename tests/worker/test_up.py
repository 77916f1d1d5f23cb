"""`gameday up` and `gameday run` as a user starts them: one tree of processes, which leaves nothing behind however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from activities.journal import Journal
from activities.store import RunStore
from gameday.errors import NotFound
from tests.rigs.lab import until
from tests.rigs.town import DAY, ROOT
from worker import connection

pytestmark = pytest.mark.timeout(180)


class House:
    """A home in which `gameday` is started as a user would, and a sleeper that it may freeze."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        self.sleeper = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        (home / "sleeper.pid").write_text(str(self.sleeper.pid))
        self.started: list[subprocess.Popen[str]] = []

    def gameday(self, *words: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        with (self.home / "said.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gameday", *words],
                cwd=ROOT,
                env=environment | {"GAMEDAY_HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def playbook(self, length: str) -> str:
        path = self.home / "day.yaml"
        text = DAY.replace("PIDFILE", str(self.home / "sleeper.pid")).replace("LENGTH", length).replace("GATE", "off")
        path.write_text(text.replace("up: {tcp: {host: 127.0.0.1, port: PORT, measure: ok}}", f"up: {{process: {{pid_file: {self.home}/own.pid}}}}"))
        (self.home / "own.pid").write_text(str(os.getpid()))
        return str(path)

    @property
    def is_frozen(self) -> bool:
        return Path(f"/proc/{self.sleeper.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    def has_ended(self, run_id: str) -> bool:
        """As the store has it; what a process that was stopped still had in its spool is written by the next."""
        with contextlib.suppress(NotFound):
            return RunStore(f"sqlite:///{self.home}/gameday.db").read(run_id).ended is not None
        return False

    def is_up(self) -> bool:
        return connection.embedded(self.home) is not None

    def pids(self, said: str) -> list[int]:
        """The processes of this home whose command line says this."""
        return [pid for pid, words in self._processes() if said in words]

    def processes(self) -> list[str]:
        """Every process of gameday or Temporal that belongs to this home."""
        return [words for _, words in self._processes()]

    def _processes(self) -> list[tuple[int, str]]:
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            words = " ".join(process.info["cmdline"] or ())
            if str(self.home) in words or (process.info["environ"] or {}).get("GAMEDAY_HOME") == str(self.home):
                found.append((process.pid, words))
        return found

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        until(lambda: not self.processes(), 60)
        self.sleeper.kill()
        self.sleeper.wait()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path / "home")
    yield built
    built.close()


def test_ctrl_c_stops_the_whole_tree_after_reverting_and_a_second_run_finds_yesterday(house: House) -> None:
    up = house.gameday("up")
    until(house.is_up, 60)
    second = house.gameday("up")
    assert second.wait(60) == 5, "only one tree a home"
    started = house.gameday("run", house.playbook("60s"), "--detach", "--json")
    run_id = json.loads(started.communicate(timeout=90)[0])["run"]
    until(lambda: house.is_frozen, 60)
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    assert not house.is_frozen and not Journal.at(house.home).live()
    until(lambda: not house.processes(), 30)
    house.gameday("up")
    until(lambda: house.has_ended(run_id), 90)
    assert not house.is_frozen, "what its host took off is not put on again"


def test_ctrl_c_in_run_aborts_and_waits_for_the_proof(house: House) -> None:
    run = house.gameday("run", house.playbook("60s"), "--approve", "auto")
    until(lambda: house.is_frozen, 90)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=90)
    assert run.returncode == 3
    assert not house.is_frozen and not Journal.at(house.home).live()
    assert "nothing is left behind: 1 fault, 1 reverted, 0 dirty" in said
    assert Path(said.strip().splitlines()[-1].split()[-1]).is_file(), "the last line is the report's path"
    until(lambda: not house.processes(), 30)


def test_the_tree_is_killed_with_its_holder_and_leaves_nothing(house: House) -> None:
    up = house.gameday("up")
    until(house.is_up, 60)
    started = house.gameday("run", house.playbook("60s"), "--detach", "--json")
    started.communicate(timeout=90)
    until(lambda: house.is_frozen, 60)
    up.kill()
    until(lambda: not house.is_frozen and not Journal.at(house.home).live(), 40)
    until(lambda: not house.processes(), 60)


def test_a_child_that_is_killed_is_started_again(house: House) -> None:
    """Conductor, agent and server, one after the other, with a fault on: it comes off, and its run ends with a report."""
    house.gameday("up")
    until(house.is_up, 60)
    started = house.gameday("run", house.playbook("60s"), "--detach", "--json")
    run_id = json.loads(started.communicate(timeout=90)[0])["run"]
    until(lambda: house.is_frozen, 60)
    for name in ("gameday worker", "gameday agent", "start-dev"):
        (before,) = house.pids(name)
        os.kill(before, signal.SIGKILL)
        until(lambda: bool(house.pids(name)) and house.pids(name) != [before], 30)  # noqa: B023
    aborted = house.gameday("abort", run_id, "-r", "seen enough")
    said, _ = aborted.communicate(timeout=60)
    assert aborted.returncode == 0, said
    until(lambda: not house.is_frozen and not Journal.at(house.home).live(), 60)
    until(lambda: house.has_ended(run_id), 90)
    until((house.home / "runs" / run_id / "postmortem.md").is_file, 30)


def test_a_run_whose_watcher_is_killed_goes_on_to_its_end(house: House) -> None:
    run = house.gameday("run", house.playbook("3s"), "--approve", "auto")
    until(lambda: house.is_frozen, 90)
    run.kill()
    until(lambda: not house.is_frozen and not Journal.at(house.home).live(), 40)
    store = RunStore(f"sqlite:///{house.home}/gameday.db")
    until(lambda: bool(store.list()) and store.list()[0].outcome == "passed", 60)
