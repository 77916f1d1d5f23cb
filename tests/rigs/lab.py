"""A laboratory for faults: real targets to break, and a host side that can be killed at any line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from activities import kinds
from activities.bare import bare_environment, bare_python
from activities.injectors.injector import Host
from activities.journal import Journal
from activities.steps import processes
from activities.steps.step import to_json
from activities.targets import resolve
from demo.proxy import find_envoy
from gameday.playbook import Target
from gameday.settings import CommandSettings, EnvoySettings, HostSettings, ProcessSettings

PAST_EVERY_LEASE = 10_000.0


class Lab:
    """The host side under test, in processes that the tests may lose."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.journal = Journal.at(home)
        environment = bare_environment() | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}
        argv = [*bare_python("tests.rigs.crash_lab"), str(home)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def forget(self) -> None:
        """Empties the journal, so that every round executes the same lines."""
        self.journal.prune(older_than=-60.0)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


class Rig(ABC):
    """A real target of one kind of fault: how it is ordered, and how it looks to its users."""

    kind: str
    params: ClassVar[dict[str, Any]] = {}
    leaves: str = "as it was"
    """What a revert leaves: `as it was`, or `spent` for a momentary fault."""
    bad_params: tuple[dict[str, Any], ...] = ({"no_such": 1},)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def settings(self) -> HostSettings:
        """What the host's settings say."""

    def commands(self) -> dict[str, CommandSettings]:
        return {}

    @abstractmethod
    def on(self) -> Target:
        """The target as a playbook names it."""

    @abstractmethod
    def look(self) -> object:
        """How the target is now, told by its own means and not by gameday's."""

    def renew(self) -> None:  # noqa: B027  # most are whole already
        """Makes the target whole again where a fault has used it up."""

    @abstractmethod
    def close(self) -> None:
        """Takes the target away."""

    @property
    def host(self) -> Host:
        return Host("local", self.settings(), self.commands(), Path("/nowhere"))

    def order(self, fault_id: str, lease: float = 60.0) -> dict[str, Any]:
        """The request that injects this fault."""
        cls = kinds.injectors()[self.kind]
        target = resolve(self.on(), "local", self.settings())
        steps = cls().steps(cls.Params.model_validate(self.params), target, self.host)
        order = {"fault_id": fault_id, "run_id": "run", "name": "fault", "kind": self.kind, "label": target.label, "lease": lease, "cap": 600.0}
        return {"op": "inject", "order": order, "steps": [to_json(step) for step in steps]}


class Sleeper(Rig):
    """A process that can be paused."""

    kind = "process.pause"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.process = subprocess.Popen(["sleep", "1000"], start_new_session=True)

    def settings(self) -> HostSettings:
        return HostSettings()

    def on(self) -> Target:
        pid_file = self.folder / "sleeper.pid"
        pid_file.write_text(str(self.process.pid))
        return Target(host="local", pid_file=str(pid_file))

    def look(self) -> object:
        return "stopped" if Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T" else "running"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Service(Rig):
    """A process with a pid file that its restart command starts again, and that may be killed."""

    kind = "process.kill"
    params: ClassVar[dict[str, Any]] = {"restart": True}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pid_file = folder / "service.pid"
        self.program = folder / "service"
        lines = ("import os, time", f"file = {str(self.pid_file)!r}", "part = open(file + '.part', 'w')", "part.write(str(os.getpid()))")
        lines += ("part.close()", "os.rename(file + '.part', file)", "time.sleep(1000)")
        self.program.write_text("\n".join((f"#!{sys.executable} -S", *lines)) + "\n")
        self.program.chmod(0o700)
        self.renew()

    def settings(self) -> HostSettings:
        known = ProcessSettings(pid_file=str(self.pid_file), restart=(str(self.program),))
        return HostSettings(processes={"service": known})

    def on(self) -> Target:
        return Target(host="local", process="service")

    def look(self) -> object:
        return "running" if processes.find(pid_file=str(self.pid_file)) else "gone"

    def renew(self) -> None:
        if self.look() == "gone":
            subprocess.run(["setsid", "--fork", str(self.program)], check=True)
            _until(lambda: self.look() == "running")

    def close(self) -> None:
        for pid in processes.find(pid_file=str(self.pid_file)):
            os.kill(pid, signal.SIGKILL)


class Mortal(Service):
    """The same, killed without a restart: momentary."""

    params: ClassVar[dict[str, Any]] = {}
    leaves = "spent"

    def settings(self) -> HostSettings:
        return HostSettings(processes={"service": ProcessSettings(pid_file=str(self.pid_file))})


class Switch(Rig):
    """A command that the operator allows, which changes two things one after the other: between them it is half done."""

    kind = "command"
    params: ClassVar[dict[str, Any]] = {"name": "flip", "arguments": {"name": "lamp", "level": 3}}
    bad_params = ({"name": "flip; rm"}, {"name": "UPPER"}, {})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.state = folder / "switch"
        self.state.mkdir()
        (self.state / "kept").write_text("not gameday's")
        self._scripts = {
            "do": 'echo "$2" > "$1/$3.a"; sleep 0.02; echo "$2" > "$1/$3.b"',
            "undo": 'rm -f "$1/$3.a" "$1/$3.b"',
            "check": 'test -e "$1/$3.a" && test -e "$1/$3.b" || exit 1',
        }
        for name, text in self._scripts.items():
            path = folder / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o700)

    def settings(self) -> HostSettings:
        return HostSettings()

    def commands(self) -> dict[str, CommandSettings]:
        words = [str(self.state), "{level}", "{name}"]
        argv = {name: (str(self.folder / name), *words) for name in self._scripts}
        arguments = {"name": {"type": "name"}, "level": {"type": "integer", "min": 1, "max": 5}}
        return {"flip": CommandSettings.model_validate({**argv, "arguments": arguments, "timeout": "5s"})}

    def on(self) -> Target:
        return Target(host="local")

    def look(self) -> object:
        return sorted(path.name for path in self.state.iterdir())

    def close(self) -> None:
        shutil.rmtree(self.state)


