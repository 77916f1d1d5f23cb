"""What people say once a run is over: notes at the end of its record, and its report written anew. No workflow is there any more to take them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from activities.store import RunStore
from gameday.commands import Command
from gameday.errors import GamedayError, Refused
from gameday.event import Event, EventKind, event_id


async def add_notes(store: RunStore, run_id: str, notes: Sequence[Command]) -> str:
    """Adds notes to a run that is over; one that was added before is the same note. Returns what is said to whoever wrote them.

    The report is to be written anew after it (`write_report`), which takes seconds.

    Raises:
        Refused: there is nothing to note.
    """
    if any(not note.text for note in notes):
        raise Refused("a note needs text")
    known = {_said(event) for event in await asyncio.to_thread(store.told, run_id, [EventKind.NOTE])}  # also as the run itself has taken it
    await asyncio.to_thread(store.append, [_event(run_id, note) for note in notes if note.id not in known])
    return "noted, for the report"


def _said(event: Event) -> str:
    said = event.data.get("said")
    return str(said.get("id")) if isinstance(said, dict) else ""


def _event(run_id: str, note: Command) -> Event:
    return Event(
        id=event_id(run_id, EventKind.NOTE, "afterwards", note.id),
        run_id=run_id,
        at=datetime.now(UTC),
        kind=EventKind.NOTE,
        actor=note.actor.name,
        data={"text": note.text, "about": note.about, "owner": note.owner, "due": note.due, "said": note.said},
    )


async def write_report(run_id: str) -> str:
    """Writes a run's report, in a process of its own: drawing takes memory and the interpreter's lock. Returns its path.

    Raises:
        GamedayError: it could not be written.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "worker.reporting", run_id, stdout=pipe, stderr=pipe)
    said, complained = await process.communicate()
    if process.returncode != 0:
        last = complained.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise GamedayError(f"the report could not be written: {last[0][:300]}")
    return said.decode().strip()
