"""Leftovers: effects and traces of faults on this machine that no live run owns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.cli.screens import complain
from gameday.errors import GamedayError

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.entry import Entry
    from activities.journal import Journal
    from gameday.settings import Settings


class Owner(StrEnum):
    """Whether an open run wants a fault."""

    RUN = "run"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass
class Leftover:
    """One live entry of the journal: whose it is, and what came of taking it off. `outcome` and `problem` are empty where that was not tried."""

    entry: Entry
    owner: Owner
    outcome: str = ""
    problem: str = ""

    @property
    def is_left(self) -> bool:
        return self.owner is not Owner.RUN and not self.outcome


def show_leftovers(revert: bool, as_json: bool) -> int:
    """Lists live journal entries, each with whether a run owns it. Returns 0 when nothing is left, 1 otherwise."""
    return asyncio.run(_show(context.urgent_settings("look"), revert, as_json))


async def _show(known: Settings, revert: bool, as_json: bool) -> int:
    from activities.journal import Journal

    had_journal = (known.home / "journal").is_dir()
    journal = Journal.at(known.home)
    entries = journal.live()
    client = await _client(known) if entries else None
    found = [Leftover(entry, await _owner(client, entry)) for entry in entries]
    if revert:
        for each in found:
            if each.owner is Owner.NONE:
                await asyncio.to_thread(_take_off, journal, each)
    if as_json:
        print(json.dumps([_facts(each) for each in found], indent=2))
    else:
        print("\n".join(_lines(found, revert)))
    for said in () if as_json else context.elsewhere(known, "leftovers", had_journal):
        complain(said)
    return 1 if any(each.is_left for each in found) else 0


async def _client(known: Settings) -> Client | None:
    from worker.connection import connect

    try:
        return await connect(known.home, patience=0.5)
    except GamedayError:
        return None


async def _owner(client: Client | None, entry: Entry) -> Owner:
    """Asks the run. With nobody to ask, one whose time is over belongs to nobody; of another it cannot be known."""
    from worker.keeper import Word, ask

    if client is None:
        return Owner.NONE if entry.due() else Owner.UNKNOWN
    word, wanted = await ask(client, entry.run_id)
    if word is Word.SILENT:
        return Owner.UNKNOWN
    return Owner.RUN if entry.fault_id in wanted else Owner.NONE


def _take_off(journal: Journal, left: Leftover) -> None:
    from activities import engine

    try:
        left.outcome = str(engine.revert(journal, left.entry.fault_id, "gameday leftovers --revert")["outcome"])
    except (GamedayError, OSError) as error:
        left.problem = str(error)


def _facts(left: Leftover) -> dict[str, object]:
    entry, sealed = left.entry, bool(left.entry.data.get("quiet"))
    problem = entry.folder / "problem"
    tried = problem.read_text(errors="replace").strip() if problem.exists() else None
    return {
        "fault": entry.fault_id,
        "run": entry.run_id,
        "what": "sealed" if sealed else entry.data.get("name"),
        "kind": "sealed" if sealed else entry.data.get("kind"),
        "on": "sealed" if sealed else entry.data.get("label"),
        "owner": left.owner,
        "due": entry.due(),
        "authentic": entry.authentic,
        "distrusted": entry.distrust or None,
        "outcome": left.outcome or None,
        "problem": "could not be proven gone" if sealed and (left.problem or tried) else left.problem or tried,
    }


def _lines(found: list[Leftover], reverted: bool) -> Iterator[str]:
    if not found:
        yield "nothing is left behind"
        return
    for left in found:
        facts = _facts(left)
        yield f"{facts['fault']}  {_what(facts)}"
        yield f"    {_whose(left, facts)}"
        yield from (f"    {said}" for said in _came_of_it(left, facts))
    owned = sum(each.owner is Owner.RUN for each in found)
    still = sum(each.is_left for each in found)
    counts = f"{owned} of a live run, {len(found) - owned - still} taken off, {still} left"
    yield f"{len(found)} fault{'s' * (len(found) != 1)} in the journal: {counts}"
    if any(each.owner is Owner.NONE and each.is_left for each in found) and not reverted:
        yield "take them off with: gameday leftovers --revert"


def _what(facts: dict[str, object]) -> str:
    if not facts["authentic"]:
        why = f": {facts['distrusted']}" if facts["distrusted"] else " is damaged or was changed"
        return f"its journal entry{why}: it is never executed. Look at the host by hand"
    return "a fault of a sealed scenario" if facts["what"] == "sealed" else f"{facts['what']} ({facts['kind']}) on {facts['on']}"


def _whose(left: Leftover, facts: dict[str, object]) -> str:
    due = f" ({facts['due']})" if facts["due"] else ""
    match left.owner:
        case Owner.RUN:
            return f"on, and wanted by the run {facts['run']}: not a leftover"
        case Owner.NONE:
            return f"LEFT BEHIND by the run {facts['run']}{due}"
        case _:
            return f"of the run {facts['run']}; no Temporal answers, so nobody can say whether it is still wanted. {_ends(left)}"


def _ends(left: Leftover) -> str:
    """Whether its lease will end it: that is the watchdog's, and with every process of gameday dead there is none."""
    from activities import watchdog

    if watchdog.heartbeat(left.entry.folder.parent) is not None:
        return "It ends by its lease"
    return "NOTHING WATCHES IT: start `gameday agent`; once its lease is over, `gameday leftovers --revert` takes it off"


def _came_of_it(left: Leftover, facts: dict[str, object]) -> Iterator[str]:
    if left.outcome:
        yield f"taken off: {left.outcome}, and read back"
    elif facts["problem"]:
        yield f"NOT PROVEN GONE: {facts['problem']}"
