"""One line for people about each event: what happened, to what. The same in the live view, in plain output and in a replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gameday.by_hand import at, is_word
from gameday.event import Event, EventKind
from gameday.guess import Commitment
from gameday.plan import Plan, RunKind
from gameday.predictions import Measured
from gameday.printable import printable
from gameday.units import clock, spoken
from gameday.verdicts import points


class Seen(Protocol):
    """What a line needs of the view it belongs to."""

    plan: Plan
    injected_at: datetime | None


@dataclass(frozen=True)
class Line:
    """A line of the timeline. `tone` is good, bad, warn, human or empty: colour is never alone, the words say it too.

    `stops` are the clocks that the event stopped, in words: `detected`. `event` is the event's id.
    """

    at: datetime
    offset: timedelta | None
    what: str
    text: str
    tone: str = ""
    stops: tuple[str, ...] = ()
    event: str = ""

    @property
    def since_inject(self) -> str:
        """The offset from inject, `+0:23`; empty before it."""
        return f"+{clock(self.offset)}" if self.offset is not None else ""

    @property
    def said(self) -> str:
        """The text, and which clocks it stopped."""
        return " · ".join((self.text, *self.stops))

    def plain(self, plan: Plan) -> str:
        """As plain text: local time, offset from inject, what, text."""
        return f"{self.at.astimezone(plan.zone):%H:%M:%S}  {self.since_inject:>7}  {self.what:<10} {self.said}"


def line(event: Event, view: Seen, stops: tuple[str, ...] = ()) -> Line | None:
    """The line of an event; None for what is only bookkeeping."""
    said = _SAY.get(event.kind)
    if said is None:
        return None
    what, text, tone = said(event, view.plan)
    if not text:
        return None
    offset = event.at - view.injected_at if view.injected_at and event.at >= view.injected_at else None
    return Line(event.at, offset, what, printable(" ".join(text.split())), tone, stops, event.id)


def _quoted(text: str) -> str:
    return f": “{text}”" if text else ""


def _proof(event: Event) -> str:
    proof = event.data.get("proof")
    lines = [each for each in proof if isinstance(each, dict)] if isinstance(proof, list) else []
    return "; ".join(f"{each.get('after')}" for each in lines)


def _by_word(event: Event) -> bool:
    """Whether all that is known of it is somebody's word, or that nobody was asked."""
    proof = event.data.get("proof")
    return isinstance(proof, list) and any(is_word(str(each.get("state"))) for each in proof if isinstance(each, dict))


def _as_before(event: Event) -> str:
    """Said only where every step was read back so: a process that was started again is another one."""
    proof = event.data.get("proof")
    states = {each.get("state") for each in proof if isinstance(each, dict)} if isinstance(proof, list) else set()
    return ", as before" if states <= {"before"} else ""


def _took(event: Event) -> str:
    return spoken(timedelta(milliseconds=float(event.text("took_ms") or 0)))


def _fault_ended(event: Event, _: Plan) -> tuple[str, str, str]:
    name, outcome = event.text("name"), event.text("outcome")
    if outcome == "not-injected":
        undone = f"; {_proof(event)}" if _by_word(event) else ""
        return "fault", f"{name} was not put on ({event.text('reason')}){undone}", "warn"
    if _by_word(event):
        return "fault", f"{name} {outcome} after {_took(event)}; {_proof(event)}", "good"
    how = {
        "reverted": f"{name} reverted in {_took(event)}; read back: {_proof(event)}{_as_before(event)}",
        "expired": f"{name} ended by its own deadline ({event.text('reason')}); read back: {_proof(event)}",
        "neutralised": f"{name} was taken away by others; read back: {_proof(event)}; it is not put on again",
        "spent": f"{name} is over ({_proof(event)})",
    }
    return "fault", how.get(outcome, f"{name}: {outcome}"), "good"


def _begins(plan: Plan) -> str:
    """What kind of run it is: nobody may take one for another."""
    how = {
        RunKind.DAY: f"{plan.playbook.name} begins",
        RunKind.REHEARSAL: f"a rehearsal of {plan.playbook.name} begins: each fault for a moment, on one target",
        RunKind.DRY: f"a dry run of {plan.playbook.name} begins: nothing is changed",
    }
    return how[plan.kind]


def _labels(event: Event) -> str:
    targets = event.data.get("targets")
    found: list[Any] = targets if isinstance(targets, list) else []
    return "; ".join(f"{each['fault']} → {each['label']}" for each in found)


def _dirty(event: Event, plan: Plan) -> tuple[str, str, str]:
    problems = event.data.get("problems")
    why = "; ".join(map(str, problems)) if isinstance(problems, list) else "unproven"
    scenario = plan.playbook.scenarios[event.scenario] if event.scenario is not None else None
    plan_text = f" By hand: {'; '.join(scenario.rollback_plan)}" if scenario and scenario.rollback_plan else ""
    goes_on = "`gameday done` says when it is." if event.text("by") else "It is tried again for ever."
    return "DIRTY", f"{event.text('name')}{at(event.text('label'))} is not proven gone: {why}. {goes_on}{plan_text}", "bad"


