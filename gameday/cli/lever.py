"""`gameday halt`: everything off everywhere, and nothing new until it is released. With `--local` one host alone, without any control plane."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.cli.saying import urgently
from gameday.cli.screens import complain
from gameday.errors import Unavailable
from gameday.halt import EVERYWHERE, HERE, Halt
from gameday.model import one_line

if TYPE_CHECKING:
    from gameday.fault import FaultStatus
    from gameday.settings import Settings
    from worker.lever import Pulled

DONE, NOT_REACHED, DIRTY = 0, 5, 6


def pull_lever(reason: str, local: bool, as_json: bool) -> int:
    """Halts. Returns 0 when every host has proven that it is clean, 5 when one is not known, 6 when something could not be proven gone."""
    known = context.urgent_settings("halt")
    halt = _halt(known, reason, HERE if local else EVERYWHERE)
    return asyncio.run(_here(known, halt, as_json) if local else _everywhere(known, halt, as_json))


def release_lever(reason: str, local: bool) -> str:
    """Lifts what `pull_lever` has set. Returns what is said of it."""
    known = context.settings()
    actor = _halt(known, reason, EVERYWHERE).actor
    if local:
        from activities import halted
        from activities.journal import Journal

        stood = halted.release(Journal.at(known.home).root, HERE)
        return f"{known.host} takes faults again" if stood else f"{known.host} was not halted by itself; nothing was changed"
    lifted = asyncio.run(_release(known, actor, reason))
    return f"released: it was {lifted.said}. Every host takes faults again within 3 s" if lifted else "nothing is halted; nothing was changed"


async def _release(known: Settings, actor: str, reason: str) -> Halt | None:
    from worker import lever
    from worker.connection import connect

    return await lever.release(await connect(known.home), actor, reason)


def _halt(known: Settings, reason: str, scope: str) -> Halt:
    user = context.user()
    said = one_line(reason, 800) or "no reason given"
    return Halt(known.people.get(user, user), f"os:{user}", said, datetime.now(UTC).isoformat(timespec="seconds"), scope)


async def _everywhere(known: Settings, halt: Halt, as_json: bool) -> int:
    from worker import lever

    try:
        pulled = await lever.pull(await urgently(known, "halt"), halt, sorted({known.host, *known.hosts}))
    except Unavailable as error:
        complain(f"{error}. This machine alone is halted; say `gameday halt --local` on every other host")
        await _here(known, Halt(halt.actor, halt.actor_id, halt.reason, halt.at, HERE), as_json)
        return NOT_REACHED
    if as_json:
        hosts = {host: did if isinstance(did, str) else did.model_dump(mode="json") for host, did in pulled.hosts.items()}
        print(json.dumps({"halt": asdict(pulled.halt), "was_standing": pulled.was_standing, "hosts": hosts, "runs": pulled.runs}, indent=2))
    else:
        print("\n".join(_lines(pulled)))
    if any(not isinstance(did, str) and did.problems for did in pulled.hosts.values()):
        return DIRTY
    return NOT_REACHED if any(isinstance(did, str) for did in pulled.hosts.values()) else DONE


def _lines(pulled: Pulled) -> list[str]:
    first = f"it was halted already: {pulled.halt.said}" if pulled.was_standing else pulled.halt.said
    wide = max(map(len, [*pulled.hosts, *pulled.runs]), default=0)
    lines = [first, "Nothing is put on, and no run begins, until `gameday halt --release`."]
    lines += [f"  {host:<{wide}}  {did if isinstance(did, str) else _proven(did.statuses, did.problems)}" for host, did in pulled.hosts.items()]
    return lines + [f"  {run:<{wide}}  {told}" for run, told in pulled.runs.items()]


def _proven(statuses: Sequence[FaultStatus], problems: Sequence[str]) -> str:
    clean = [status for status in statuses if not status.problems]
    said = f"{len(clean)} fault{'s' * (len(clean) != 1)} off, read back" if clean else "nothing was on" if not statuses else "nothing taken off"
    return f"NOT PROVEN CLEAN: {'; '.join(problems)} ({said}; it is tried again for ever)" if problems else said


async def _here(known: Settings, halt: Halt, as_json: bool) -> int:
    """This host alone, from its own disk: with no agent, no Temporal and no store."""
    from activities import halted
    from activities.journal import Journal
    from activities.operation import perform
    from gameday.fault import FaultStatus

    had_journal = (known.home / "journal").is_dir()
    journal = Journal.at(known.home)
    problems: list[str] = []
    try:
        halted.halt(journal.root, halt)
    except OSError as error:
        problems.append(f"the refusal could not be written ({error.strerror or error})")

    def take_off(fault_id: str) -> FaultStatus:
        answer = perform(journal, {"op": "revert", "reasons": {fault_id: halt.said}})
        return FaultStatus.model_validate(answer["statuses"][0])

    statuses = await asyncio.gather(*(asyncio.to_thread(take_off, entry.fault_id) for entry in journal.live()))
    problems += [one_line(problem) for status in statuses for problem in status.problems]
    elsewhere = context.elsewhere(known, "halt --local", had_journal)
    if as_json:
        done = [status.model_dump(mode="json") for status in statuses]
        print(json.dumps({"halt": asdict(halt), "host": known.host, "statuses": done, "problems": problems, "elsewhere": elsewhere}, indent=2))
    else:
        print(f"{known.host} is {halt.said}\nNothing is put on here until `gameday halt --local --release`.\n  {_proven(statuses, problems)}")
    for each in elsewhere:
        complain(f"NOT HALTED: {each}")
    return DIRTY if problems else DONE if had_journal else NOT_REACHED
