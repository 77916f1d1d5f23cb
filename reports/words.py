"""How a report says times, counts and lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

from gameday.clocks import Bill
from gameday.units import clock, spoken


def local_time(at: datetime, zone: tzinfo) -> str:
    """A moment as the team's clock on the wall showed it: `14:30:28`."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def offset(at: datetime, zero: datetime | None) -> str:
    """A moment counted from inject: `+1:12`, `-0:35`; empty when nothing was injected."""
    return "" if zero is None else signed(at - zero)


def signed(value: timedelta) -> str:
    """A duration with its sign, to the second below, as clocks on the wall are read: `+1:12`, `-0:35`."""
    whole = value // timedelta(seconds=1) * timedelta(seconds=1)
    return f"-{clock(-whole)}" if whole < timedelta() else f"+{clock(whole)}"


def stretch(start: datetime, end: datetime, zone: tzinfo) -> str:
    """From when to when, with the date once unless midnight passes: `18 June 2026, 14:28 to 14:32`."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    upto = f"{last:%H:%M}" if first.date() == last.date() else f"{_date(last)}, {last:%H:%M}"
    return f"{_date(first)}, {first:%H:%M} to {upto}"


def _date(local: datetime) -> str:
    return f"{local.day} {local:%B %Y}"


def counted(number: int, noun: str) -> str:
    """`1 fault`, `2 faults`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = [*parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def capital(text: str) -> str:
    """The first letter large, the rest as it was."""
    return text[:1].upper() + text[1:]


def milliseconds(value: float) -> str:
    """`0.4 ms`, `41 ms`, `1.2 s`."""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 and value != int(value) else f"{value:.0f} ms"


def said(text: str) -> str:
    """Words of a person, in quotes."""
    return f"“{text}”"


def readable(name: str) -> str:
    """A name as prose: `failed_requests` and `checkout-day` lose their joints."""
    return name.replace("_", " ").replace("-", " ")


def outside_steady_state(bill: Bill) -> str:
    """How long it was seen outside steady state; with unknown samples, or none, nobody can say that it never was."""
    if bill.outside:
        return f"{spoken(bill.outside)} outside steady state"
    return "not seen outside steady state" if bill.unknown_ticks or not bill.ticks else "never outside steady state"
