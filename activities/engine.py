"""The life of a fault on its host: the guarantee, once, for every injector. Standard library only.

Capture all, journal once, apply in order, read back; undo in reverse, read back, tombstone. Every function here may be killed at any line
and called again, by anyone: the retry adopts, the watchdog and the keeper revert.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from activities import halted
from activities.entry import Entry
from activities.failpoints import failpoint
from activities.hands import JournaledHands
from activities.journal import Journal, Order
from activities.oplock import PATIENCE
from activities.steps.step import RESTORED, Hands, Reading, State, Step, Undo
from gameday.errors import BadInput, FaultEnded, GamedayError, InjectFailed, NotReverted, Refused

FIRST_LOOK = 1.0
"""Seconds that a helper may take to look before the first undo: a look that hangs must not hold the undo up."""
Status = dict[str, Any]
"""What is said of a fault after an operation; the fields of `gameday.fault.FaultStatus`."""


def inject(journal: Journal, order: Order, steps: Sequence[Step], poke: Callable[[], None]) -> Status:
    """Puts a fault on, or adopts what an earlier attempt did.

    Args:
        poke: wakes the watchdog, which must acknowledge the entry before anything is applied.

    Raises:
        FaultEnded: it has a tombstone, was asked to end, or its time is over.
        TargetTaken: another live fault holds the target.
        Refused, InjectFailed: it could not be put on; what was applied has been taken back.
    """
    began = time.monotonic()
    with journal.operation(order.fault_id, PATIENCE) as lock:
        entry = journal.find(order.fault_id)
        if entry is not None and entry.tombstone is not None:
            raise FaultEnded(f"the fault {order.fault_id} has been ended: {entry.tombstone.get('reason') or 'earlier'}; it is not injected again")
        if entry is None:
            halted.refuse(journal.root)
            _refuse_doubled(journal, order, steps)
            entry = _open(journal, order, steps, JournaledHands(None, lock.progress))
            failpoint("after_journal")
        hands = JournaledHands(entry.folder, lock.progress, entry.lease)
        if entry.marked("active"):
            return _status(entry, "active", began, proof=_seen(entry, hands))
        try:
            hands.end_helper()
            entry.await_watch(poke)
            _apply(entry, hands)
        except Exception as error:
            _take_back(entry, hands, began, error)
            if not isinstance(error, GamedayError):
                raise InjectFailed(f"{order.label}: {_said(error)}") from error
            raise
        return _status(entry, "active", began, proof=_seen(entry, hands))


def _open(journal: Journal, order: Order, steps: Sequence[Step], hands: Hands) -> Entry:
    try:
        return journal.open(order, steps, [step.capture(hands) for step in steps])
    except OSError as error:
        raise Refused(f"the journal cannot be written ({error.strerror or error}): nothing is applied that could not be undone") from error


def _refuse_doubled(journal: Journal, order: Order, steps: Sequence[Step]) -> None:
    knobs = [knob for step in steps for knob in step.knobs()]
    journal.refuse_taken(order, frozenset(knobs))
    if len(knobs) != len(set(knobs)):
        raise BadInput("the fault would turn one knob twice; expected each once, since an undo is captured before all changes")


def _apply(entry: Entry, hands: Hands) -> None:
    for step, undo in entry.pairs():
        entry.proceed()
        hands.progress()
        step.apply(undo, hands)
        failpoint("mid_inject")
    for step, undo in entry.pairs():
        reading = _settled(step, undo, hands, frozenset({State.APPLIED, State.GONE, State.FOREIGN}))
        if reading.state is not State.APPLIED and (step.holds or reading.state is not State.GONE):
            raise InjectFailed(f"{entry.data['label']}: after the change the read-back shows {reading.seen}")
    entry.proceed()
    entry.activate()


def _take_back(entry: Entry, hands: JournaledHands, began: float, error: Exception) -> None:
    """A failed inject undoes itself. If even that fails, the entry stays and the watchdog goes on trying."""
    entry.end(f"inject failed: {error}"[:900])
    with contextlib.suppress(GamedayError, OSError):
        _undo_and_bury(entry, hands, began, f"inject failed: {error}"[:900], "not-injected")


def revert(journal: Journal, fault_id: str, reason: str, outcome: str = "reverted") -> Status:
    """Takes a fault off and proves it.

    Args:
        reason: why, for the record; the first reason stays.
        outcome: `reverted`, or `expired` when its own deadline ended it.

    Returns:
        The status from the tombstone; also when it had been ended before.

    Raises:
        NotReverted: something is not as it was. Everything that could be undone was; call again.
    """
    began = time.monotonic()
    _ask_to_end(journal, fault_id, reason)
    with journal.operation(fault_id, PATIENCE) as lock:
        entry = journal.find(fault_id)
        if entry is None:
            status = bare_status(fault_id, "not-injected", reason)
            with contextlib.suppress(OSError):  # a disk that is full lets no inject begin either
                journal.refuse_later(fault_id, status)
            return status
        if entry.tombstone:
            return entry.tombstone
        entry.end(reason)  # also of one whose tombstone cannot be read: what it proved is proven again
        hands = JournaledHands(entry.folder, lock.progress)
        hands.end_helper()
        return _undo_and_bury(entry, hands, began, entry.ended_reason or reason, outcome)


def renew(journal: Journal, fault_id: str) -> Status:
    """Lets a fault last for another lease from now: its steps that the kernel or a server would end, and then the journal's word.

    Raises:
        GamedayError: a step could not be renewed; the lease stands as it was.
    """
    began = time.monotonic()
    with journal.operation(fault_id, PATIENCE) as lock:
        entry = journal.find(fault_id)
        if entry is None or not entry.marked("active") or entry.why_ended():
            return bare_status(fault_id, None, "", state="reverting")
        hands = JournaledHands(entry.folder, lock.progress, entry.lease)
        hands.end_helper()
        for step, undo in entry.pairs():
            if step.expires:
                step.renew(undo, hands)
        entry.renew()
        return _status(entry, "active", began)


def _ask_to_end(journal: Journal, fault_id: str, reason: str) -> None:
    """Before the lock is waited for: an inject that is under way stops at its next step, and gives the lock up."""
    entry = journal.find(fault_id)
    if entry is not None and not entry.marked("tombstone"):
        with contextlib.suppress(OSError):
            entry.end(reason)


def _undo_and_bury(entry: Entry, hands: JournaledHands, began: float, reason: str, outcome: str) -> Status:
    pairs = entry.pairs()
    found = entry.reverting(_found(entry, pairs, hands))
    problems = [problem for step, undo in reversed(pairs) for problem in _attempt(step, undo, hands)]
    proof = []
    for step, undo in pairs:
        line, unproven = _prove(step, undo, hands)
        proof.append(line)
        problems += unproven
    failpoint("mid_revert")
    if problems:
        raise NotReverted("; ".join(problems)[:900])
    if all(step.momentary for step, _ in pairs):
        outcome = "spent" if found["touched"] else "not-injected"
    elif entry.marked("active") and found["away"] and not (entry.expires and outcome == "expired"):  # a kernel or server may have been quicker
        outcome = "neutralised"
    elif not entry.marked("active") and not found["touched"]:
        outcome = "not-injected"
    status = _status(entry, "ended", began, outcome=outcome, reason=reason, proof=proof, active_at=entry.active_at)
    entry.bury(status)
    return status


def _found(entry: Entry, pairs: Sequence[tuple[Step, Undo]], hands: JournaledHands) -> dict[str, bool]:
    """What is there before the first undo: was the fault taken away by others, was anything of it applied. Undo asks neither, nor waits for long.

    What went with a restart of the host was taken away by nobody.
    """
    states = []
    with hands.hurried(FIRST_LOOK):
        for step, undo in pairs:
            try:
                states.append(step.read(undo, hands).state)
            except Exception:  # noqa: BLE001  # whatever it was: what cannot be read counts as applied
                states.append(State.APPLIED)
    away = entry.is_of_this_boot and all(state in RESTORED for state in states)
    return {"away": away, "touched": any(state in (State.APPLIED, State.PART) for state in states)}


def _attempt(step: Step, undo: Undo, hands: Hands) -> list[str]:
    """One undo; a failure does not block the others."""
    hands.progress()
    try:
        step.undo(undo, hands)
    except Exception as error:  # noqa: BLE001  # whatever one step does, the others are undone
        return [f"{step.primitive}: {_said(error)}"]
    return []


def _prove(step: Step, undo: Undo, hands: Hands) -> tuple[dict[str, str], list[str]]:
    """The read-back of one step after its undo, and what it could not prove."""
    wanted = frozenset(State) if step.momentary else RESTORED
    try:
        reading = _settled(step, undo, hands, wanted)
    except Exception as error:  # noqa: BLE001  # what cannot be read is not proven
        return _line(step, undo, Reading(State.PART, "?")), [f"{step.primitive}: cannot be read back: {_said(error)}"]
    problems = [] if reading.state in wanted else [f"{step.primitive}: still {reading.state}: {reading.seen}"]
    return _line(step, undo, reading), problems


def _said(error: Exception) -> str:
    """An error for people; one that nobody meant is named by its class too."""
    return str(error) if isinstance(error, GamedayError) else f"{type(error).__name__}: {error}"


def _line(step: Step, undo: Undo, reading: Reading) -> dict[str, str]:
    return {"step": step.primitive, "before": step.before(undo)[:500], "after": reading.seen[:500], "state": reading.state.value}


def _settled(step: Step, undo: Undo, hands: Hands, wanted: frozenset[State]) -> Reading:
    """Reads until the state is one of the wanted, or the step's settle time is over."""
    deadline, pause = time.monotonic() + step.settle, 0.001
    while True:
        hands.progress()
        reading = step.read(undo, hands)
        if reading.state in wanted or time.monotonic() >= deadline:
            return reading
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def check(journal: Journal, fault_id: str) -> Status:
    """Looks at a fault without changing anything.

    Returns:
        Its status; `problems` holds `neutralised` when it was active and is read as taken away, so that the keeper can end it.
    """
    began = time.monotonic()
    entry = journal.find(fault_id)
    if entry is None:
        return bare_status(fault_id, "not-injected", "")
    if entry.tombstone is not None:
        return entry.tombstone or bare_status(fault_id, None, "its tombstone cannot be read", state="reverting")
    if not entry.marked("active"):
        return _status(entry, "armed", began)
    with _quiet_hands() as hands:
        away = all(not step.momentary and step.read(undo, hands).state in RESTORED for step, undo in entry.pairs())
        return _status(entry, "active", began, problems=["neutralised"] if away else [], proof=_look(entry, hands))


@contextlib.contextmanager
def _quiet_hands() -> Iterator[Hands]:
    """Hands for looking only: helpers that read back, and nobody to tell of progress."""
    yield JournaledHands(None, lambda: None)


def _look(entry: Entry, hands: Hands) -> list[dict[str, str]]:
    return [_line(step, undo, step.read(undo, hands)) for step, undo in entry.pairs()]


def _seen(entry: Entry, hands: Hands) -> list[dict[str, str]]:
    """The look that goes with a fault that is on. It has been read back already: one that fails now changes nothing about that."""
    try:
        return _look(entry, hands)
    except Exception:  # noqa: BLE001  # see above
        return []


def bare_status(fault_id: str, outcome: str | None, reason: str, state: str = "ended") -> Status:
    """A status without an entry behind it."""
    return {"fault_id": fault_id, "state": state, "outcome": outcome, "reason": reason, "at": datetime.now(UTC).isoformat()}


def _status(entry: Entry, state: str, began: float, **more: Any) -> Status:
    return {
        "fault_id": entry.fault_id,
        "state": state,
        "at": datetime.now(UTC).isoformat(),
        "took_ms": round((time.monotonic() - began) * 1000, 2),
        **more,
    }
