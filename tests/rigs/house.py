"""`gameday up` under test, as a user starts it: one tree of processes in a home of its own, and a sleeper to freeze."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from activities.journal import Journal
from activities.store import RunStore
from gameday.record import RunRecord
from tests.rigs.lab import until
from tests.rigs.town import DAY, ROOT, ended, late, without_temporal
from worker import connection

TREE = {"conductor": "gameday worker", "agent": "gameday agent", "server": "start-dev", "up": "gameday up"}
"""What tells the processes of a tree apart, in their command lines."""


class House:
    """A home in which `gameday` is started as a user would, and a sleeper that it may freeze."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)
        self.sleeper = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        (home / "sleeper.pid").write_text(str(self.sleeper.pid))
        self.journal = Journal.at(home)
        self.environment: dict[str, str] = {}
        self.started: list[subprocess.Popen[str]] = []

    def gameday(self, *words: str) -> subprocess.Popen[str]:
        with (self.home / "said.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gameday", *words],
                cwd=ROOT,
                env=without_temporal() | {"GAMEDAY_HOME": str(self.home), **self.environment},
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

    def begin(self, playbook: str, *words: str) -> str:
        """Starts a run that nobody watches; its id."""
        started = self.gameday("run", playbook, *words, "--approve", "auto", "--detach", "--json")
        said, _ = started.communicate(timeout=90)
        assert started.returncode == 0, said
        return str(json.loads(said)["run"])

    def is_clean(self) -> bool:
        return not self.is_frozen and not self.journal.live()

    def late(self) -> list[str]:
        return late(self.journal)

    def record(self, run_id: str) -> RunRecord:
        """As the store has it; what a process that was stopped still had in its spool is written by the next."""
        return RunStore(f"sqlite:///{self.home}/gameday.db").read(run_id)

    def has_ended(self, run_id: str) -> bool:
        return ended(lambda: self.record(run_id))

    def report(self, run_id: str) -> Path:
        return self.home / "runs" / run_id / "postmortem.md"

    def kill(self, names: Iterable[str]) -> None:
        """Kills processes of the tree (as `TREE` names them), and `watchdog`, all before any of them can be missed."""
        beat = json.loads((self.journal.root / ".watchdog").read_bytes())
        pids = [pid for name in names for pid in ([int(beat["pid"])] if name == "watchdog" else self.pids(TREE[name]))]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

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
