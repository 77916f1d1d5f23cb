"""Entry points of the long-running processes: run until told to stop, then stop in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager
from typing import Any

from temporalio.client import Client

from gameday.settings import Settings
from worker import rooms
from worker.agent import adopt, agent
from worker.conductor import conductor
from worker.connection import FOR_EVER, connect

TALKATIVE = ("httpx", "httpcore", "urllib3", "slack_sdk")
"""They log whole addresses, headers, and what servers answer, which may repeat a secret that it was sent."""


def run_conductor(settings: Settings) -> None:
    """`gameday worker`: serves workflows until SIGTERM or Ctrl-C."""
    prepare()
    asyncio.run(_serve(settings, conductor))


def run_agent(settings: Settings) -> None:
    """`gameday agent`: serves this host's faults until SIGTERM or Ctrl-C. Its journal is looked after before Temporal is reached."""
    prepare()
    adopt(settings)
    asyncio.run(_serve(settings, agent))


def prepare() -> None:
    rooms.check()
    logging.basicConfig(level=os.environ.get("GAMEDAY_LOG", "WARNING"), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for library in TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)


async def _serve(settings: Settings, role: Any) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    connecting = asyncio.create_task(connect(settings.home, FOR_EVER))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not connecting.done():
        connecting.cancel()
        return
    client: Client = connecting.result()
    served: AbstractAsyncContextManager[object] = role(client, settings)
    async with served:
        await stop.wait()
    stopping.cancel()
