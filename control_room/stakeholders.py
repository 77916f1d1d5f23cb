"""What support and others are told who do not take part: in their words, and nothing of what is broken."""

from __future__ import annotations

from control_room.blocks import Blocks, built, plain, section
from gameday.event import Event, EventKind
from gameday.plan import RunKind
from gameday.said import proven_late
from gameday.verdicts import Outcome
from gameday.view import RunView

TOLD = frozenset({EventKind.RUN_STARTED, EventKind.REAL_CALLED, EventKind.RUN_ENDED, EventKind.FAULT_ENDED})


def post(event: Event, view: RunView) -> tuple[str, Blocks] | None:
    """What the channels are told of an event; None for nothing. A rehearsal and a dry run are nobody's business."""
    if view.plan.kind is not RunKind.DAY:
        return None
    text = _text(event, view)
    return (text, built([section(plain(text))])) if text else None


def _text(event: Event, view: RunView) -> str:
    playbook = view.plan.playbook
    match event.kind:
        case EventKind.RUN_STARTED:
            until = f" until {playbook.times.stop} ({playbook.times.zone})" if playbook.times.stop else ""
            who = playbook.team.commander.name if playbook.team.commander else view.plan.started_by.name
            later = view.plan.start_at if view.plan.start_at and view.plan.start_at > event.at else None
            begins = f"will begin at {later.astimezone(view.plan.zone):%H:%M}" if later else "is beginning"
            return (
                f"A practice exercise {begins} in {playbook.environment}{until}: {playbook.name}. You may notice short disturbances."
                f" Tell customers what you would tell them otherwise, and tell {who} what you hear."
            )
        case EventKind.REAL_CALLED:
            return f"The exercise {playbook.name} has been stopped, because a real incident has begun. It is no exercise any more."
        case EventKind.RUN_ENDED if event.text("outcome") == Outcome.STOOD_DOWN:
            return f"The exercise {playbook.name} does not take place today. Nothing was disturbed."
        case EventKind.RUN_ENDED if event.text("outcome") == Outcome.DIRTY:
            return f"The exercise {playbook.name} is over, and not everything is proven to be as it was before. People are working on it."
        case EventKind.FAULT_ENDED if proven_late(event, view):
            return f"All clear: everything that the exercise {playbook.name} disturbed is as it was before."
        case EventKind.RUN_ENDED:
            return f"All clear: the exercise {playbook.name} is over, and everything is as it was before."
        case _:
            return ""
