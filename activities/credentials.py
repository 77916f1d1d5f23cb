"""Credentials that would end before the faults that need them do: said before anything is put on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple


class Credential(NamedTuple):
    """What it is, for people, and when it ends. Never its value."""

    what: str
    ends: datetime


def too_short(whose: str, credentials: Iterable[Credential], until: datetime | None) -> Iterator[str]:
    """A problem for each of a process's credentials that ends too soon."""
    for each in credentials:
        yield from outlived(f"{whose}: {each.what}", each.ends, until)


def outlived(what: str, ends: datetime | None, until: datetime | None) -> Iterator[str]:
    """A problem where a credential ends before what is put on now may have ended.

    Args:
        what: the credential, for people; without its value.
        ends: when it ends; None where it does not, or nobody knows.
        until: when the last fault may be off at the latest.
    """
    if ends is not None and until is not None and ends < until:
        yield f"{what} ends at {_utc(ends)}, and what is put on may last until {_utc(until)}; renew it first"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