class Gateway(Rig):
    """A real Envoy, whose runtime has an override that is not gameday's."""

    kind = "http.fault"
    params: ClassVar[dict[str, Any]] = {"delay": "300ms", "abort": 503, "percent": 50}
    bad_params = ({}, {"delay": "0s"}, {"abort": 200}, {"delay": "1s", "percent": 0})

    def __init__(self, folder: Path) -> None:
        program = find_envoy()
        if program is None:
            pytest.skip("no Envoy wheel for this kind of machine")
        super().__init__(folder)
        config = folder / "envoy.yaml"
        config.write_text(
            "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n"
            "layered_runtime: {layers: [{name: static, static_layer: {}}, {name: admin, admin_layer: {}}]}\n"
        )
        address = folder / "address"
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "off"]
        self.process = subprocess.Popen([str(program), "-c", str(config), "--admin-address-path", str(address), *options])
        _until(lambda: address.exists() and ":" in address.read_text())
        self.admin = address.read_text()
        self._ask("POST", "/runtime_modify?fault.http.abort.http_status=500&somebody.elses=1")

    def _ask(self, method: str, path: str) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(f"http://{self.admin}{path}", method=method), timeout=5) as answer:
            body: bytes = answer.read()
        return body

    def settings(self) -> HostSettings:
        return HostSettings(envoys={"gateway": EnvoySettings(admin=self.admin)})

    def on(self) -> Target:
        return Target(host="local", envoy="gateway")

    def look(self) -> object:
        entries = json.loads(self._ask("GET", "/runtime?format=json"))["entries"]
        return {key: entry["final_value"] for key, entry in entries.items() if entry["final_value"]}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


RIGS: dict[str, type[Rig]] = {"pause": Sleeper, "kill and restart": Service, "kill": Mortal, "command": Switch, "http": Gateway}


def _until(holds: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the rig did not come up"
        time.sleep(0.005)


until = _until


@contextmanager
def rig(name: str, folder: Path) -> Iterator[Rig]:
    """A target that is there for the time of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    built = RIGS[name](folder)
    try:
        yield built
    finally:
        built.close()


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    built = Lab(folder / "home")
    try:
        yield built
    finally:
        built.close()
        shutil.rmtree(folder / "home", ignore_errors=True)
