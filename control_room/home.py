"""The app's home: the runs that go on as their reader may see them, and what this reader may say to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block, ButtonElement, DividerBlock, StaticSelectElement
from slack_sdk.models.views import View

from control_room.blocks import actions, button, context, header, plain, section
from control_room.control import commanding, stopping, taking_part
from gameday.commands import Actor, Verb
from gameday.offers import why_not
from gameday.said import commander, waiting
from gameday.view import RunView

Views = Iterable[tuple[RunView, Actor]]
MOST_RUNS = 8
MOST_BLOCKS = 100


def home(views: Views, now: datetime) -> dict[str, Any]:
    """Each run with its reader's own part in it. The views are as this reader may see them."""
    blocks: list[Block] = [header("Game days")]
    shown = list(views)[:MOST_RUNS]
    for view, actor in shown:
        blocks += [*_run(view, actor, now), DividerBlock()]
    if not shown:
        blocks.append(section("No game day is going on. `/gameday help` says what there is."))
    return View(type="home", blocks=blocks[:MOST_BLOCKS]).to_dict()


def _run(view: RunView, actor: Actor, now: datetime) -> list[Block]:
    playbook, run = view.plan.playbook, view.plan.run_id
    part = f"You are {actor.role.replace('_', ' ')}." if actor.role else "You have no part in it."
    scenario = f"{view.scenario + 1} {playbook.scenarios[view.scenario].title}: {view.phase}" if view.scenario is not None and view.phase else ""
    where = scenario or waiting(view, now) or (f"waiting for a go ({view.gate})" if view.gate else "under way")
    blocks: list[Block] = [section(f"*{plain(playbook.name)}* · `{run}` · commander {plain(commander(view))}\n{plain(where)}"), context(part)]
    for number, each in enumerate(playbook.checklist, 1):
        if each.owner == actor.name and each.item not in view.ticked and not view.outcome:
            blocks.append(section(f"☐ {plain(each.item)}", button("tick", "Tick", {"run": run, "item": str(number)})))
    blocks += actions(f"command-{run}"[:250], _may(commanding(view), view, actor))
    blocks += actions(f"people-{run}"[:250], [*_may(taking_part(view), view, actor), *_may(stopping(view), view, actor)])
    return blocks


_SAYS: Mapping[str, Verb] = {str(verb): verb for verb in Verb}


def _may(elements: Iterable[ButtonElement | StaticSelectElement], view: RunView, actor: Actor) -> list[ButtonElement | StaticSelectElement]:
    """The buttons that this reader may press now."""
    found = []
    for each in elements:
        said, _, about = str(each.action_id).partition("-")
        verb = _SAYS.get(said)
        fault = about if verb is Verb.DONE and about else None
        if verb is None or verb is Verb.PREDICT or why_not(view, actor, verb, fault) is None:
            found.append(each)
    return found