def _active(event: Event) -> str:
    how = f"after {_took(event)}" if _by_word(event) else f"read back in {_took(event)}"
    return f"{event.text('name')} is on: {event.text('label')}; {how}: {_proof(event)}"


def _asked(event: Event, plan: Plan) -> tuple[str, str, str]:
    until = f", until {_local(event.text('until'), plan)}" if event.text("until") else ""
    said = f"asks {event.text('by')}: {event.text('text')}{until}; `gameday done {plan.run_id} {event.text('name')}` says that it is done"
    return "by hand", said, "warn"


def _verdicts(event: Event, _: Plan) -> tuple[str, str, str]:
    judged = event.data.get("judgements")
    found: list[Any] = judged if isinstance(judged, list) else []
    upheld, needed = points(each["word"] for each in found)
    rest = "; ".join(f"{each['expectation']}: {each['word']} ({each['seen']})" for each in found if each["word"] != "upheld")
    text = f"{upheld} of {needed} expectations upheld" + (f"; {rest}" if rest else "") if found else "nothing was expected"
    return "verdict", text, "good" if upheld == needed else "warn"


def _opened(event: Event) -> str:
    """What was predicted, question by question, with what was measured."""
    made, measured = event.data.get("predictions"), event.data.get("measured")
    answers: dict[str, list[str]] = {}
    for each in made if isinstance(made, list) else ():
        read = Commitment.model_validate(each)
        for guess in read.guesses:
            answers.setdefault(guess.question, []).append(f"{read.name} {guess.answer}")
    said = {read.question: read.said for each in (measured if isinstance(measured, list) else ()) for read in [Measured.model_validate(each)]}
    return "; ".join(f"{question}: {', '.join(who)}{f' (it was {said[question]})' if question in said else ''}" for question, who in answers.items())


def _note(event: Event, _: Plan) -> tuple[str, str, str]:
    about = {"went-well": "went well", "went-wrong": "went wrong", "lucky": "lucky", "action": "action item"}.get(event.text("about"), "")
    owner = f" ({', '.join(filter(None, (event.text('owner'), event.text('due'))))})" if event.text("owner") or event.text("due") else ""
    return event.actor or "note", f"{about + ': ' if about else ''}“{event.text('text')}”{owner}", "human"


def _alert(event: Event) -> tuple[str, str, str]:
    """One that nobody had expected is put before the commander at once: it may be no drill."""
    firing = f"{event.text('alert')} is firing"
    if event.data.get("expected"):
        return "alert", firing, "warn"
    if event.text("class") == "unrelated":
        return "alert", f"{firing} (before anything was put on)", "warn"
    return "ALERT", f"{firing}, and nobody had expected it. If this is no drill: `gameday real`", "bad"


def _latest(event: Event, plan: Plan) -> str:
    return f", until {_local(event.text('until'), plan)} at the latest" if event.text("until") else ""


def _planned(event: Event, plan: Plan) -> str:
    return f", planned for {_local(event.text('planned'), plan)}" if event.text("planned") else ""


def _said(what: str, text: Any, tone: str = "") -> Any:
    """An entry whose text is made from the event alone."""
    return lambda event, _: (what, text(event), tone)


