"""The control room's message: a run at a glance, kept up to date in place, and what is said in its thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from slack_sdk.models.blocks import Block, ButtonElement, StaticSelectElement

from control_room.blocks import Blocks, actions, built, button, choice, context, mention, plain, section
from control_room.identity import Directory
from gameday.commands import Actor, Verb
from gameday.language import Clock
from gameday.lines import Line
from gameday.observation import Verdict
from gameday.offers import why_not
from gameday.playbook import Role
from gameday.rows import FaultRow
from gameday.said import bills, commander, ends, limit_of, since, steady, waiting
from gameday.units import clock
from gameday.view import RunView

SIGNS = {Verdict.GOOD: "✔", Verdict.BAD: "✘", Verdict.UNKNOWN: "?"}
OUTCOMES = {"passed": "✔", "failed": "✘", "aborted": "■", "stood-down": "–", "error": "✘", "dirty": "✘"}
MOST_PROBES, MOST_FAULTS, MOST_ITEMS = 12, 8, 10
LONGER = (("2 minutes", "2m"), ("5 minutes", "5m"), ("10 minutes", "10m"), ("15 minutes", "15m"))


def message(view: RunView, now: datetime, leases: Mapping[str, float], directory: Directory) -> tuple[str, Blocks]:
    """The text for a notification, and the blocks. `leases`: seconds left, of the faults whose journal is at hand."""
    parts: list[Block] = [section("\n".join(_top(view, now, directory)))]
    if view.plan.playbook.probes and (view.probes or view.scenario is not None):
        parts.append(section("\n".join(_measured(view))))
    if view.faults:
        parts.append(section("\n".join(_faults(view, now, leases))))
    parts += _checklist(view)
    if view.gate and view.targets:
        parts.append(context("A go touches exactly: " + "; ".join(plain(each) for each in view.targets)))
    parts += buttons(view)
    return f"{view.plan.playbook.name}: {_badge(view) or view.phase or 'under way'}", built(parts)


def _top(view: RunView, now: datetime, directory: Directory) -> Iterator[str]:
    playbook = view.plan.playbook
    who = commander(view)
    user = directory.slack_id(playbook, who)
    kind = "" if view.plan.kind == "day" else f" · *{view.plan.kind}*"
    stop = f" · stop {playbook.times.stop}" if playbook.times.stop and not view.outcome else ""
    yield f"*{plain(playbook.name)}* · {plain(playbook.environment)}{kind} · `{view.plan.run_id}` · commander {mention(user) or plain(who)}{stop}"
    badge = _badge(view)
    if badge:
        yield f"*{badge}*{f': {plain(view.reason or view.ending)}' if view.reason or view.ending else ''}"
    yield _place(view, now)
    if view.gate:
        yield _gate(view, now)
    if view.scenario is not None:
        names = (("detected", Clock.DETECT), ("mitigated", Clock.MITIGATE), ("recovered", Clock.RECOVER))
        stopped = [(name, view.clocks.get(key)) for name, key in names]
        yield "   ".join(f"● {name} {clock(found[0])}" if found else f"○ {name}{' ?' if view.veiled else ''}" for name, found in stopped)


def _badge(view: RunView) -> str:
    if view.outcome:
        return f"{OUTCOMES.get(view.outcome, '')} {view.outcome}".strip()
    return "■ ending: everything is taken off" if view.ending else "⏸ held" if view.held else ""


def _place(view: RunView, now: datetime) -> str:
    """Which scenario, which phase, how long still; or what is waited for."""
    scenarios = view.plan.playbook.scenarios
    if view.scenario is None or (not view.phase and not view.gate):
        done = " ".join(f"{index + 1} {OUTCOMES.get(outcome, '')}" for index, outcome in sorted(view.outcomes.items()))
        return plain(" · ".join(filter(None, (done, waiting(view, now))))) or ("the day has not begun" if view.gate else "over")
    title = f"*{view.scenario + 1} of {len(scenarios)} {plain(scenarios[view.scenario].title)}*"
    return " · ".join(filter(None, (title, view.phase + since(view, now))))


def _gate(view: RunView, now: datetime) -> str:
    """What is waited for, and what happens when nobody says it."""
    left = f"{clock(view.gate_until - now)} left, then it stands down" if view.gate_until else "silence stands down"
    left = "held, so that its time stands still" if view.held else left
    return " · ".join(filter(None, (f"*waiting for a go ({view.gate})*", lacking(view), left)))


def lacking(view: RunView) -> str:
    """How many are ready and how much of the checklist is ticked, where the gate that waits asks for it."""
    asked = view.open_gate
    ready = f"ready {len(view.ready)} of {asked.ready}" if asked and asked.ready else ""
    items = f"checklist {len(view.ticked)} of {len(view.plan.playbook.checklist)}" if asked and asked.checklist else ""
    return " · ".join(filter(None, (ready, items)))


def _measured(view: RunView) -> Iterator[str]:
    if view.veiled:
        yield "_measured, and told at the reveal_"
        return
    names = list(view.plan.playbook.probes)
    for name in names[:MOST_PROBES]:
        row = view.probes.get(name)
        verdict = view.verdict(name)
        now = view.yardstick.show(name, row.sample.value) if row and row.sample else "–"
        why = f" ({plain(row.sample.unknown)})" if row and row.sample and row.sample.unknown else ""
        rails = [limit_of(each) for each in view.plan.playbook.abort_when if each.probe == name]
        asked = [*([f"steady {steady(view, name)}"] if steady(view, name) else []), *(f"abort {each}" for each in rails)]
        limits = plain(f" ({', '.join(asked)})") if asked else ""
        yield f"{SIGNS[verdict] if verdict else '·'} {plain(name)} *{now}*{why}{limits}"
    if len(names) > MOST_PROBES:
        yield f"and {len(names) - MOST_PROBES} more"
    yield f"Customers: {plain(next(bills(view)))}"


def _faults(view: RunView, now: datetime, leases: Mapping[str, float]) -> Iterator[str]:
    shown = list(view.faults.items())
    for fault_id, row in shown[:MOST_FAULTS]:
        yield f"`{row.name}` {plain(row.label)}: *{row.state}*{_lease(row, leases.get(fault_id))}{_ends(row, view, now)}"
    if len(shown) > MOST_FAULTS:
        yield f"and {len(shown) - MOST_FAULTS} more"


def _lease(row: FaultRow, left: float | None) -> str:
    if row.state not in ("armed", "active", "reverting"):
        return ""
    return ", lease ? (its journal is on another host)" if left is None else f", lease {max(left, 0):.0f} s"


def _ends(row: FaultRow, view: RunView, now: datetime) -> str:
    said = ends(row, view, now)
    when = "" if row.ended_at or row.asked or row.state == "dirty" else "ends "
    return f", {when}{plain(said)}" if said else ""


def _checklist(view: RunView) -> Iterator[Block]:
    """The items that are not ticked, each with its box; once nothing is waited for any more they are not in the way."""
    open_items = [(number, each) for number, each in enumerate(view.plan.playbook.checklist, 1) if each.item not in view.ticked]
    if view.outcome or view.ending or view.injected_at is not None:
        return
    for number, each in open_items[:MOST_ITEMS]:
        tick = button("tick", "Tick", {"run": view.plan.run_id, "item": str(number)})
        yield section(f"☐ {plain(each.item)}{f' ({plain(each.owner)})' if each.owner else ''}", tick)
    if len(open_items) > MOST_ITEMS:
        yield context(f"and {len(open_items) - MOST_ITEMS} more of the checklist")


def commanding(view: RunView) -> list[ButtonElement | StaticSelectElement]:
    """What a commander may say now."""
    run = {"run": view.plan.run_id}
    leader = Actor(id="slack:?", name=commander(view), role=Role.COMMANDER)
    able = {verb for verb in Verb if why_not(view, leader, verb) is None}
    found: list[ButtonElement | StaticSelectElement] = []
    if view.gate:  # where two people are asked for, it is another one's to say
        found.append(button("go", "Go", {**run, "gate": view.gate, "targets": view.targets_digest}, "primary"))
    found += [button(str(verb), label, run) for verb, label in ((Verb.HOLD, "Hold"), (Verb.RESUME, "Resume")) if verb in able]
    if Verb.SKIP in able:
        found.append(button("skip", "Skip", run, sure=("What is on is taken off, and the day goes on with the next scenario.", "Skip")))
    if Verb.REVEAL in able:
        found.append(button("reveal", "Reveal", run, sure=("Everybody sees what this scenario is.", "Reveal")))
    if Verb.EXTEND in able:
        found.append(choice("extend", "Extend by…", [(label, f"{view.plan.run_id} {by}") for label, by in LONGER]))
    if Verb.HANDOVER in able:
        found.append(button("handover", "Hand over", run))
    for row in view.faults.values():
        if row.asked is not None and not view.veiled:  # whoever is asked has a button of their own
            carried = {**run, "fault": row.asked.fault, "half": row.asked.half}
            sure = (f"{row.asked.by} is asked: {row.asked.text}. It counts as done by your word.", "It is done")
            found.append(button(f"done-{row.asked.fault}", f"Done: {row.asked.fault}", carried, None, sure))
    return found


def stopping(view: RunView) -> list[ButtonElement]:
    """What anybody may say who wants it to end. Slack itself asks once, so that no dialog of ours need come up first."""
    if view.outcome or view.ending:
        return []
    run = {"run": view.plan.run_id}
    return [
        button("abort", "Abort", run, "danger", ("Everything is taken off and read back, and the day ends.", "Abort")),
        button("real", "This is real", run, None, ("A real incident: everything is taken off, the seals open, the day ends.", "It is real")),
    ]


def taking_part(view: RunView) -> list[ButtonElement]:
    """What participants may say now."""
    run = {"run": view.plan.run_id}
    if view.outcome:
        return [button("survey", "How was it?", run)] if view.plan.kind == "day" else []
    member = Actor(id="slack:?", name="?", role=Role.OBSERVER)
    able = {verb for verb in (Verb.READY, Verb.MARK) if why_not(view, member, verb) is None}
    found = []
    if Verb.READY in able and not view.injected_at:
        found += [button("ready", "Ready", run), button("unready", "Not ready", run)]
    if Verb.MARK in able:
        marks = (("detected", "Detected", Clock.DETECT), ("mitigated", "Mitigated", Clock.MITIGATE))
        found += [button(f"mark-{name}", label, {**run, "clock": name}) for name, label, key in marks if key not in view.clocks]
    if predictable(view):
        found.append(button("predict", f"Predict scenario {(upcoming(view) or 0) + 1}", run))
    return [*found, button("note", "Note", run)]


def predictable(view: RunView) -> bool:
    """Whether somebody may still predict something: the scenario that comes next has questions, and had no go."""
    index = upcoming(view)
    return index is not None and bool(view.plan.playbook.scenarios[index].predict) and not view.ending


def upcoming(view: RunView) -> int | None:
    """The next scenario that has had no go; None when there is none."""
    index = 0 if view.scenario is None else view.scenario + (view.injected_at is not None or view.scenario in view.outcomes)
    return index if index < len(view.plan.playbook.scenarios) and not view.outcome else None


def buttons(view: RunView) -> list[Block]:
    """Shown only when the run would accept it. Who presses one and may not is told so privately."""
    return [*actions("command", commanding(view)), *actions("people", taking_part(view)), *actions("stop", stopping(view))]


def told(line: Line, zone: ZoneInfo) -> str:
    """One event of the thread."""
    offset = f" _{line.since_inject}_" if line.since_inject else ""
    return f"{line.at.astimezone(zone):%H:%M:%S}{offset} *{plain(line.what)}* {plain(line.said)}"
