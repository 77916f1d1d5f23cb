"""Carries out one operation of the host side in a process of its own, and kills it at a chosen line. Standard library only.

Reads requests, a line of JSON each, and answers each with a line; `boundaries` in it says how many were passed.
A request is the operation's own, with

    kill_at   the boundary (counted over engine, steps and journal) at which the process kills itself; absent: never
    die_at    the failpoint at which it kills itself
    ahead     seconds that the boot clock is ahead, to let a lease run out without waiting
    watchdog  true: one look of the watchdog instead of an operation; `kill_at` then counts the boundaries of the revert that it starts
    mutant    the name of a deliberate mistake, to see that it is caught

The lines are found by tracing, so no boundary is listed by hand and none can be forgotten.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import activities
from activities import engine, operation, watchdog
from activities.hands import JournaledHands, _listen
from activities.journal import Journal
from activities.steps import process_signal, processes

ROOM = Path(activities.__file__).parent
TRACED = {str(ROOM / f"{name}.py") for name in ("engine", "journal", "entry", "durable", "hands", "oplock")}
TRACED |= {str(path) for path in (ROOM / "steps").glob("*.py")}


TURNS = 2
"""Of a loop so many turns are told apart; a line that is come to in another way, by other calls, is another one."""
PURE = {"builtins", "_json", "_struct", "_hashlib", "_hmac", "_operator", "_functools", "_collections", "_sre", "itertools", "math", "binascii"}
PURE |= {"time", "mmap"}
"""Modules of C functions that change nothing outside the process. What is not known counts as if it did."""
TIMED = {JournaledHands._await.__code__, _listen.__code__}
"""Where it is waited for another program: meanwhile that changes the world, line by line."""


class Tracer:
    """Counts the boundaries that the host side passes, and kills it at one of them.

    A boundary is a line before which something may have left the process since the last one: a call of the system, or a program that runs meanwhile.
    Between lines without that, a kill leaves the same world, since all that the process has in memory dies with it.
    """

    def __init__(self, kill_at: int | None) -> None:
        self.kill_at = kill_at
        self.touched = True
        self.turns: Counter[tuple[tuple[CodeType, int], ...]] = Counter()
        self._shared = mmap.mmap(-1, 8)
        """The count goes on in the process in the middle, which starts what is to live on."""

    @property
    def passed(self) -> int:
        return int.from_bytes(self._shared[:], "little")

    def start(self) -> None:
        os.register_at_fork(after_in_child=self._forked)
        sys.setprofile(self._call)
        sys.settrace(self)

    def _forked(self) -> None:
        """What becomes another program is that program."""
        forking = sys._getframe(1).f_code
        if forking is not JournaledHands.start.__code__:
            self.stop()

    def stop(self) -> None:
        sys.settrace(None)
        sys.setprofile(None)

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename in TRACED else None

    def _call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and not _is_pure(argument):
            self.touched = True

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" and (self.touched or frame.f_code in TIMED) and self._is_new(frame):
            self.touched = False
            self._shared[:] = (self.passed + 1).to_bytes(8, "little")
            if self.passed == self.kill_at:
                _die()
        return self._line

    def _is_new(self, frame: FrameType | None) -> bool:
        way = []
        while frame is not None:
            way.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        self.turns[tuple(way)] += 1
        return self.turns[tuple(way)] <= TURNS


def _is_pure(function: Any) -> bool:
    home = getattr(function, "__self__", None)
    module = function.__module__ or (home.__name__ if isinstance(home, ModuleType) else type(home).__module__)
    return module in PURE and function is not print


def carry_out(journal: Journal, request: dict[str, Any]) -> dict[str, Any]:
    if request.get("mutant"):
        MUTANTS[request["mutant"]]()
    if request.get("ahead"):
        real, ahead = processes.boot_clock, float(request["ahead"])
        processes.boot_clock = lambda: real() + ahead  # type: ignore[assignment]
    if request.get("die_at"):
        engine.failpoint = operation.failpoint = lambda name: _die() if name == request["die_at"] else None  # type: ignore[assignment]
    if request.get("watchdog"):
        return _watch(journal, request.get("kill_at"))
    operation.watchdog.poke = lambda root: _acknowledge(journal)  # type: ignore[assignment]  # the lab is its own watchdog
    process_signal.GRACE = 0.1  # of processes that end at once when they are asked to
    tracer = Tracer(request.get("kill_at"))
    tracer.start()
    try:
        answer = operation.perform(journal, request)
    except Exception as error:  # noqa: BLE001  # whatever it was, the test is to see it
        answer = {"error": type(error).__name__, "message": str(error)}
    finally:
        tracer.stop()
    return {**answer, "boundaries": tracer.passed}


def _acknowledge(journal: Journal) -> None:
    for entry in journal.live():
        entry.watch()


def _die() -> None:
    """With the process in the middle, if there is one."""
    os.killpg(0, signal.SIGKILL)


def _watch(journal: Journal, kill_at: int | None) -> dict[str, Any]:
    real, process_signal.GRACE = watchdog.revert_due, 0.1

    def traced(*due: Any) -> int:
        os.setpgid(0, 0)  # of its group alone, not of the watchdog's
        Tracer(kill_at).start()
        return real(*due)

    watchdog.revert_due = traced  # type: ignore[assignment]  # it runs in a child of the watchdog's own
    dog = watchdog.Watchdog(journal, lock=os.open(os.devnull, os.O_RDONLY))
    dog.look()
    while dog.reverting:
        time.sleep(0.002)
        dog._reap()
    return {"live": [entry.fault_id for entry in journal.live()]}


def _apply_before_journal() -> None:
    real = engine._open

    def mutant(journal: Journal, order: Any, steps: Any, hands: Any) -> Any:
        undos = [step.capture(hands) for step in steps]
        for step, undo in zip(steps, undos, strict=True):
            step.apply(undo, hands)
        journal_open = journal.open
        journal.open = lambda order, steps, _: journal_open(order, steps, undos)  # type: ignore[method-assign]
        for step in steps:
            object.__setattr__(step, "capture", lambda hands: {})
        return real(journal, order, steps, hands)

    engine._open = mutant


def _tombstone_before_undo() -> None:
    real = engine._undo_and_bury

    def mutant(entry: Any, hands: Any, began: float, reason: str, outcome: str) -> Any:
        entry.bury(engine._status(entry, "ended", began, outcome=outcome, reason=reason, proof=[]))
        return real(entry, hands, began, reason, outcome)

    engine._undo_and_bury = mutant


def _journal_in_place() -> None:
    """The entry appears under its own name and is filled bit by bit, where it should appear whole; and only after the change."""
    real = engine._apply

    def mutant(entry: Any, hands: Any) -> None:
        whole = (entry.folder / "entry").read_bytes()
        pairs = entry.pairs()
        (entry.folder / "entry").write_bytes(b"")
        for step, undo in pairs:
            step.apply(undo, hands)
        half = len(whole) // 2
        with (entry.folder / "entry").open("wb", buffering=0) as file:
            file.write(whole[:half])
            hands.progress()
            file.write(whole[half:])
        real(entry, hands)

    engine._apply = mutant


def _undo_only_if_present() -> None:
    real = engine._attempt

    def mutant(step: Any, undo: Any, hands: Any) -> list[str]:
        return real(step, undo, hands) if step.read(undo, hands).state == "applied" else []

    engine._attempt = mutant


MUTANTS = {
    "apply before journal": _apply_before_journal,
    "tombstone before undo": _tombstone_before_undo,
    "journal written in place": _journal_in_place,
    "undo only if present": _undo_only_if_present,
}


def main() -> None:
    journal = Journal.at(Path(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        receive, send = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(receive)
            os.setsid()
            os.write(send, json.dumps(carry_out(journal, request)).encode())
            os._exit(0)
        os.close(send)
        with os.fdopen(receive, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(pid, 0)
        answer = json.loads(said) if said else {}
        print(json.dumps({**answer, "killed": os.WIFSIGNALED(status)}), flush=True)


if __name__ == "__main__":
    main()
