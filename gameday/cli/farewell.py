"""The end of it: what is left behind, how it went, what surprised, where the report is."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from gameday.cli.screens import hanging
from gameday.errors import GamedayError
from gameday.verdicts import points
from gameday.view import RunView

if TYPE_CHECKING:
    from gameday.orders import DayResult
    from gameday.settings import Settings

INDENT = 11


def farewell(known: Settings, view: RunView, as_json: bool, result: DayResult | None = None) -> None:
    """Prints it. `result` is what the run itself returned; without it the record has the word."""
    if as_json:
        facts = result.model_dump(mode="json") if result else _result(known, view)
        print(json.dumps({"result": facts}), flush=True)
        return
    report = (result.report if result else "") or _report(known, view)
    missing = f"none yet; `gameday report {view.plan.run_id}` writes it"
    surprises = [line for each in _surprises(known, view) for line in hanging("surprise", each, INDENT)]
    print("\n".join(["", left_behind(view), "", *endings(view), *surprises, f"{'report':<{INDENT}}{report or missing}"]), flush=True)


def left_behind(view: RunView) -> str:
    """What became of every fault that was, or may have been, on: the first thing that anybody wants to know."""
    were_on = [row for row in view.all_faults if row.outcome != "not-injected" and row.state != "failed"]
    counted = Counter(row.outcome or "unproven" for row in were_on)
    clean = len(were_on) - counted["dirty"] - counted["unproven"]
    how = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
    total = f"{len(were_on)} fault{'s' * (len(were_on) != 1)}"
    if clean < len(were_on):
        asked = [row for row in were_on if row.asked is not None]
        next_ = "".join(f"; `gameday done {view.plan.run_id} {row.name}` says that it is undone by hand" for row in asked[:3])
        on_hosts = "" if len(asked) == len(were_on) - clean else ". It is tried again for ever; `gameday leftovers` on the host tells more"
        return f"NOT PROVEN CLEAN: {total}: {how}{on_hosts}{next_}"
    said = sum(row.by != "" for row in were_on)
    words = f", {said} of them by somebody's word alone" if said and len(were_on) > 1 else ", by somebody's word alone" if said else ""
    return f"nothing is left behind: {total}, {how}, 0 dirty{words}" if were_on else "nothing is left behind: no fault was on"


def endings(view: RunView) -> list[str]:
    """The outcome of the day, and of each scenario with the expectations that did not hold."""
    lines = list(hanging(view.outcome, view.reason or view.plan.playbook.objective, INDENT)) if view.outcome else []
    for index, scenario in enumerate(view.plan.playbook.scenarios):
        outcome = view.outcomes.get(index, "not begun")
        judged = view.judged.get(index, ())
        upheld, needed = points(str(each.get("word")) for each in judged)
        said = f", {upheld} of {needed} expectations upheld" if judged else ""
        lines += hanging("", f"{index + 1} {scenario.title}: {outcome}{said}", INDENT)
        for each in judged:
            if each.get("word") != "upheld":
                lines += hanging("", f"'{each.get('expectation')}' {each.get('word')}: {each.get('seen')}", INDENT + 2)
    return lines


def _surprises(known: Settings, view: RunView) -> list[str]:
    """What parted from what the team had expected, as the report has it."""
    from gameday.cli import context
    from reports.sealed import seen
    from reports.surprises import surprises

    try:
        record = context.store(known).read(view.plan.run_id)
    except GamedayError as error:  # how the day ended is known, and worth more than this
        return [f"the record cannot be read now ({error})"]
    day = seen(record, context.opens_seals(known, view.plan))
    return [each for story in day.stories for each in surprises(story)]


def _report(known: Settings, view: RunView) -> str:
    path = known.home / "runs" / view.plan.run_id / "postmortem.md"
    return str(path) if path.is_file() else ""


def _result(known: Settings, view: RunView) -> dict[str, object]:
    return {
        "run_id": view.plan.run_id,
        "outcome": view.outcome,
        "exit_code": view.exit_code,
        "reason": view.reason,
        "report": _report(known, view),
    }
