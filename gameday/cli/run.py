"""Starting a run, and following one to its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.cli.playbooks import load_checked
from gameday.cli.screens import complain
from gameday.errors import BadInput, GamedayError, Unavailable

if TYPE_CHECKING:
    from gameday.cli.following import Following
    from gameday.cli.starting import Starter
    from gameday.plan import Plan
    from gameday.settings import Settings

COMING_UP = "bringing up Temporal, a conductor and an agent for this run…"


def run_playbook(
    starter: Starter,
    path: Path,
    detach: bool,
    values: list[str],
    approve: str,
    as_json: bool,
    junit: Path | None = None,
    kind: str = "day",
    past: timedelta = timedelta(0),
) -> int:
    """Checks a playbook, starts its run and follows it. Returns the run's exit status, 2 for a playbook with problems."""
    if junit is not None:
        _refuse_unwritable(junit, detach)
    loaded = load_checked(path, values)
    if loaded is None:
        return 2
    from activities.kinds import catalogue
    from gameday.plan import RunKind
    from gameday.plan import plan as make_plan

    known = context.settings()
    context.answers(known)  # a store that does not is said before anything is started
    by = context.speaker(known, loaded.playbook)
    approved = approve == "auto"
    now, versions = datetime.now(UTC), _versions()
    made = make_plan(loaded, catalogue(), by, now, approved=approved, lease=known.lease, versions=versions, kind=RunKind(kind), past=past)
    return context.carry_out(_run(known, made, starter, detach, as_json, junit))


def follow_run(run: str, as_json: bool) -> int:
    """Follows a run that is under way; of one that is over, tells what there was."""
    from gameday.cli.farewell import farewell
    from gameday.cli.screens import JsonScreen, PlainScreen
    from gameday.feed import Feed

    known = context.settings()
    opened = context.store(known)
    plan = context.plan(opened, run)
    feed = Feed(opened, plan, context.opens_seals(known, plan))
    new = feed.pull()
    if not feed.view.outcome:
        return context.carry_out(_follow(known, plan, as_json))
    (JsonScreen() if as_json else PlainScreen()).show(feed.view, new)
    farewell(known, feed.view, as_json)
    return feed.view.exit_code or 0


def _refuse_unwritable(junit: Path, detach: bool) -> None:
    """What would be noticed only after the day is said before it."""
    if detach:
        raise BadInput("--junit is written when the run has ended, and --detach does not wait for that; leave one of them out")
    if junit.is_dir() or not junit.absolute().parent.is_dir():
        raise BadInput(f"--junit {junit}: expected a file in a folder that is there")


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    from pydantic import VERSION

    found = {name: version(name) for name in ("gameday", "temporalio")}
    return {**found, "pydantic": VERSION, "python": platform.python_version(), "kernel": f"{platform.system()} {platform.release()}"}


async def _run(known: Settings, made: Plan, starter: Starter, detach: bool, as_json: bool, junit: Path | None) -> int:
    begun = starter.start(known.home, made)
    if begun and detach:
        return _left(made, as_json)
    from worker.embedded import temporal

    if not begun:
        complain(COMING_UP)
    following: Following | None = None
    try:
        async with temporal(known) as reached:
            begun = begun or starter.start(known.home, made)
            if not begun:
                raise Unavailable(f"Temporal went away before {made.run_id} was started; try again")
            if detach:
                reached.leave = True
                return _left(made, as_json)
            from gameday.cli.following import Following as Follow

            following = Follow(known, made, reached, as_json)
            code = await following.run(lambda: starter.interrupts)
    except GamedayError as error:
        if begun and following is None:
            raise type(error)(f"{error}; {made.run_id} has begun, and {await _unfollowed(known, made, starter.interrupts)}") from None
        raise
    if junit is not None and not following.left.is_set():
        from reports.junit import junit as as_junit

        junit.write_text(as_junit(context.store(known).read(made.run_id)), encoding="utf-8")
    return code


async def _unfollowed(known: Settings, made: Plan, interrupts: int) -> str:
    """What becomes of a run that nobody can follow: a Ctrl-C that came meanwhile still aborts it."""
    if not interrupts:
        return f"goes on: `gameday follow {made.run_id}` shows it, `gameday abort {made.run_id}` ends it"
    from gameday.cli.saying import make, tell
    from gameday.commands import Verb

    try:
        return await tell(known, made.run_id, make(Verb.ABORT, context.speaker(known, made.playbook), {"reason": "Ctrl-C"}))
    except GamedayError as error:
        return f"could not be aborted: {error}"


def _left(made: Plan, as_json: bool) -> int:
    """What is said of a run that is started and left to itself."""
    print(json.dumps({"run": made.run_id}) if as_json else f"{made.run_id} is started; `gameday follow {made.run_id}` shows it", flush=True)
    return 0


async def _follow(known: Settings, plan: Plan, as_json: bool) -> int:
    from gameday.cli.following import Following
    from worker.connection import at_hand
    from worker.embedded import temporal

    if not at_hand(known.home):
        complain(COMING_UP)
    async with temporal(known) as reached:
        return await Following(known, plan, reached, as_json, ours=False).run()
