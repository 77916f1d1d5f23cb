"""The response room: it plays the failure as real. What is shown here is made from the record as a responder may see it, and from nothing else."""

from __future__ import annotations

from slack_sdk.models.blocks import ButtonElement

from control_room.blocks import Blocks, actions, built, button, harmless, plain, section
from control_room.control import stopping, taking_part
from gameday.event import Event, EventKind
from gameday.plan import RunKind
from gameday.said import proven_late
from gameday.verdicts import Outcome
from gameday.view import RunView

TOLD = frozenset({EventKind.CARD, EventKind.REVEALED, EventKind.REAL_CALLED, EventKind.RUN_ENDED, EventKind.FAULT_ENDED})
"""What the room is told of, beside the drill itself."""


def announcement(view: RunView) -> tuple[str, Blocks]:
    """A drill is on: what it is called, until when, and that anybody can stop it."""
    playbook = view.plan.playbook
    if view.outcome == Outcome.STOOD_DOWN:
        return f"{playbook.name} does not take place", built([section(f"*{plain(playbook.name)}* does not take place.")])
    if view.outcome:
        text = f"*{plain(playbook.name)}* is over."
        return f"{playbook.name} is over", built([section(text)])
    until = f" until {playbook.times.stop}" if playbook.times.stop else ""
    text = f"*{plain(playbook.name)}*: a drill is on{until}. Treat what you see as real. Anyone can stop it: `/gameday abort`."
    return f"{playbook.name}: a drill is on", built([section(text), *actions("people", _part(view)), *actions("stop", stopping(view))])


def _part(view: RunView) -> list[ButtonElement]:
    """The same as in the control room, but for what would tell that a sealed scenario has begun: its marks are always there."""
    run = {"run": view.plan.run_id}
    shown = [each for each in taking_part(view) if each.action_id not in ("mark-detected", "mark-mitigated", "note")]
    marks = [button("mark-detected", "Detected", {**run, "clock": "detected"}), button("mark-mitigated", "Mitigated", {**run, "clock": "mitigated"})]
    return [*shown, *marks, button("note", "Note", run)]


def post(event: Event, view: RunView) -> tuple[str, Blocks] | None:
    """What the room is told of an event that it may see; None for nothing."""
    match event.kind:
        case EventKind.CARD:
            return harmless(event.text("say")), built([section(plain(event.text("say")))])
        case EventKind.REVEALED:
            return "The scenario is revealed", built([section("\n".join(_opened(event, view)))])
        case EventKind.REAL_CALLED:
            text = f"This is no drill any more: {plain(event.actor or 'somebody')} calls a real incident. Everything of the drill is taken off."
            return "A real incident is called", built([section(text)])
        case EventKind.RUN_ENDED:
            return all_clear(view)
        case EventKind.FAULT_ENDED if proven_late(event, view):
            text = f"*{plain(view.plan.playbook.name)}*: it is proven now that everything is off."
            return f"{view.plan.playbook.name}: everything is off", built([section(text)])
        case _:
            return None


def _opened(event: Event, view: RunView) -> list[str]:
    scenario = view.plan.playbook.scenarios[event.scenario or 0]
    faults = "; ".join(f"`{fault.name}` ({plain(fault.inject)} on {plain(str(fault.on))})" for fault in scenario.faults)
    return [f"*Revealed: {plain(scenario.title)}*", plain(scenario.hypothesis), f"What was put on: {faults}"]


def all_clear(view: RunView) -> tuple[str, Blocks]:
    """The end, with what is left: nothing, or what is not proven gone."""
    dirty = [row for row in view.all_faults if row.outcome == "dirty"]
    left = "It is not proven that everything is off; people are on it." if dirty or view.outcome == "dirty" else "Everything is off."
    if view.outcome == Outcome.STOOD_DOWN:
        left = "It did not take place."
    text = f"*{plain(view.plan.playbook.name)}*: the drill is over. {left}"
    survey = [button("survey", "How was it?", {"run": view.plan.run_id})] if view.plan.kind is RunKind.DAY else []
    return f"{view.plan.playbook.name}: the drill is over", built([section(text), *actions("survey", survey)])
