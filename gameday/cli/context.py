"""What every command needs: settings, the store, who speaks, what they may see, which run is meant."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gameday.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from activities.store import RunStore
    from gameday.commands import Actor
    from gameday.plan import Plan
    from gameday.playbook import Playbook
    from gameday.record import RunRecord
    from gameday.settings import Settings

T = TypeVar("T")


def settings() -> Settings:
    from gameday.settings import load_settings

    return load_settings()


def store(known: Settings) -> RunStore:
    """The run store, with what this machine still has in its spool written first.

    Raises:
        BadInput: the settings name a store that gameday cannot use.
        Unavailable: it does not answer.
    """
    from activities.recorder import drain
    from activities.store import RunStore

    opened = RunStore(known.store_url)
    if (known.home / "spool").is_dir():
        drain(opened, known.home / "spool")
    return opened


def answers(known: Settings) -> None:
    """Raises like `store` where the store does not answer. SQLite is asked without the weight of what reads records: a run begins sooner."""
    if not known.store_url.startswith("sqlite:///"):
        store(known)
        return
    import sqlite3

    from activities.store_schema import unusable

    path = Path(known.store_url.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.closing(sqlite3.connect(path, timeout=3)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            known_tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'gameday_meta'").fetchone()
            found = connection.execute("SELECT value FROM gameday_meta WHERE key = 'schema'").fetchone() if known_tables else None
            connection.rollback()
    except sqlite3.Error as error:
        raise Unavailable(f"the run store does not answer ({error}): {path}") from None
    problem = unusable(int(found[0])) if found else ""
    if problem:
        raise Unavailable(problem)


def urgent_settings(what: str) -> Settings:
    """The settings, or where they cannot be read those of nobody: they stand between nobody and an abort."""
    from gameday.cli.screens import complain
    from gameday.errors import SettingsError
    from gameday.settings import Settings, default_home

    try:
        return settings()
    except SettingsError as error:
        complain(f"{error}. The {what} goes on without settings")
        return Settings.model_construct(home=default_home())


def elsewhere(known: Settings, verb: str, had_journal: bool) -> list[str]:
    """What somebody must be told who looks in one home: faults are watched in another, or nobody has ever put one on from here."""
    from activities.watchdog import homes

    others = sorted(each for each in homes() if each.resolve() != known.home.resolve())
    said = [f"faults are watched on this machine for another home: GAMEDAY_HOME={each} gameday {verb}" for each in others]
    if not had_journal and not others:
        said.append(f"no agent has ever kept a journal in {known.home}; if its home is another one, say which by GAMEDAY_HOME")
    return said


def user() -> str:
    """The operating system's user. `$USER` counts only where the system has no name for them, as in a container."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("USER") or f"uid-{os.getuid()}"


def speaker(known: Settings, playbook: Playbook) -> Actor:
    """Who speaks on this command line: the operating system's user, as the team member that the playbook or the settings map it to."""
    from gameday.commands import Actor
    from gameday.plan import role_of

    name = user()
    found = role_of(playbook, user=name, name=known.people.get(name))
    return Actor(id=f"os:{name}", name=found[1] if found else known.people.get(name, name), role=found[0] if found else None)


def opens_seals(known: Settings, plan: Plan) -> bool:
    """Whether whoever looks may see into sealed scenarios before their reveal: who leads or observes the day, and who started it."""
    from gameday.playbook import Role

    if not any(scenario.sealed for scenario in plan.playbook.scenarios):
        return True
    who = speaker(known, plan.playbook)
    return who.role is not Role.RESPONDER if who.role else who.id == plan.started_by.id


def visible(known: Settings, record: RunRecord) -> RunRecord:
    """The record as whoever looks may see it."""
    if opens_seals(known, record.plan):
        return record
    from gameday.viewer import veil

    return veil(record, speaker(known, record.plan.playbook).name)


def which(opened: RunStore, run: str) -> str:
    """The full id of a run that was named by its start, or as `latest`.

    Raises:
        BadInput: the name cannot be a run's, or is the start of several.
        NotFound: there is none.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,80}", run):
        raise BadInput(f"{run!r} is not a run id; expected one such as '7kq2-checkout-day', the start of one, or 'latest'")
    known = [line.run_id for line in opened.list(1000)]
    if run == "latest":
        if not known:
            raise NotFound("there is no run yet; start one with `gameday run PLAYBOOK`")
        return known[0]
    matching = [each for each in known if each == run] or [each for each in known if each.startswith(run)]
    if len(matching) > 1:
        more = f" and {len(matching) - 5} more" if len(matching) > 5 else ""
        raise BadInput(f"{run!r} is the start of {len(matching)} runs: {', '.join(matching[:5])}{more}; name one")
    if not matching:
        raise NotFound(f"there is no run {run!r}; `gameday runs` lists them")
    return matching[0]


def record(opened: RunStore, run: str) -> RunRecord:
    """The whole record of the run that is meant."""
    return opened.read(which(opened, run))


def plan(opened: RunStore, run: str) -> Plan:
    """The plan of the run that is meant."""
    run_id = which(opened, run)
    found = opened.plan(run_id)
    if found is None:
        raise NotFound(f"there is no run {run_id!r}; `gameday runs` lists them")
    return found


def terminal() -> bool:
    """Whether a person sits at a terminal that can show the live view."""
    return sys.stdout.isatty() and sys.stdin.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def carry_out(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
