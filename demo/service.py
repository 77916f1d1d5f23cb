"""What the shop's own HTTP processes have in common: a name, an address, and an end."""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from demo.identity import introduce, leave_with_parent
from demo.processes import write_atomically


def arguments(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of one process, with the two arguments that all of them take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--name", default=name, help="its part in the shop")
    parser.add_argument("--announce", type=Path, required=True, help="the file to write its URL to")
    return parser


def serve(app: web.Application, name: str, announce: Path) -> None:
    """Serves `app` on a free port of loopback until SIGTERM or the end of the parent.

    Args:
        app: The application.
        name: Its part in the shop; the process is called `shop-NAME`.
        announce: The file to write the URL to, once the port is open.
    """
    introduce(name)
    app.cleanup_ctx.append(_tied_to_parent)
    # The kernel picks the port and we keep it: no one else can take it between picking and listening.
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    write_atomically(announce, f"http://127.0.0.1:{listener.getsockname()[1]}")
    web.run_app(app, sock=listener, print=lambda *_: None, access_log=None, shutdown_timeout=0.5)


async def _tied_to_parent(_app: web.Application) -> AsyncIterator[None]:
    watcher = asyncio.create_task(leave_with_parent())
    yield
    watcher.cancel()
