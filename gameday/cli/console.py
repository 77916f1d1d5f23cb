"""The live view as a picture of text: a function of the run's view, the width and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gameday.language import Clock
from gameday.lines import Line
from gameday.observation import Verdict
from gameday.record import Phase
from gameday.units import clock, spoken
from gameday.view import FaultRow, ProbeRow, RunView

SIGNS = {Verdict.GOOD: ("✔", "green"), Verdict.BAD: ("✘", "red"), Verdict.UNKNOWN: ("?", "yellow")}
TONES = {"good": "green", "bad": "bold red", "warn": "yellow", "human": "cyan", "": ""}
BARS = "▁▂▃▄▅▆▇█"


def picture(view: RunView, now: datetime, leases: Mapping[str, float], hint: str, rows: int) -> RenderableType:
    """The whole screen.

    Args:
        now: the moment shown; live it is the clock, in a replay the record's.
        leases: seconds left of each fault's lease, where they are known.
        hint: the last line: keys, or what is being typed.
        rows: how many lines the terminal has.
    """
    parts: list[RenderableType] = [_head(view, now), _scenarios(view), _phases(view, now), Text(), _clocks(view), _bill(view), Text(), _probes(view)]
    if view.faults:
        parts += [Text(), _faults(view, now, leases)]
    if view.gate:
        parts += [Text(), _gate(view, now)]
    used = 14 + len(view.probes) + len(view.faults)
    parts += [Text(), *(_line(view, each) for each in list(view.lines)[-max(rows - used, 3) :]), Text(), Text(hint, style="dim")]
    return Group(*parts)


def _local(view: RunView, at: datetime) -> str:
    return f"{at.astimezone(view.plan.zone):%H:%M:%S}"


def _head(view: RunView, now: datetime) -> RenderableType:
    plan = view.plan
    commander = plan.playbook.team.commander.name if plan.playbook.team.commander else plan.started_by.name
    table = Table.grid(expand=True, padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    stop = f"   stop {plan.playbook.times.stop}" if plan.playbook.times.stop else ""
    state = Text.assemble((" HELD ", "black on yellow"), "  ") if view.held else Text()
    if view.ending and not view.outcome:
        state = Text.assemble((" ENDING ", "white on red"), "  ")
    if view.outcome:
        state = Text.assemble((f" {view.outcome} ", "black on green" if view.outcome == "passed" else "black on yellow"), "  ")
    table.add_row(
        Text(plan.playbook.name, style="bold"),
        f"run {plan.run_id.split('-')[0]}  {plan.playbook.environment}",
        f"commander {commander}",
        state.append(_local(view, now) + stop),
    )
    return table


def _scenarios(view: RunView) -> Text:
    text = Text(overflow="ellipsis", no_wrap=True)
    for index, scenario in enumerate(view.plan.playbook.scenarios):
        outcome = view.outcomes.get(index)
        if outcome is not None:
            sign, style = {"passed": ("✔", "green"), "failed": ("✘", "red")}.get(outcome, ("■", "yellow"))
        else:
            sign, style = ("●", "bold") if index == view.scenario else ("○", "dim")
        text.append(f"{index + 1} {scenario.title} {sign}   ", style=style)
    return text


def _phases(view: RunView, now: datetime) -> Text:
    text = Text()
    for phase in Phase:
        if phase in view.done:
            text.append(f"✔ {phase}   ", style="green")
        elif phase == view.phase:
            text.append(f"● {phase}{_countdown(view, now)}   ", style="bold")
        else:
            text.append(f"○ {phase}   ", style="dim")
    return text


def _countdown(view: RunView, now: datetime) -> str:
    if view.phase_began is None:
        return ""
    gone = clock(now - view.phase_began)
    return f" {gone} of {clock(view.phase_until - view.phase_began)}" if view.phase_until else f" {gone}"


def _clocks(view: RunView) -> RenderableType:
    table = Table.grid(padding=(0, 4))
    cells = []
    for name, key in (("detect", Clock.DETECT), ("mitigate", Clock.MITIGATE), ("recover", Clock.RECOVER)):
        found = view.clocks.get(key)
        cells.append(Text.assemble((f"{name} ", "dim"), (clock(found[0]), "bold") if found else "–", f"  {found[1]}" if found else ""))
    table.add_row(*cells)
    return table


def _bill(view: RunView) -> Text:
    parts = [f"{spoken(view.outside)} outside steady state" if view.outside else "no time outside steady state"]
    totals = view.totals.totals if view.totals else {}
    parts += [f"{totals[name].increase:g} {name}" for name in view.counted if name in totals]
    return Text.assemble(("customers ", "dim"), ", ".join(parts))


def _probes(view: RunView) -> RenderableType:
    table = Table.grid(padding=(0, 3))
    for title in ("probe", "now", "baseline", "steady state", "abort when", "last 2 min"):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    table.add_row(*(Text(title, style="dim") for title in ("probe", "now", "baseline", "steady state", "abort when", "last 2 min")))
    for name in view.plan.playbook.probes:
        row = view.probes.get(name, ProbeRow(name))
        table.add_row(*_probe(view, row))
    return table


def _probe(view: RunView, row: ProbeRow) -> Iterable[RenderableType]:
    yardstick = view.yardstick
    now = "–" if row.sample is None else yardstick.show(row.name, row.sample.value)
    baseline = yardstick.baseline(row.name)
    steady = [view.shown_tolerance(each) for each in view.plan.playbook.steady_state if each.probe == row.name]
    verdict = view.verdict(row.name) if row.sample else None
    sign, style = SIGNS[verdict] if verdict else ("", "")
    guards = [str(each).removeprefix(row.name).strip() for each in view.plan.playbook.abort_when if each.probe == row.name]
    trend: RenderableType = Text(spark(row.trend))
    if row.sample is not None and row.sample.unknown:
        trend = Text(f"{row.sample.unknown} ({sum(row.unknowns)} of the last {len(row.unknowns)})", style="yellow")
    yield from (
        Text(row.name),
        Text(now, style="bold"),
        yardstick.show(row.name, baseline) if baseline is not None else "–",
        Text.assemble(", ".join(steady), " ", (sign, style)),
        ", ".join(guards),
        trend,
    )


def spark(values: Iterable[float | None], width: int = 24) -> str:
    """A trend in one row, from 0 to its own highest; an unknown is a dot, never a bar."""
    found = list(values)
    step = max(-(-len(found) // width), 1)
    groups = [found[start : start + step] for start in range(0, len(found), step)]
    shown = [max((value for value in group if value is not None), default=None) for group in groups]
    top = max((value for value in shown if value is not None), default=0.0)
    return "".join("·" if value is None else BARS[0] if top <= 0 else BARS[min(int(max(value, 0) / top * 7.999), 7)] for value in shown)


def _faults(view: RunView, now: datetime, leases: Mapping[str, float]) -> RenderableType:
    table = Table.grid(padding=(0, 3))
    for title in ("fault", "on", "state", "lease", "since"):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    table.add_row(*(Text(title, style="dim") for title in ("fault", "on", "state", "lease", "since")))
    for fault_id, row in view.faults.items():
        style = {"active": "yellow", "dirty": "bold red", "reverted": "green", "neutralised": "green", "spent": "green"}.get(row.state, "")
        left = f"{max(leases[fault_id], 0):.0f} s" if fault_id in leases and row.state == "active" else "–" if row.outcome else "?"
        table.add_row(row.name, row.label, Text(row.state, style=style), left, _since(row, now))
    return table


def _since(row: FaultRow, now: datetime) -> str:
    return "" if row.active_at is None else clock((row.ended_at or now) - row.active_at)


def _gate(view: RunView, now: datetime) -> Text:
    left = view.gate_until - now if view.gate_until else timedelta(0)
    return Text(f"▶ waiting for a go: {view.gate}. {clock(left)} left; silence stands down.", style="bold yellow")


def _line(view: RunView, each: Line) -> Text:
    offset = f"+{clock(each.offset)}" if each.offset is not None else ""
    text = Text(overflow="ellipsis", no_wrap=True)
    text.append(f"{_local(view, each.at)}  {offset:>7}   ", style="dim")
    text.append(f"{each.what:<11}", style=TONES[each.tone])
    return text.append(each.text)
