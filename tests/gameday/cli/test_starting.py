"""What starts a run: its answers, and a Ctrl-C that comes before anybody follows the run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gameday.cli.starting import PROGRAM, Starter
from gameday.errors import BadInput, Unavailable
from tests.gameday.cli.told import plan_of
from tests.rigs.lab import until

SAYS = "import sys; sys.stdin.readline(); print(sys.argv[1], flush=True)"
SAYS_LATER = """
import os, sys, time
sys.stdin.readline()
open(sys.argv[2] + ".asked", "w").close()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
print(sys.argv[1], flush=True)
"""
NEVER_SAYS = """
import sys, time
sys.stdin.readline()
open(sys.argv[1] + ".asked", "w").close()
time.sleep(1000)
"""
UNSURE = "nobody can say whether 7kq2-checkout-day has begun; `gameday abort 7kq2-checkout-day` makes sure that it does not go on"


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Once a run has begun, they stay for whoever follows it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, action in before.items():
        signal.signal(number, action)


def started(tmp_path: Path, program: str, *words: str) -> tuple[bool, int]:
    """Whether it was started, and how many Ctrl-Cs were kept."""
    with Starter([sys.executable, "-c", program, *words]) as starter:
        return starter.start(tmp_path, plan_of()), starter.interrupts


@contextmanager
def interrupting(go: Path, times: int = 1) -> Iterator[None]:
    """Ctrl-C, so many times, once the start has been asked for; then it may answer."""

    def interrupt() -> None:
        until(lambda: Path(f"{go}.asked").exists())
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # one by one: signals of one kind that wait together are one
        go.touch()

    thread = threading.Thread(target=interrupt)
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ('{"error": "TEMPORAL_TLS is no switch", "bad_input": true}', BadInput("TEMPORAL_TLS is no switch")),
        ('{"error": "Temporal does not answer", "bad_input": false}', Unavailable("Temporal does not answer")),
        ("Traceback", Unavailable(UNSURE)),
        ("", Unavailable(UNSURE)),
    ],
)
def test_what_goes_wrong_is_said_as_if_it_had_gone_wrong_here(tmp_path: Path, said: str, error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        started(tmp_path, SAYS, said)
    assert str(raised.value) == str(error)


def test_a_ctrl_c_before_the_answer_is_kept_for_whoever_follows(tmp_path: Path) -> None:
    with interrupting(tmp_path / "go"):
        assert started(tmp_path, SAYS_LATER, '{"started": true}', str(tmp_path / "go")) == (True, 1)


def test_a_second_ctrl_c_does_not_wait_for_a_start_that_never_answers(tmp_path: Path) -> None:
    with interrupting(tmp_path / "go", times=2), pytest.raises(Unavailable) as raised:
        started(tmp_path, NEVER_SAYS, str(tmp_path / "go"))
    assert str(raised.value) == UNSURE


def test_what_starts_runs_starts_none_for_a_command_that_is_gone(tmp_path: Path) -> None:
    """It still tries to connect when the command is killed: to a server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "TEMPORAL_ADDRESS": address})
        assert process.stdin is not None
        process.stdin.write(json.dumps({"home": str(tmp_path), "run": {}}).encode() + b"\n")
        process.stdin.flush()
        with silent.accept()[0]:
            assert process.poll() is None
            assert process.communicate(timeout=60)[0] == b"", "its input ends, and it goes without a word"
        assert process.returncode == 0


def test_where_nothing_was_started_a_ctrl_c_is_one(tmp_path: Path) -> None:
    with interrupting(tmp_path / "go"), pytest.raises(KeyboardInterrupt):
        started(tmp_path, SAYS_LATER, '{"started": false}', str(tmp_path / "go"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
