"""The live view as a picture of text: a function of the run's view, the moment and the size of the terminal. Every row fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.text import Text

from gameday.cli import head
from gameday.cli.columns import cut, fitting, row
from gameday.cli.fault_table import faults
from gameday.cli.probe_table import probes
from gameday.lines import Line
from gameday.units import clock
from gameday.view import RunView

TONES = {"good": "green", "bad": "bold red", "warn": "yellow", "human": "cyan", "": "bold"}
LEAST_LINES = 3
"""Rows that the timeline has at the least."""
MOST_WRAPPED = 3
"""Rows that one line of the timeline takes at the most."""

_WRAPPER = Console(width=1000, color_system=None)


@dataclass(frozen=True)
class Frame:
    """What a picture shows besides the run.

    Args:
        now: the moment shown; live it is the clock, in a replay the record's.
        leases: seconds left of each fault's lease; None where nobody can know them.
        badge: what the heading says while the run goes on.
        bottom: the last rows: keys, or what is being typed.
        instead: rows that stand where the timeline is, such as the help.
    """

    now: datetime
    width: int
    height: int = 0
    leases: Mapping[str, float] | None = None
    badge: str = ""
    bottom: Sequence[Text] = ()
    instead: Sequence[Text] = field(default=())


def picture(view: RunView, frame: Frame) -> list[Text]:
    """The whole screen, row by row: none wider than the terminal, and no more than it has."""
    bottom = [cut(each, frame.width) for each in frame.bottom][-frame.height :]
    room = frame.height - len(bottom)
    top = _top(view, frame, max(room - LEAST_LINES, 1))[: max(room, 0)]
    rest = room - len(top)
    middle = [cut(each, frame.width) for each in frame.instead][:rest] if frame.instead else timeline(view, frame.width, rest)
    return [*top, *middle, *(Text() for _ in range(rest - len(middle))), *bottom]


def page(view: RunView, frame: Frame, lines: int = 8) -> list[Text]:
    """The same as a page without an end: everything, and the last lines of the timeline."""
    return [*_joined(_parts(view, frame, 1000, 1000), airy=True), *told(view, frame.width, lines)]


def told(view: RunView, width: int, lines: int | None = None) -> list[Text]:
    """The timeline (the last lines of it) in full, each line wrapped."""
    last = list(view.lines)[-lines if lines else 0 :]
    return [row for each in last for row in _line(view, each, width, 1000)]


def _top(view: RunView, frame: Frame, room: int) -> list[Text]:
    """Everything above the timeline. With little room the blank rows go first, then the tables grow shorter, then the clocks go."""
    day, measured, waiting, *tables = _parts(view, frame, 1000, 1000)
    for airy in (True, False):
        whole = _joined([day, measured, waiting, *tables], airy)
        if len(whole) <= room:
            return whole
    for kept in ([day, measured, waiting], [day, waiting]):
        left = room - sum(map(len, kept))
        most_faults = min(len(view.faults), max(left // 3 - 1, 1))
        most_probes = left - (most_faults + 1 if view.faults else 0) - 1
        if most_probes >= 2:
            return _joined([*kept, *_parts(view, frame, most_probes, most_faults)[3:]], airy=False)
    return _joined([day, waiting, faults(view, frame.now, frame.leases, frame.width, 1)[1:]], airy=False)[:room]


def _parts(view: RunView, frame: Frame, most_probes: int, most_faults: int) -> list[list[Text]]:
    width, now = frame.width, frame.now
    day = [head.heading(view, now, frame.badge, width)]
    where = [head.scenarios(view, width), *filter(None, [head.phases(view, now, width)])]
    measured = [head.clocks(view, width), head.bill(view, width)]
    table = faults(view, now, frame.leases, width, most_faults)
    return [day + where, measured, gate(view, now, width), probes(view, now, width, most_probes), table]


def _joined(parts: Sequence[Sequence[Text]], airy: bool) -> list[Text]:
    rows: list[Text] = []
    for part in parts:
        if part:
            rows += [*part, Text()] if airy else part
    return rows


def gate(view: RunView, now: datetime, width: int) -> list[Text]:
    """The gate that waits, what it still asks for, and how long it waits."""
    asked = view.open_gate
    if not view.gate or asked is None:
        return []
    left = f"{clock(view.gate_until - now)} left" if view.gate_until else ""
    head_of = row((" ▶ GO? ", "reverse bold yellow"), (f" {view.gate}", "bold yellow"))
    lines = [fitting((row(head_of, f"   {left}; silence stands down   ", ("g says go", "bold")), row(head_of, f"  {left}")), width)]
    if view.targets:
        lines.append(cut(row((" touches: ", "dim"), "; ".join(view.targets)), width))
    items = [each.item for each in view.plan.playbook.checklist if each.item not in view.ticked] if asked.checklist else []
    if items:
        lines.append(cut(row((" to tick: ", "dim"), ", ".join(items)), width))
    if asked.ready:
        names = f" ({', '.join(sorted(view.ready))})" if view.ready else ""
        lines.append(cut(row((" ready: ", "dim"), f"{len(view.ready)} of {asked.ready}{names}"), width))
    return lines


def timeline(view: RunView, width: int, rows: int) -> list[Text]:
    """The newest lines that there is room for, the newest last; a long one is wrapped."""
    shown: list[Text] = []
    for each in reversed(view.lines):
        wrapped = _line(view, each, width)
        if len(shown) + len(wrapped) > rows:
            break
        shown[:0] = wrapped
    return shown


def _line(view: RunView, each: Line, width: int, most: int = MOST_WRAPPED) -> list[Text]:
    time = f"{each.at.astimezone(view.plan.zone):%H:%M:%S}  {each.since_inject:>7}   " if width >= 80 else f"{each.since_inject:>6}  "
    said = Text(each.text, style="bold red" if each.tone == "bad" else "")
    for stopped in each.stops:
        said.append(f" · {stopped}", style="bold green")
    prefix = row((time, "dim"), (f"{each.what[:10]:<11}", TONES[each.tone]))
    room = max(width - prefix.cell_len, 10)
    lines = list(said.wrap(_WRAPPER, room))
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(row(lines[most - 1], " …"), room)]
    return [cut(row(prefix if place == 0 else " " * prefix.cell_len, _bare(part)), width) for place, part in enumerate(lines)]


def _bare(text: Text) -> Text:
    text.rstrip()
    return text