_SAY: dict[EventKind, Any] = {
    EventKind.RUN_STARTED: lambda e, p: ("start", f"{_begins(p)}, started by {e.actor}: {p.playbook.objective}", ""),
    EventKind.REHEARSED: lambda e, _: (
        e.text("state"),
        f"{e.text('about')}: {e.text('said')}",
        {"ok": "good", "part": "warn"}.get(e.text("state"), "bad"),
    ),
    EventKind.CHECKLIST_TICKED: _said("checklist", lambda e: f"{e.text('item')} ✔ ({e.actor})", "human"),
    EventKind.READY: _said("ready", lambda e: f"{e.actor} is ready{_quoted(e.text('note'))}", "human"),
    EventKind.UNREADY: _said("ready", lambda e: f"{e.actor} is not ready{_quoted(e.text('reason'))}", "warn"),
    EventKind.GATE_WAITING: lambda e, p: (
        "gate",
        f"waiting for a go ({e.text('gate')}) until {_local(e.text('until'), p)}; silence stands down",
        "warn",
    ),
    EventKind.GATE_OPENED: _said("go", lambda e: f"{e.text('gate')}: {e.text('how')}{f' by {e.actor}' if e.actor else ''}", "human"),
    EventKind.GATE_SILENT: _said("gate", lambda e: f"{e.text('gate')}: {e.text('reason')}", "warn"),
    EventKind.HELD: _said("hold", lambda e: f"held by {e.actor}{_quoted(e.text('reason'))}", "human"),
    EventKind.RESUMED: _said("resume", lambda e: f"resumed by {e.actor}", "human"),
    EventKind.TARGETS_FOUND: _said("targets", _labels),
    EventKind.GO_VOID: _said("go", lambda e: f"the go is void: {e.text('reason')}", "warn"),
    EventKind.SCENARIO_BEGAN: lambda e, p: ("scenario", f"{(e.scenario or 0) + 1} {e.text('title')}{_planned(e, p)}", ""),
    EventKind.SCENARIO_STOOD_DOWN: _said("stand-down", lambda e: f"nothing is injected: {e.text('reason')}", "warn"),
    EventKind.SCENARIO_ENDED: _said("scenario", lambda e: f"{(e.scenario or 0) + 1} ended: {e.text('outcome') or 'how is told at the reveal'}"),
    EventKind.REST_BEGAN: lambda e, p: (e.text("rest"), f"until {_local(e.text('until'), p)}; notes, and a reveal, are still this scenario's", ""),
    EventKind.PHASE_BEGAN: lambda e, p: ("phase", f"{e.text('phase')}{_latest(e, p)}", ""),
    EventKind.FAULT_ASKED: _asked,
    EventKind.FAULT_ACTIVE: _said("inject", _active, "warn"),
    EventKind.FAULT_FAILED: _said("inject", lambda e: f"{e.text('name')} could not be put on: {e.text('reason')}", "bad"),
    EventKind.FAULT_DIRTY: _dirty,
    EventKind.FAULT_ENDED: _fault_ended,
    EventKind.ALERT_FIRING: lambda event, _: _alert(event),
    EventKind.ALERT_RESOLVED: _said("alert", lambda e: f"{e.text('alert')} is resolved", "good"),
    EventKind.STEADY_LOST: _said("steady", lambda e: f"lost: expected {e.text('what')}", "bad"),
    EventKind.STEADY_BACK: _said("steady", lambda e: f"back, {e.text('samples')} samples in a row", "good"),
    EventKind.BREACH: _said("guardrail", lambda e: f"{e.text('guardrail')} holds: {e.text('seen')}", "bad"),
    EventKind.OBSERVER_GAP: _said("gap", lambda e: e.text("reason"), "warn"),
    EventKind.CARD: _said("card", lambda e: e.text("say"), "human"),
    EventKind.NOTE: _note,
    EventKind.MARK: _said("mark", lambda e: f"{e.actor} marks {e.text('clock')}", "human"),
    EventKind.REVEALED: _said("reveal", lambda e: f"revealed by {e.actor}", "human"),
    EventKind.SKIPPED: _said("skip", lambda e: f"skipped by {e.actor}{_quoted(e.text('reason'))}", "human"),
    EventKind.EXTENDED: _said("extend", lambda e: f"extended by {spoken(timedelta(seconds=float(e.text('by') or 0)))} ({e.actor})", "human"),
    EventKind.ABORTED: _said("abort", lambda e: f"{f'by {e.actor}' if e.actor else 'by ' + e.text('by')}{_quoted(e.text('reason'))}", "bad"),
    EventKind.REFUSED: _said("refused", lambda e: f"{e.text('verb')}: {e.text('reason')}", "warn"),
    EventKind.REAL_CALLED: _said(
        "REAL", lambda e: f"a real incident, called by {e.actor}{_quoted(e.text('reason'))}; everything is taken off, the seals are open", "bad"
    ),
    EventKind.HANDED_OVER: _said("command", lambda e: f"{e.text('to')} commands now, handed over by {e.actor}", "human"),
    EventKind.PRESENCE_LOST: lambda e, p: (
        "presence",
        f"is somebody still there? Nobody who may decide since {_local(e.text('since'), p)}; any command says so, until {_local(e.text('until'), p)}",
        "bad",
    ),
    EventKind.PRESENCE_BACK: _said("presence", lambda e: f"{e.text('name') or e.actor or 'somebody'} is there", "good"),
    EventKind.PRESENCE_WAIVED: _said("presence", lambda _: "nobody is there; the playbook says that the day goes on", "warn"),
    EventKind.PREDICTED: _said("predict", lambda e: f"{e.actor} has predicted: kept until the scenario is over", "human"),
    EventKind.PREDICTIONS_OPENED: _said("predict", _opened, "human"),
    EventKind.VERDICTS: _verdicts,
    EventKind.RUN_ERROR: _said("error", lambda e: e.text("what"), "bad"),
    EventKind.RUN_ENDED: _said("end", lambda e: e.text("outcome")),
}


def _local(moment: str, plan: Plan) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(plan.zone):%H:%M:%S}"
