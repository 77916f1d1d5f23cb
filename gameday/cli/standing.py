"""How things stand while a run goes on: each expectation's verdict so far, and how near each guardrail is. From the record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gameday.event import EventKind
from gameday.language import Guardrail
from gameday.observation import Recent, WatchState, ticks
from gameday.record import Phase, RunRecord
from gameday.verdicts import judge

if TYPE_CHECKING:
    from gameday.view import RunView

Row = dict[str, object]


def expectations(record: RunRecord, view: RunView, index: int) -> list[Row]:
    """Each expectation of a scenario with its verdict so far; `final` once the day itself has judged."""
    final = view.judged.get(index)
    if final is not None:
        return [{**each, "final": True} for each in final]
    if not any(event.scenario == index for event in record.events):
        expected = record.plan.playbook.scenarios[index].expect
        return [{"expectation": str(each), "word": None, "seen": "not begun", "final": False} for each in expected]
    return [{**each.model_dump(mode="json"), "final": False} for each in judge(record, index)]


def guardrails(record: RunRecord, view: RunView) -> list[Row]:
    """Each guardrail: `breached`, `counting` (part of it holds), `clear`, `unknown` (no sample yet), or `not watched` in this phase."""
    seen = {event.text("guardrail"): event.text("seen") for event in record.of(EventKind.BREACH)}
    state = _watched(record, view)
    return [_guardrail(view, state, place, each, seen.get(str(each))) for place, each in enumerate(record.plan.playbook.abort_when)]


def _watched(record: RunRecord, view: RunView) -> WatchState | None:
    """What the observer carries by now; None where guardrails are not watched: only from inject to recover."""
    if view.outcome or view.scenario is None or view.phase not in (Phase.INJECT, Phase.OBSERVE):
        return None
    began, yardstick, state = record.phase(view.scenario, Phase.INJECT), view.yardstick, record.plan.empty_state()
    for at, tick in ticks(record.between(began.start, None)) if began else ():
        state, _ = yardstick.advance(state, at, tick)
    return state


def _guardrail(view: RunView, state: WatchState | None, place: int, rail: Guardrail, breach: str | None) -> Row:
    memory = state.recent[place] if state and place < len(state.recent) else None
    counts = not rail.in_total and rail.lasting is None
    yardstick = view.yardstick
    total = view.totals.totals.get(rail.probe) if rail.in_total and view.totals else None
    limit = rail.tolerance.limit(yardstick.unit(rail.probe), yardstick.baseline(rail.probe)) if rail.tolerance else None
    return {
        "guardrail": str(rail),
        "probe": rail.probe,
        "state": "breached" if breach is not None else _state(state, memory),
        "seen": breach,
        "limit": limit,
        "hits": sum(memory.hits) if memory and counts else None,
        "hits_needed": rail.hits if counts else None,
        "samples": rail.window if counts else None,
        "since": memory.since.isoformat() if memory and memory.since and rail.lasting is not None else None,
        "for_s": rail.lasting.total_seconds() if rail.lasting is not None else None,
        "total": total.increase if total else None,
    }


def _state(state: WatchState | None, memory: Recent | None) -> str:
    if state is None:
        return "not watched"
    if memory is None:
        return "unknown"
    return "counting" if any(memory.hits) else "clear"
