"""The long-running processes, from the command line."""

from __future__ import annotations

import asyncio
import sys

from gameday.cli import context


def hold_up(ui_port: int | None, leave_when_idle: bool) -> None:
    from worker.up import Up

    asyncio.run(Up(context.settings(), lambda text: print(text, file=sys.stderr, flush=True), ui_port, leave_when_idle).run())


def run_worker() -> None:
    from worker.processes import run_conductor

    run_conductor(context.settings())


def run_agent() -> None:
    from worker.processes import run_agent as serve

    serve(context.settings())


def run_server(port: int, ui_port: int) -> None:
    from worker.temporal_server import serve

    serve(context.settings(), port, ui_port)
