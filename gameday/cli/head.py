"""The top of the live view: the day, its scenarios, the phase, the clocks and the customers' bill."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from gameday.cli.columns import fitting, row, spread
from gameday.language import Clock
from gameday.record import Phase
from gameday.said import bills, commander, since, waiting
from gameday.units import clock
from gameday.view import RunView

OUTCOMES = {
    "passed": ("✔", "green"),
    "failed": ("✘", "red"),
    "aborted": ("■", "yellow"),
    "stood-down": ("–", "yellow"),
    "error": ("✘", "bold red"),
    "dirty": ("✘", "bold red"),
}
CLOCKS = {"detect": Clock.DETECT, "mitigate": Clock.MITIGATE, "recover": Clock.RECOVER}


def heading(view: RunView, now: datetime, badge: str, width: int) -> Text:
    """The day, where it is held, who leads it; the state of it and the time."""
    plan = view.plan
    name, run = Text(plan.playbook.name, style="bold"), f"run {plan.run_id.split('-')[0]}"
    stop = f"   stop {plan.playbook.times.stop}" if plan.playbook.times.stop and not view.outcome else ""
    right = row(_badge(view, badge), f"{now.astimezone(plan.zone):%H:%M:%S}", stop)
    room = width - right.cell_len - 2
    left = fitting(
        (
            row(name, f"   {run}   {plan.playbook.environment}   commander {commander(view)}"),
            row(name, f"   {run}   {plan.playbook.environment}"),
            row(name, f"   {run}"),
            row(name),
        ),
        room,
    )
    return spread(left, right, width)


def _badge(view: RunView, badge: str) -> Text:
    if view.outcome:
        sign, style = OUTCOMES.get(view.outcome, ("", ""))
        return row((f" {sign} {view.outcome} ", f"reverse {style}"), "  ")
    if view.ending:
        return row((" ■ ENDING ", "reverse bold red"), "  ")
    if view.held:
        return row((" ⏸ HELD ", "reverse yellow"), "  ")
    return row((f" {badge} ", "reverse"), "  ") if badge else Text()


def scenarios(view: RunView, width: int) -> Text:
    """All scenarios with their outcomes; where there is little room, only the title of the one under way."""
    return fitting((_scenarios(view, titles) for titles in ("all", "current", "none")), width)


def _scenarios(view: RunView, titles: str) -> Text:
    text = row()
    for index, scenario in enumerate(view.plan.playbook.scenarios):
        outcome, current = view.outcomes.get(index), index == view.scenario
        sign, style = OUTCOMES.get(outcome, ("■", "")) if outcome is not None else ("●", "bold") if current else ("○", "dim")
        title = f" {scenario.title}" if titles == "all" or (titles == "current" and current) else ""
        text.append("   " if text else "").append(f"{index + 1}{title} {sign}", style=style)
    return text


def phases(view: RunView, now: datetime, width: int) -> Text:
    """The five phases and how long the present one takes; outside a scenario, what is waited for."""
    if view.scenario is None or (not view.phase and not view.done):
        return row((waiting(view, now), "bold"))
    return fitting((_phases(view, now, names) for names in (True, False)), width)


def _phases(view: RunView, now: datetime, names: bool) -> Text:
    text = row()
    for phase in Phase:
        text.append("   " if text else "")
        if phase in view.done:
            text.append(f"✔ {phase}" if names else "✔", style="green")
        elif phase == view.phase:
            text.append(f"● {phase}{since(view, now)}", style="bold")
        else:
            text.append(f"○ {phase}" if names else "○", style="dim")
    if not view.phase and not view.outcome and names:
        text.append(f"   {waiting(view, now)}", style="bold")
    return text


def clocks(view: RunView, width: int) -> Text:
    """The three clocks, each with what stopped it."""
    return fitting((_clocks(view, how) for how in (True, False)), width)


def _clocks(view: RunView, how: bool) -> Text:
    text = row()
    for name, key in CLOCKS.items():
        found = view.clocks.get(key)
        text.append("      " if text else "").append(f"{name} ", style="dim")
        text.append(clock(found[0]) if found else "?" if view.veiled else "–", style="bold" if found else "dim")
        text.append(f"  {found[1]}" if found and how else "")
    return text


def bill(view: RunView, width: int) -> Text:
    """What the customers paid: the totals of the day against their caps, and the time outside steady state."""
    if view.veiled:
        return row(("customers ", "dim"), "? (told at the reveal)")
    return fitting((row(("customers ", "dim"), each) for each in bills(view)), width)
