"""Linus, a responder who is played by the demo: he writes down what he sees, with the command that anyone would use."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Seconds after the first inject, and what he says then. The second scenario has no notes: there people are quick to abort.
SAYS = (
    (4.0, ("note", "latest", "checkout sells on trust: the ledger does not answer")),
    (9.0, ("note", "latest", "orders kept coming in all the time", "--about", "went-well")),
    (9.5, ("note", "latest", "nobody would have seen the queue fill up without this board", "--about", "lucky")),
    (10.0, ("note", "latest", "Alert on the number of unbooked orders", "--about", "action", "--owner", "Linus", "--due", "next Friday")),
)


def play_linus(environment: Mapping[str, str], sees_fault: Callable[[], bool], is_over: Callable[[], bool]) -> None:
    """Plays along in a thread of its own, once there is a fault to be seen; what he cannot say in time is left out."""
    said_by_linus = dict(environment) | {f"GAMEDAY_PEOPLE__{_user()}": "Linus"}
    threading.Thread(target=_play, args=(said_by_linus, sees_fault, is_over), daemon=True).start()


def _play(environment: Mapping[str, str], sees_fault: Callable[[], bool], is_over: Callable[[], bool]) -> None:
    while not sees_fault():
        if is_over():
            return
        time.sleep(0.2)
    began = time.monotonic()
    for at, words in SAYS:
        time.sleep(max(began + at - time.monotonic(), 0))
        if not is_over():
            argv = [sys.executable, "-m", "gameday", *words]
            subprocess.run(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)


def _user() -> str:
    """As gameday names whoever speaks on the command line."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("USER") or f"uid-{os.getuid()}"
