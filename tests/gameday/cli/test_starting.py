"""What starts a run: its answers, and a Ctrl-C that comes before anybody follows the run."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.cli.starting import Starter
from gameday.errors import BadInput, Unavailable
from tests.gameday.cli.told import plan_of

SAYS = "import sys; sys.stdin.readline(); print(sys.argv[1], flush=True)"
SAYS_LATER = """
import os, sys, time
sys.stdin.readline()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
print(sys.argv[1], flush=True)
"""


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


def interrupt_then(go: Path) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    go.touch()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ('{"error": "TEMPORAL_TLS is no switch", "bad_input": true}', BadInput("TEMPORAL_TLS is no switch")),
        ('{"error": "Temporal does not answer", "bad_input": false}', Unavailable("Temporal does not answer")),
        ("Traceback", Unavailable("what starts the run has ended by itself; `gameday runs` tells whether 7kq2-checkout-day was started")),
        ("", Unavailable("what starts the run has ended by itself; `gameday runs` tells whether 7kq2-checkout-day was started")),
    ],
)
def test_what_goes_wrong_is_said_as_if_it_had_gone_wrong_here(tmp_path: Path, said: str, error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        started(tmp_path, SAYS, said)
    assert str(raised.value) == str(error)


def test_a_ctrl_c_before_the_answer_is_kept_for_whoever_follows(tmp_path: Path) -> None:
    threading.Timer(0.1, interrupt_then, [tmp_path / "go"]).start()
    assert started(tmp_path, SAYS_LATER, '{"started": true}', str(tmp_path / "go")) == (True, 1)


def test_where_nothing_was_started_a_ctrl_c_is_one(tmp_path: Path) -> None:
    threading.Timer(0.1, interrupt_then, [tmp_path / "go"]).start()
    with pytest.raises(KeyboardInterrupt):
        started(tmp_path, SAYS_LATER, '{"started": false}', str(tmp_path / "go"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
