"""Leftovers: effects and traces of faults on this machine that no live run owns."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.errors import GamedayError

if TYPE_CHECKING:
    from activities.journal import Entry
    from gameday.settings import Settings


def show_leftovers(revert: bool, as_json: bool) -> int:
    """Lists live journal entries, each with whether a run owns it. Returns 0 when nothing is left, 1 otherwise."""
    return asyncio.run(_show(context.settings(), revert, as_json))


async def _show(known: Settings, revert: bool, as_json: bool) -> int:
    from activities import engine
    from activities.journal import Journal

    journal = Journal.at(known.home)
    found = [(entry, await _owner(known, entry)) for entry in journal.live()]
    reverted: dict[str, str] = {}
    if revert:
        for entry, owner in found:
            if owner == "none":
                try:
                    status = await asyncio.to_thread(engine.revert, journal, entry.fault_id, "gameday leftovers --revert")
                    reverted[entry.fault_id] = str(status["outcome"])
                except (GamedayError, OSError) as error:
                    reverted[entry.fault_id] = f"NOT PROVEN GONE: {error}"
    left = [(entry, owner) for entry, owner in found if owner != "run" and not _is_clean(reverted.get(entry.fault_id))]
    if as_json:
        print(json.dumps([{**_facts(entry), "owner": owner, "reverted": reverted.get(entry.fault_id)} for entry, owner in found], indent=2))
    else:
        _print(found, reverted)
    return 1 if left else 0


def _is_clean(outcome: str | None) -> bool:
    return outcome is not None and not outcome.startswith("NOT")


async def _owner(known: Settings, entry: Entry) -> str:
    """`run` when an open run wants it, `none` when none does, `?` when that cannot be known now."""
    from worker.connection import connect
    from worker.keeper import Word, ask

    try:
        client = await connect(known, patience=0.5)
    except GamedayError:
        return "none" if entry.due() else "?"
    word, wanted = await ask(client, entry.run_id)
    if word is Word.SILENT:
        return "?"
    return "run" if entry.fault_id in wanted else "none"


def _facts(entry: Entry) -> dict[str, object]:
    quiet = bool(entry.data.get("quiet"))
    problem = entry.folder / "problem"
    return {
        "fault": entry.fault_id,
        "run": entry.run_id,
        "what": "sealed" if quiet else f"{entry.data.get('name')} ({entry.data.get('kind')})",
        "on": "sealed" if quiet else entry.data.get("label"),
        "due": entry.due(),
        "authentic": entry.authentic,
        "problem": problem.read_text(errors="replace") if problem.exists() else None,
    }


def _print(found: list[tuple[Entry, str]], reverted: dict[str, str]) -> None:
    if not found:
        print("nothing is left behind on this machine")
    for entry, owner in found:
        facts = _facts(entry)
        whose = {
            "run": f"owned by the run {facts['run']}",
            "none": f"LEFT BEHIND by the run {facts['run']}",
            "?": "owner unknown: no Temporal answers",
        }[owner]
        print(f"{facts['fault']}  {facts['what']} on {facts['on']}: {whose}")
        for text in (facts["due"], facts["problem"]):
            if text:
                print(f"    {text}")
        if entry.fault_id in reverted:
            print(f"    {reverted[entry.fault_id]}")
        elif owner == "none":
            print("    take it off with: gameday leftovers --revert")
