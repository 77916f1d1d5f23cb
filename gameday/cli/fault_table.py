"""The faults in the live view: where they are, whether they are on, and when they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from gameday.cli.columns import Column, row, table
from gameday.rows import FaultRow
from gameday.said import ends, local
from gameday.units import clock
from gameday.view import RunView

STATES = {
    "armed": ("◌", ""),
    "asked": ("▷", "bold cyan"),
    "active": ("●", "bold yellow"),
    "reverting": ("↺", "yellow"),
    "failed": ("✘", "red"),
    "reverted": ("✔", "green"),
    "neutralised": ("✔", "green"),
    "expired": ("✔", "green"),
    "spent": ("✔", "green"),
    "not-injected": ("–", "dim"),
    "dirty": ("✘", "bold white on red"),
}
_WEIGHT = ("dirty", "asked", "reverting", "active", "armed", "failed")


def faults(view: RunView, now: datetime, leases: Mapping[str, float] | None, width: int, most: int) -> list[Text]:
    """The table of faults, at most so many of them: the dirty ones first, then what is on. Without leases there is no such column."""
    by_weight = sorted(view.faults, key=lambda fault: _WEIGHT.index(view.faults[fault].state) if view.faults[fault].state in _WEIGHT else 9)
    shown = by_weight if len(by_weight) <= most else by_weight[: max(most - 1, 0)]
    if not shown:
        return []
    lines = table(_variants(view, shown, now, leases), width)
    left = Counter(view.faults[fault].state for fault in by_weight[len(shown) :])
    counts = ", ".join(f"{count} {state}" for state, count in left.items())
    return lines + ([row((f"and {left.total()} more: {counts}", "dim"))] if left else [])


def _variants(view: RunView, shown: Sequence[str], now: datetime, leases: Mapping[str, float] | None) -> Iterator[Callable[[], Sequence[Column]]]:
    rows = [view.faults[fault] for fault in shown]
    lease = [] if leases is None else [Column("lease", [_lease(view.faults[fault], leases.get(fault)) for fault in shown])]
    names, labels = [Text(row.name) for row in rows], [Text(row.label) for row in rows]
    state = Column("state", [_state(row) for row in rows])
    in_full, in_short = (Column("ends", [Text(said(row, view, now)) for row in rows]) for said in (ends, _ends_in_short))
    yield lambda: [Column("fault", names), Column("on", labels), state, *lease, in_full]
    yield lambda: [Column("fault", names), Column("on", labels), state, *lease, in_short]
    yield lambda: [Column("fault", names, least=12), Column("on", labels, least=14), state, *lease, in_short]
    yield lambda: [Column("fault", names, least=12), state, *lease, in_short]
    yield lambda: [Column("fault", names, least=8), state]


def _state(fault: FaultRow) -> Text:
    sign, style = STATES.get(fault.state, ("", ""))
    return Text(f"{sign} {fault.state}", style=style)


def _lease(fault: FaultRow, left: float | None) -> Text:
    """Seconds until it ends by itself if nobody renews it, where its journal is on this machine."""
    if fault.by or fault.state not in ("armed", "active", "reverting"):
        return Text("–", style="dim")
    if left is None:
        return Text("not here", style="dim")
    return Text(f"{left:.0f} s", style="" if left > 5 else "yellow") if left > 0 else Text("over", style="yellow")


def _ends_in_short(fault: FaultRow, view: RunView, now: datetime) -> str:
    if fault.ended_at and fault.active_at:
        return f"after {clock(fault.ended_at - fault.active_at)}"
    if fault.asked is not None:
        return f"asks {fault.asked.by}"
    if not fault.is_on or fault.ends_at is None:
        return ends(fault, view, now)
    return f"{fault.until or local(view, fault.ends_at)}, {clock(fault.ends_at - now)} left"
