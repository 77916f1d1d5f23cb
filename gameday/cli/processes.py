"""The long-running processes, from the command line. Each says what it is and how to leave it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.cli.screens import complain

if TYPE_CHECKING:
    from gameday.settings import Settings

LEAVE = "Ctrl-C takes everything off and stops it"


def hold_up(ui_port: int | None, leave_when_idle: bool) -> int:
    """Returns the exit status: 6 when something could not be proven gone at the end."""
    return asyncio.run(_hold_up(context.settings(), ui_port, leave_when_idle))


async def _hold_up(known: Settings, ui_port: int | None, leave_when_idle: bool) -> int:
    from gameday.verdicts import EXIT_CODES, Outcome
    from worker.up import Up

    telling, up = asyncio.create_task(_tell_when_up(known)), Up(known, complain, ui_port, leave_when_idle)
    try:
        await up.run()
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
    left = up.left()
    if left:
        complain(f"NOT PROVEN GONE: {left} fault{'s' * (left != 1)}; the watchdog goes on trying. `gameday leftovers` tells more")
    return EXIT_CODES[Outcome.DIRTY] if left else 0


async def _tell_when_up(known: Settings) -> None:
    from worker.connection import address, configured, embedded

    if configured():
        complain(f"up: a conductor and an agent for Temporal at {address(known.home)}. {LEAVE}")
        return None
    while True:
        up = embedded(known.home)
        if up is not None and up.pid == os.getpid():
            return complain(f"up: Temporal at {up.address}, its UI at {up.ui}. {LEAVE}")
        await asyncio.sleep(0.1)


def run_worker() -> None:
    from worker.processes import run_conductor

    known = context.settings()
    complain(f"conductor for {_temporal(known)}. Ctrl-C stops it")
    run_conductor(known)


def run_agent() -> None:
    from worker.processes import run_agent as serve

    known = _settings_after_looking()
    complain(f"agent of the host {known.host}, for {_temporal(known)}. {LEAVE}")
    serve(known)


def _settings_after_looking() -> Settings:
    """An agent that cannot read its settings serves nobody; what an earlier one left on is watched again all the same."""
    from gameday.errors import SettingsError
    from worker.agent import adopt

    try:
        return context.settings()
    except SettingsError:
        adopt(context.urgent_settings("look at what is left on"))
        raise


def _temporal(known: Settings) -> str:
    from worker.connection import address

    where = address(known.home)
    return f"Temporal at {where}" if where != "none" else f"the Temporal that comes up under {known.home}"


def run_server(port: int, ui_port: int) -> None:
    from worker.temporal_server import serve

    serve(context.settings(), port, ui_port)
