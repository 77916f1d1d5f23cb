"""One operation on the journal, in a process of its own, which the watchdog may kill. Standard library only.

Reads requests from its standard input, each a line of JSON, and answers each with a line on its standard output. Warm and waiting until then.

    {"op": "inject", "order": {…}, "steps": […]}     → {"status": {…}}
    {"op": "revert", "reasons": {fault: why, …}}     → {"statuses": […]}
    {"op": "renew",  "faults": […]}                  → {"statuses": […]}
    {"op": "check",  "faults": […]}                  → {"statuses": […]}

An error is answered as {"error": <class name>, "message": …}.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from activities import engine, watchdog
from activities.failpoints import failpoint
from activities.journal import Journal, Order
from activities.steps.step import from_json
from gameday.errors import GamedayError

WATCHDOG_SILENT = 1.0
"""Seconds without an acknowledgement after which the watchdog is looked for."""


def perform(journal: Journal, request: dict[str, Any]) -> dict[str, Any]:
    """Carries out one request."""
    if request["op"] == "inject":
        steps = [from_json(step) for step in request["steps"]]
        status = engine.inject(journal, Order(**request["order"]), steps, _Waker(journal.root).poke)
        failpoint("after_inject")
        return {"status": status}
    if request["op"] == "revert":
        reasons: dict[str, str] = request["reasons"]
        return {"statuses": [_guarded(partial(engine.revert, journal, fault_id, why, "reverted"), fault_id) for fault_id, why in reasons.items()]}
    each = {"renew": engine.renew, "check": engine.check}[request["op"]]
    return {"statuses": [_guarded(partial(each, journal, fault_id), fault_id) for fault_id in request["faults"]]}


class _Waker:
    """Wakes the watchdog; one that has just left, since there was nothing to watch, is started again."""

    def __init__(self, root: Path) -> None:
        self._root, self._since, self._started = root, time.monotonic(), False

    def poke(self) -> None:
        if not self._started and time.monotonic() - self._since > WATCHDOG_SILENT:
            self._started = True
            watchdog.ensure(self._root.parent)
        watchdog.poke(self._root)


def _guarded(work: Callable[[], engine.Status], fault_id: str) -> dict[str, Any]:
    """One fault's trouble is its own: the others of the batch go on."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # see above
        return {**engine.bare_status(fault_id, None, "", state="reverting"), "problems": [str(error)[:900]]}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the agent, which reverts in order
    journal = Journal.at(Path(sys.argv[1]))
    while line := sys.stdin.readline():
        try:
            answer = perform(journal, json.loads(line))
        except (GamedayError, OSError, KeyError, TypeError, ValueError) as error:
            answer = {"error": type(error).__name__, "message": str(error)[:900]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
