"""The hash chains that make an edit, a deletion or a new order of a record's rows show. Each row's hash covers its content, its place and the
hash before it; the first one follows from the run's plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def first(plan: str) -> str:
    """What a chain begins with: the plan, as it is in the store."""
    return hashlib.sha256(f"plan\n{plan}".encode()).hexdigest()


def link(head: str, seq: int, text: str) -> str:
    """The hash of the row with this text in this place, after `head`."""
    return hashlib.sha256(f"{head}\n{seq}\n{text}".encode()).hexdigest()


def broken(what: str, plan: str, rows: Iterable[tuple[int, str, str]], length: int, head: str) -> str:
    """Where a chain does not hold, in words; empty when it does.

    Args:
        what: what its rows are, one of them ("event").
        plan: the text of the run's plan.
        rows: sequence number, text and hash of each, in order.
        length: how many there should be.
        head: the hash of the last.
    """
    at, count = first(plan), 0
    for seq, text, hashed in rows:
        if seq != count:
            return f"the record is damaged: {what} {count} is missing"
        at = link(at, seq, text)
        if at != hashed:
            return f"the record is damaged: {what} {count} was changed" if count else f"the record is damaged: its plan or {what} 0 was changed"
        count += 1
    if not count and not length and at != head:
        return "the record is damaged: its plan was changed"
    if length != count or at != head:
        return f"the record is damaged: it should have {length} {what}s and has {count}"
    return ""
