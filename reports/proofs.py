"""How each fault ended, and the read-back that proves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue, ValidationError

from gameday.by_hand import is_word
from gameday.event import Event, EventKind
from gameday.fault import FaultOutcome, StepProof
from gameday.record import FaultStory, RunRecord
from gameday.units import spoken
from reports.words import counted, listed, milliseconds

AS_BEFORE = "before"
"""The state of a step whose target was read and looks as it did before the fault."""

_SAID = {
    AS_BEFORE: "as before",
    "gone": "what it was on is gone",
    "foreign": "somebody else has written since",
    "applied": "still applied",
    "part": "partly applied",
}


@dataclass(frozen=True)
class Proof:
    """One fault's end: in how long it was put on and taken off, what was read back, and what could not be proven."""

    fault: FaultStory
    injected_ms: float | None
    reverted_ms: float | None
    steps: tuple[StepProof, ...]
    problems: tuple[str, ...]
    by_hand: tuple[str, ...]
    reason: str
    late: timedelta | None = None
    """How long it was dirty before it was proven gone after all."""

    @property
    def clean(self) -> bool:
        """Proven gone, or never there."""
        return not self.fault.was_begun or self.fault.outcome not in (None, FaultOutcome.DIRTY)

    @property
    def seen(self) -> str:
        """What the read-back after the revert found."""
        found = "momentary, nothing to undo" if self.fault.outcome is FaultOutcome.SPENT else read_back(self.steps)
        gone = "said to be gone" if self.word else "proven gone"
        dirty = "" if self.late is None else f"not proven clean at first, {gone} {spoken(self.late)} later"
        return "; ".join(part for part in (dirty, found) if part)

    @property
    def word(self) -> str:
        """Whose word it is that it is gone, where that is all; empty for what was read back."""
        return next((step.state for step in self.steps if is_word(step.state)), "")

    @property
    def outcome(self) -> str:
        if self.fault.outcome:
            return str(self.fault.outcome)
        return "without an end in the record" if self.fault.was_begun else "not put on"


def proofs(record: RunRecord, scenario: int) -> list[Proof]:
    """Of every fault of a scenario."""
    return [_proof(record, fault) for fault in record.faults(scenario)]


def _proof(record: RunRecord, fault: FaultStory) -> Proof:
    mine = {event.kind: event for event in record.events if event.fault == fault.fault_id}
    ended, dirty, failed = mine.get(EventKind.FAULT_ENDED), mine.get(EventKind.FAULT_DIRTY), mine.get(EventKind.FAULT_FAILED)
    return Proof(
        fault=fault,
        injected_ms=took(fault.active),
        reverted_ms=took(ended),
        steps=steps_of(ended),
        problems=_texts(ended.data.get("problems") if ended else dirty.data.get("problems") if dirty else None),
        by_hand=_texts(dirty.data.get("plan") if dirty else None),
        reason=(ended.text("reason") if ended else "") or (failed.text("reason") if failed else "") or fault.reason,
        late=ended.at - dirty.at if ended and dirty and ended.at > dirty.at else None,
    )


def took(event: Event | None) -> float | None:
    """The injector's own time for an operation, in milliseconds."""
    value = event.data.get("took_ms") if event else None
    return float(value) if isinstance(value, (int, float)) else None


def steps_of(event: Event | None) -> tuple[StepProof, ...]:
    """The read-back of each step; what an older or a damaged record holds in another shape proves nothing."""
    value = event.data.get("proof") if event else None
    try:
        return tuple(StepProof.model_validate(item) for item in value) if isinstance(value, list) else ()
    except ValidationError:
        return ()


def _texts(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value),) if value else ()


def read_back(steps: Iterable[StepProof]) -> str:
    """What the read-back found: `read back as before`, or what else each step showed; empty without steps."""
    states = Counter(step.state for step in steps)
    words = [state for state in states if is_word(state)]
    return ", ".join(filter(None, [_read(states - Counter({state: states[state] for state in words})), *words]))


def _read(states: Counter[str]) -> str:
    if not states:
        return ""
    if set(states) == {AS_BEFORE}:
        return "read back as before"
    return "read back: " + listed(f"{counted(number, 'step')} {said_of(state)}" for state, number in states.items())


def said_of(state: str) -> str:
    return _SAID.get(state, state)


def on_for(fault: FaultStory) -> str:
    """How long a fault was on."""
    if fault.active_at is None:
        return "never on"
    return spoken(fault.ended_at - fault.active_at) if fault.ended_at else "?"


def in_one_line(all_proofs: list[Proof]) -> str:
    """The proof of a whole run: `3 faults: 2 reverted in 41 ms or less, read back as before; 1 dirty`."""
    if not all_proofs:
        return "nothing was injected"
    groups: dict[str, list[Proof]] = {}
    for proof in all_proofs:
        groups.setdefault(proof.outcome, []).append(proof)
    return f"{counted(len(all_proofs), 'fault')}: " + "; ".join(_group(outcome, mine, len(all_proofs)) for outcome, mine in groups.items())


def _group(outcome: str, mine: list[Proof], of: int) -> str:
    """Faults that ended alike."""
    slowest = max((proof.reverted_ms for proof in mine if proof.reverted_ms is not None), default=None)
    took = "" if slowest is None else f" in {milliseconds(slowest)}" + (" or less" if len(mine) > 1 else "")
    seen = mine[0].seen if mine[0].fault.outcome is FaultOutcome.SPENT else read_back(step for proof in mine for step in proof.steps)
    late = sum(proof.late is not None for proof in mine)
    dirty = f", {late} of them only after it had been dirty" if late and len(mine) > 1 else ", after it had been dirty" if late else ""
    return (f"{len(mine)} " if of > 1 else "") + outcome + took + (f", {seen}" if seen else "") + dirty
