"""What every command needs: settings, the store, who speaks, which run is meant."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from gameday.errors import BadInput, NotFound

if TYPE_CHECKING:
    from activities.store import RunStore
    from gameday.commands import Actor
    from gameday.playbook import Playbook
    from gameday.settings import Settings

T = TypeVar("T")


def settings() -> Settings:
    from gameday.settings import load_settings

    return load_settings()


def store(known: Settings) -> RunStore:
    """The run store, with what this machine still has in its spool written first."""
    from activities.recorder import drain
    from activities.store import RunStore

    opened = RunStore(known.store_url)
    if (known.home / "spool").is_dir():
        drain(opened, known.home / "spool")
    return opened


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def speaker(known: Settings, playbook: Playbook) -> Actor:
    """Who speaks on this command line: the operating system's user, as the team member that the playbook or the settings map it to."""
    from gameday.commands import Actor
    from gameday.plan import role_of

    name = user()
    found = role_of(playbook, user=name, name=known.people.get(name))
    return Actor(id=f"os:{name}", name=found[1] if found else known.people.get(name, name), role=found[0] if found else None)


def which(opened: RunStore, run: str) -> str:
    """The full id of a run that was named by its start, or as `latest`.

    Raises:
        BadInput: the name cannot be a run's, or is the start of several.
        NotFound: there is none.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,80}", run):
        raise BadInput(f"{run!r} is not a run id; expected one such as '7kq2-checkout-day', or 'latest'")
    known = [line.run_id for line in opened.list(1000)]
    if run == "latest":
        if not known:
            raise NotFound("there is no run yet; start one with `gameday run PLAYBOOK`")
        return known[0]
    matching = [each for each in known if each == run] or [each for each in known if each.startswith(run)]
    if len(matching) > 1:
        raise BadInput(f"{run!r} is the start of {len(matching)} runs: {', '.join(matching[:5])}; name one")
    if not matching:
        raise NotFound(f"there is no run {run!r}; `gameday runs` lists them")
    return matching[0]


def terminal() -> bool:
    """Whether a person sits at a terminal that can show the live view."""
    return sys.stdout.isatty() and sys.stdin.isatty() and os.environ.get("TERM") != "dumb"


def carry_out(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
