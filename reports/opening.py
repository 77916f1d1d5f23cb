"""The head of a postmortem: what a manager reads. Facts only, each from the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from gameday.by_hand import at
from gameday.clocks import Bill
from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.plan import RunKind
from gameday.playbook import Role
from gameday.units import format_value, spoken
from gameday.verdicts import Outcome, Word, alerts_unread
from gameday.viewer import HIDDEN
from reports.probes import counters, increase, known_values
from reports.proofs import Proof, in_one_line, proofs
from reports.story import Day, Story
from reports.words import capital, counted, listed, offset, outside_steady_state, readable, said, stretch


def title(day: Day) -> str:
    """`Checkout day june: aborted`."""
    plan = day.record.plan
    name = readable(plan.playbook.name)
    return f"{capital(name) if plan.kind is RunKind.DAY else f'{capital(plan.kind)} of {name}'}: {day.outcome}"


def summary(day: Day) -> list[str]:
    """Two to four sentences: what was done, what customers felt, who noticed when, and how it ended."""
    kind = _KINDS.get(day.record.plan.kind, [])
    return [*kind, *_told(day)]


_KINDS = {
    RunKind.REHEARSAL: ["A rehearsal: probes and guardrails were tried, and each fault was put on one target for a moment, to see it come off."],
    RunKind.DRY: ["A dry run: nothing was changed, and something harmless stood for each fault."],
}


def _told(day: Day) -> list[str]:
    if any(story.injected for story in day.stories):
        parts = [_done(day), _felt(day), _noticed(day)]
        return [_end(day), *parts] if day.outcome in (Outcome.ERROR, Outcome.DIRTY) else [*parts, _end(day)]
    return [f"{capital(HIDDEN)}; what it does is sealed until the reveal." if day.closed else _nothing(day), _end(day)]


def _nothing(day: Day) -> str:
    kinds = (EventKind.SCENARIO_STOOD_DOWN, EventKind.NOT_STEADY, EventKind.GATE_SILENT, EventKind.FAULT_FAILED, EventKind.SKIPPED)
    reasons = (event.text("reason") or event.text("what") or event.text("gate") for event in day.record.of(*kinds))
    why = next(filter(None, reasons), "")
    return "Nothing was injected" + (f": {why}." if why else ".")


def _done(day: Day) -> str:
    injected = [story for story in day.stories if story.injected]
    words = Counter(str(judgement.word) for story in injected for judgement in story.judgements)
    faults = [fault for story in injected for fault in story.faults if fault.active_at]
    what = listed(dict.fromkeys(f"{fault.kind or fault.name}{at(fault.label)}" for fault in faults[:4]))
    more = f" and {len(faults) - 4} more" if len(faults) > 4 else ""
    where = f"in {day.record.plan.playbook.environment}"
    lead = said(injected[0].scenario.title) if len(injected) == 1 else counted(len(injected), "scenario")
    return f"{lead} ran {where} with {counted(len(faults), 'fault')} ({what}{more}); {_verdicts(words)}."


def _verdicts(words: Counter[str]) -> str:
    total = sum(words.values())
    if not total:
        return "no expectation was written down"
    if words[Word.UPHELD] == total:
        return "its expectation was upheld" if total == 1 else f"all {total} expectations upheld"
    rest = listed(f"{number} {word}" for word, number in words.items() if word != Word.UPHELD)
    return f"{words[Word.UPHELD]} of {counted(total, 'expectation')} upheld, {rest}"


def _felt(day: Day) -> str:
    if not day.record.plan.playbook.steady_state:
        return "No steady state was defined, so that what customers felt was not judged."
    bill = _bill(day)
    outside, unknown, more = bill.outside, bill.unknown_ticks, list(_more(bill))
    totals = listed(more)
    blind = f"; for {counted(unknown, 'sample')} it is unknown" if unknown else ""
    if not outside and unknown == bill.ticks:
        why = f"{counted(unknown, 'sample')}, and all unknown" if unknown else "no sample was taken"
        return f"Whether customers felt anything is not known: {why}" + (f"; {totals}." if totals else ".")
    if not outside and not more:
        felt = "No sample shows that customers felt anything" if unknown else "Customers felt nothing: steady state held in every sample"
        return f"{felt}{blind}."
    felt = f"Customers were outside steady state for {spoken(outside)}" if outside else "Steady state held"
    return felt + (f", with {totals}" if totals else "") + blind + "."


def _bill(day: Day) -> Bill:
    """What all scenarios cost together; of the totals those of counters."""
    bills = [story.bill for story in day.stories]
    counting = [probe for probe in day.record.plan.units if probe in counters(day.record)]
    return Bill(
        outside=sum((bill.outside for bill in bills), timedelta()),
        unknown_ticks=sum(bill.unknown_ticks for bill in bills),
        ticks=sum(bill.ticks for bill in bills),
        totals={probe: sum(bill.totals.get(probe, 0.0) for bill in bills) for probe in counting},
    )


def _more(bill: Bill) -> Iterator[str]:
    """The increase of each counter that grew."""
    return (f"{value:,.0f} more {readable(probe)}" for probe, value in bill.totals.items() if value)


def _noticed(day: Day) -> str:
    injected = [story for story in day.stories if story.injected]
    many = len(injected) > 1
    return capital("; ".join((f"in scenario {story.index + 1} " if many else "") + _detected(story) for story in injected)) + "."


def _detected(story: Story) -> str:
    allowed = next((each.within for each in story.scenario.expect if each.within and (each.alert or each.clock == "detected")), None)
    promise = f", expected within {spoken(allowed)}" if allowed else ""
    detect = story.clocks.detect
    if detect.after is None:
        return f"nobody noticed{', as far as is known' if alerts_unread(story.record, story.index) else ''}{promise}"
    return f"detected after {spoken(detect.after)} ({detect.how}{promise})"


def _end(day: Day) -> str:
    return f"{_stopped(day)}; {_clean(day)}."


_STOPPERS = {
    "guardrail": "A guardrail",
    "blind": "The observer, blind for too long,",
    "presence": "Nobody with authority was there, which",
    "stop": "The stop time",
    "cancelled": "A cancel from outside",
    "error": "An error",
}


def _stopped(day: Day) -> str:
    aborted = day.record.first(EventKind.ABORTED)
    if aborted is None:
        ended = day.record.last(EventKind.RUN_ENDED)
        if ended is None:
            return "The record has no end of the day"
        whole = len(day.record.scenarios()) == len(day.record.plan.playbook.scenarios)
        return "The day ran to its end" if whole or not ended.text("reason") else f"The day ended early: {ended.text('reason')}"
    story = next((story for story in day.stories if story.index == aborted.scenario), None)
    at = f" at {offset(aborted.at, story.injected)}" if story and story.injected else ""
    by = aborted.actor or _STOPPERS.get(aborted.text("by"), "The run")
    where = f" in scenario {aborted.scenario + 1}" if aborted.scenario is not None and len(day.stories) > 1 else ""
    why = f": {aborted.text('reason')}" if aborted.text("reason") else ""
    return f"{by} stopped the day{at}{where}{why}"


def _clean(day: Day) -> str:
    everything = all_proofs(day)
    begun = [proof for proof in everything if proof.fault.was_begun and proof.fault.outcome is not FaultOutcome.NOT_INJECTED]
    unclean = [f"{proof.fault.name}{at(proof.fault.label)}" for proof in everything if not proof.clean]
    if unclean:
        return f"NOT PROVEN CLEAN: {listed(unclean)}"
    if day.closed:
        return "whether the sealed scenario has left anything is not told here"
    if not begun:
        return "there was nothing to clean up"
    all_of_them = {1: "its fault is", 2: "both faults are"}.get(len(begun), f"all {len(begun)} faults are")
    late = [f"{proof.fault.name}{at(proof.fault.label)} only {spoken(proof.late)} after it was found dirty" for proof in everything if proof.late]
    said = [f"{proof.fault.name} {word}" for proof in begun if (word := proof.word)]
    if len(said) == len(everything) == 1:
        return f"its fault is gone {begun[0].word}, and nothing was read back" + (f", {listed(late)}" if late else "")
    rest = f"; of them {listed(said)}, where nothing was read back" if said else ""
    return f"{all_of_them} proven gone" + (f", {listed(late)}" if late else "") + rest


def all_proofs(day: Day) -> list[Proof]:
    return [proof for story in day.stories for proof in proofs(day.record, story.index)]


def facts(day: Day) -> list[tuple[str, str]]:
    """The table under the summary."""
    plan = day.record.plan
    when = f"{stretch(plan.started_at, day.last_at, plan.zone)} ({plan.playbook.times.zone}), {plan.playbook.environment}"
    proof = "; ".join(part for part in (in_one_line(all_proofs(day)), day.record.chain or "record not verified") if part)
    rows = [("When", when), ("Who", _who(day)), ("Customers", _customers(day)), ("Proof", proof)]
    rows += [("Checklist", _checklist(day))] if plan.playbook.checklist else []
    rows += [("Sealed", f"{HIDDEN}; nothing here tells of it")] if day.closed else []
    errors = [event.text("what") for event in day.record.of(EventKind.RUN_ERROR)]
    return rows + [("Error", what or "of the run itself") for what in errors]


def _checklist(day: Day) -> str:
    ticked = {event.text("item") for event in day.record.of(EventKind.CHECKLIST_TICKED)}
    items = [each.item for each in day.record.plan.playbook.checklist]
    left = [item for item in items if item not in ticked]
    return f"all {len(items)} ticked" if not left else f"{len(items) - len(left)} of {len(items)} ticked; not ticked: {listed(left)}"


_ROLES = {
    Role.COMMANDER: "commander",
    Role.TECHNICAL_LEAD: "technical lead",
    Role.SAFETY: "safety",
    Role.RESPONDER: "responders",
    Role.OBSERVER: "observers",
}


def _who(day: Day) -> str:
    team = day.record.plan.playbook.team
    members = team.members()
    parts = [f"{word} {listed(names)}" for role, word in _ROLES.items() if (names := [p.name for r, p in members if r is role])]
    away = [f"played absent: {listed(person.name for person in team.away)}"] if team.away else []
    return " · ".join([*parts, *away, f"started by {day.record.plan.started_by.name}"])


def _customers(day: Day) -> str:
    bill = _bill(day)
    judged = [outside_steady_state(bill)] if day.record.plan.playbook.steady_state else []
    unknown = [f"{counted(bill.unknown_ticks, 'sample')} unknown"] if bill.unknown_ticks else []
    return "; ".join([*_more(bill), *judged, *unknown, *_caps(day)]) or "not measured"


def _caps(day: Day) -> Iterator[str]:
    """How much of each cap on a total the day used up."""
    plan = day.record.plan
    for guardrail in plan.playbook.abort_when:
        limit = guardrail.tolerance.limit(plan.yardstick().unit(guardrail.probe), None) if guardrail.in_total and guardrail.tolerance else None
        if limit:
            used = increase(known_values(day.record, guardrail.probe))
            cap = format_value(limit, plan.yardstick().unit(guardrail.probe))
            yield f"{used / limit:.0%} of the day's cap of {cap} {readable(guardrail.probe)}".replace("%", " %", 1)
