"""What people are asked to predict before they say go. Answers are worth something only before the fault is on, so the gate asks."""

from __future__ import annotations

from gameday.limits import Gate
from gameday.playbook import Playbook, Scenario
from gameday.view import RunView


def asked(view: RunView) -> str:
    """What to ask at the gate that waits; empty where none waits or nothing is asked."""
    return asked_at(view.plan.playbook, view.gate, view.scenario) if view.gate else ""


def asked_at(playbook: Playbook, gate: str, scenario: int | None) -> str:
    """`before you go, ask: first alert after? worst errors?`

    The playbook is the one that the viewer may see: what a sealed scenario asks is sealed with it. The day's gate asks for every scenario, where
    none has a gate of its own.
    """
    if gate != "day":
        said = _questions(playbook.scenarios[scenario]) if scenario is not None else ""
    elif isinstance(playbook.gates.inject, Gate):
        said = ""
    else:
        found = [(number, _questions(each)) for number, each in enumerate(playbook.scenarios, start=1)]
        several = len(playbook.scenarios) > 1
        said = "; ".join(f"{number}: {questions}" if several else questions for number, questions in found if questions)
    return f"before you go, ask: {said}" if said else ""


def _questions(scenario: Scenario) -> str:
    return " ".join(f"{str(each).rstrip(' ?')}?" for each in scenario.predict)
