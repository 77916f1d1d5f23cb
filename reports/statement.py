"""What a game day has touched, for those who have a real incident to solve: facts, each from the record."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.by_hand import at
from gameday.event import EventKind
from gameday.record import RunRecord
from reports.proofs import Proof, proofs
from reports.words import counted, local_time


def statement(record: RunRecord) -> list[str]:
    """Lines of plain text: who called it, what is not proven clean, what was on and is proven clean and how, and what was never touched.

    Args:
        record: also of a run that is still going; what is not proven yet is said to be so. Nothing is hidden here: a real incident opens seals.
    """
    every = [(index, proof) for index, _ in record.scenarios() for proof in proofs(record, index)]
    begun = [(index, proof) for index, proof in every if proof.fault.was_begun]
    unclean, clean = [each for each in begun if not each[1].clean], [each for each in begun if each[1].clean]
    lines = [*_called(record), f"This game day has touched {counted(len(begun), 'target')}."]
    if record.ended is None:
        lines.append("It is still being ended: this is what is known so far.")
    lines += [line for index, proof in unclean for line in _not_clean(record, index, proof)]
    lines += [_clean(record, proof) for _, proof in clean]
    lines += list(_untouched(record, {index for index, _ in begun}))
    return [*lines, "It has touched nothing else."]


def _called(record: RunRecord) -> Iterator[str]:
    event = record.first(EventKind.REAL_CALLED)
    if event is not None:
        why = f": {event.text('reason')}" if event.text("reason") else ""
        yield f"A real incident, called by {event.actor} at {local_time(event.at, record.plan.zone)}{why}"


def _when(record: RunRecord, proof: Proof) -> str:
    fault, zone = proof.fault, record.plan.zone
    since = fault.active_at or fault.armed_at
    began = f"from {local_time(since, zone)}" if since else "at an unknown time"
    return f"{fault.name} ({fault.kind}){at(fault.label)}: {'on ' if fault.active_at else 'begun '}{began}"


def _not_clean(record: RunRecord, index: int, proof: Proof) -> Iterator[str]:
    yield f"NOT PROVEN CLEAN  {_when(record, proof)}; {'; '.join(proof.problems) or 'nothing proves yet that it is gone'}"
    steps = proof.by_hand or record.plan.playbook.scenarios[index].rollback_plan
    yield from (f"  by hand: {step}" for step in steps)


def _clean(record: RunRecord, proof: Proof) -> str:
    ended = proof.fault.ended_at
    upto = f" to {local_time(ended, record.plan.zone)}" if ended else ""
    seen = "; ".join(f"{step.step}: {step.after}" for step in proof.steps)
    how = "said to be clean " if proof.word else "proven clean     "
    return f"{how} {_when(record, proof)}{upto}; {proof.outcome}, {proof.seen or 'read back'}{f' ({seen})' if seen else ''}"


def _untouched(record: RunRecord, touched: set[int]) -> Iterator[str]:
    for index, scenario in enumerate(record.plan.playbook.scenarios):
        if index not in touched:
            yield f"not touched       scenario {index + 1}, {scenario.title}: nothing of it was put on"
