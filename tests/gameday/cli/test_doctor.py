"""The doctor tries each target that the settings name, changes nothing, and is kept by none of them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.cli.diagnosis import Finding
from gameday.cli.doctor_queues import _finding
from gameday.cli.doctor_targets import targets
from gameday.settings import CommandSettings, EnvoySettings, HostSettings, ProcessSettings, Settings
from tests.activities.injectors.test_http_fault import Gateway
from tests.rigs.lab import rig
from worker.polling import Polled

Gameday = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"])
    (tmp_path / "sleeper.pid").write_text(f"{process.pid}\n")
    yield process
    process.kill()
    process.wait()


def tried(**things: Any) -> Finding:
    """What is found of one target on this host."""
    commands = things.pop("commands", {})
    (found,) = targets(Settings(hosts={"local": HostSettings(**things)}, commands=commands))
    return found


def process(**how: Any) -> Finding:
    return tried(processes={"ledger": ProcessSettings(**how)})


def test_a_process_that_runs_says_which_and_how_it_is_found(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    found = process(pid_file=f"{tmp_path}/sleeper.pid", restart=("sleep", "1000"))
    assert found == Finding("ok", "process", f"ledger runs (pid {sleeper.pid}), found by its pid file {tmp_path}/sleeper.pid")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4194399", "its pid file {} says pid 4194399, and there is no such process"),
        ("", "its pid file {} holds no pid"),
        ("ledger", "its pid file {} holds no pid"),
        (None, "its pid file {} cannot be read (No such file or directory)"),
    ],
)
def test_a_process_that_does_not_run_says_why_it_was_not_found(tmp_path: Path, text: str | None, why: str) -> None:
    pid_file = tmp_path / "ledger.pid"
    if text is not None:
        pid_file.write_text(text)
    found = process(pid_file=str(pid_file))
    assert (found.verdict, found.found) == ("no", f"ledger does not run: {why.format(pid_file)}")
    assert "[hosts.local.processes.ledger]" in found.advice


def test_a_process_by_name_or_unit_is_looked_for_by_it() -> None:
    assert process(name="no-such-name-at-all").found == "ledger does not run: no process is called no-such-name-at-all"
    assert process(unit="no-such.service").found == "ledger does not run: its unit no-such.service has no process"
    assert tried(processes={"no-such-name": ProcessSettings()}).found == "no-such-name does not run: no process is called no-such-name"


def test_a_process_that_could_not_be_started_again_is_half_a_target(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    found = process(pid_file=f"{tmp_path}/sleeper.pid", restart=("no-such-program",))
    assert found.verdict == "part"
    assert found.found.endswith("but it could not be started again: there is no program no-such-program on PATH")


def test_a_process_of_another_user_is_half_a_target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    def refused(pid: int, number: int) -> None:
        assert (pid, number) == (sleeper.pid, 0), "nothing is ever signalled"
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr("os.kill", refused)
        found = process(pid_file=f"{tmp_path}/sleeper.pid")
    assert (found.verdict, found.found.endswith("and this user may not signal it")) == ("part", True)


def envoy(admin: str) -> Finding:
    return tried(envoys={"edge": EnvoySettings(admin=admin)})


def test_an_envoy_that_answers_can_be_set(tmp_path: Path) -> None:
    with rig(Gateway, tmp_path) as gateway:
        before = gateway.look()
        assert envoy(gateway.admin) == Finding("ok", "envoy", f"edge answers at {gateway.admin}, and its runtime can be set")
        assert gateway.look() == before


def test_an_envoy_that_is_not_there_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = envoy(f"127.0.0.1:{unused.getsockname()[1]}")
    assert (found.verdict, "does not answer" in found.found) == ("no", True)
    assert found.advice == "start it, or correct `admin` in [hosts.local.envoys.edge]"


def command(tmp_path: Path, **argv: tuple[str, ...]) -> Finding:
    parts = dict.fromkeys(("do", "undo", "check"), ("touch", f"{tmp_path}/it-was-run")) | argv
    found = tried(commands={"lamp": CommandSettings.model_validate({**parts, "arguments": {"what": {}}})})
    assert not (tmp_path / "it-was-run").exists()
    return found


def test_a_command_is_looked_for_and_never_run(tmp_path: Path) -> None:
    assert command(tmp_path) == Finding("ok", "command", "lamp: what it does, undoes and reads back with is there (touch)")


def test_undo_and_read_back_are_looked_for_too(tmp_path: Path) -> None:
    (tmp_path / "undo").write_text("#!/bin/sh\n")
    found = command(tmp_path, undo=(f"{tmp_path}/undo",), check=("no-such-program", "{what}"))
    assert found.verdict == "no"
    assert found.found == f"lamp: `undo`: {tmp_path}/undo is not executable; `check`: there is no program no-such-program on PATH"
    assert command(tmp_path, do=(f"{tmp_path}/do",)).found == f"lamp: `do`: there is no program {tmp_path}/do"


def test_a_program_that_an_argument_chooses_cannot_be_looked_for(tmp_path: Path) -> None:
    assert command(tmp_path, do=("/opt/{what}",)).verdict == "part"


def test_without_any_target_there_is_one_line() -> None:
    (found,) = targets(Settings())
    assert (found.verdict, found.found) == ("ok", "on local the settings name nothing; a process is found by its own name too")


@contextlib.contextmanager
def dripping() -> Iterator[int]:
    """A server that answers a byte now and then, without an end: no time-out of one reading ever strikes."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as over:
        server.settimeout(20)
        ended = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                asks, _ = server.accept()
                with asks:
                    asks.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while not ended.wait(0.2):
                        asks.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        over.callback(thread.join)
        over.callback(ended.set)
        yield server.getsockname()[1]


def test_a_target_that_hangs_keeps_neither_the_others_nor_the_doctor(
    empty_home: Path, tmp_path: Path, gameday: Gameday, sleeper: subprocess.Popen[bytes]
) -> None:
    os.mkfifo(tmp_path / "hanging.pid")
    settings = tmp_path / "settings.toml"
    with dripping() as port:
        settings.write_text(
            f"[hosts.local.processes.hangs]\npid_file = '{tmp_path}/hanging.pid'\n"
            f"[hosts.local.processes.sleeper]\npid_file = '{tmp_path}/sleeper.pid'\n"
            f"[hosts.local.envoys.drips]\nadmin = '127.0.0.1:{port}'\n"
        )
        done = gameday("doctor", "--json", GAMEDAY_SETTINGS=str(settings))
    told = [(each["about"], each["verdict"], each["found"]) for each in json.loads(done.stdout) if each["about"] in ("process", "envoy")]
    assert [each[:2] for each in told] == [("process", "no"), ("process", "ok"), ("envoy", "no")]
    assert told[0][2] == "hangs: no answer within 3 s"
    assert told[2][2] == "drips: no answer within 3 s"
    assert done.returncode == 0, "a target is not what every run needs"


def test_a_temporal_that_takes_the_connection_and_says_nothing_is_named(empty_home: Path, gameday: Gameday) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = gameday("doctor", "--json", TEMPORAL_ADDRESS=f"127.0.0.1:{server.getsockname()[1]}")
    found = {each["about"]: each for each in json.loads(done.stdout)}
    assert (done.returncode, found["Temporal"]["verdict"]) == (1, "no")
    assert "it takes the connection and says nothing" in found["Temporal"]["found"]
    assert "conductor" not in found


HERE = Settings(host="shop-1", hosts={"shop-1": HostSettings(), "shop-2": HostSettings()})


@pytest.mark.parametrize(
    ("about", "host", "ago", "verdict", "found", "advice"),
    [
        ("conductor", "", (2, 40), "ok", "takes work (7@vm, heard 2 s ago)", ""),
        (
            "conductor",
            "",
            (None, None),
            "no",
            "nobody takes work: no run could begin",
            "start `gameday worker`",
        ),
        (
            "agent",
            "shop-1",
            (None, 130),
            "no",
            "shop-1: nobody takes work, the last was 7@vm, heard 2 min 10 s ago: no fault could be put on there",
            "start `GAMEDAY_HOST=shop-1 gameday agent`",
        ),
        (
            "agent",
            "shop-2",
            (3, 200),
            "part",
            "shop-2: nobody takes reverts (7@vm, heard 3 s ago)",
            "it may be starting or stopping; else start `GAMEDAY_HOST=shop-2 gameday agent` on shop-2 again",
        ),
    ],
)
def test_who_polls_is_said_with_when_they_were_heard(
    about: str, host: str, ago: tuple[float | None, float | None], verdict: str, found: str, advice: str
) -> None:
    polled = [Polled("7@vm" if each is not None else "", each) for each in ago]
    assert _finding(about, host, HERE, polled) == Finding(verdict, about, found, advice)


def test_who_polls_cannot_always_be_known() -> None:
    found = _finding("agent", "shop-1", HERE, [Polled(trouble="Namespace shop is not found."), Polled()])
    assert (found.verdict, found.found) == ("part", "shop-1: cannot be known (Namespace shop is not found.)")
