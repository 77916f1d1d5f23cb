"""The server: an event loop in a thread of its own, one port on loopback for everything, and a switch that takes it off the net."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

from tests.rigs.slack.callbacks import Callbacks
from tests.rigs.slack.dispatch import Dispatch
from tests.rigs.slack.moods import Moods
from tests.rigs.slack.payloads import Payloads
from tests.rigs.slack.replies import ResponseUrls
from tests.rigs.slack.sockets import Sockets
from tests.rigs.slack.web_api import WebApi
from tests.rigs.slack.workspace import Workspace

Result = TypeVar("Result")
LARGEST = 16 * 1024**2
PATIENCE = 30.0
"""Seconds in which the loop does anything that it is asked: far more than it takes."""


class Loop:
    """An event loop in a thread, for what runs beside a test that is none."""

    def __init__(self, name: str = "slack") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def do(self, function: Callable[..., Result], *args: Any, **more: Any) -> Result:
        """A plain function, in the loop's thread."""

        async def done() -> Result:
            return function(*args, **more)

        return self.run(done())

    def close(self) -> None:
        self.run(self._cancelled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _cancelled(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


class Server:
    """Made in the loop's thread."""

    def __init__(self, signing_secret: str | None) -> None:
        self.workspace, self.moods = Workspace(signing_secret), Moods()
        self.sockets, self.callbacks = Sockets(self.workspace), Callbacks(self.workspace.signing_secret)
        self.dispatch, self.payloads = Dispatch(self.workspace, self.sockets, self.callbacks), Payloads(self.workspace)
        self._api = WebApi(self.workspace, self.moods, self.sockets)
        self._replies = ResponseUrls(self.workspace, self.moods, self._api.over)
        self._site: web.TCPSite | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/api/{method}", self._api.answer)
        app.router.add_post("/upload/v1/{file}", self._api.upload)
        app.router.add_post("/{kind:commands|actions}/{team}/{hook}", self._replies.answer)
        app.router.add_get("/link/", self.sockets.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.up()
        self._api.base = self.sockets.base = self.payloads.base = f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """Listens, on the same port as before."""
        if self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
            await self._site.start()
            self.port = self._runner.addresses[0][1]
        self.dispatch.down = False

    async def down(self) -> None:
        """Nothing listens any more, and every connection is cut."""
        self.dispatch.down = True
        if self._site is not None:
            await self._site.stop()
            self._site = None
        self.sockets.drop()
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            if connection.transport is not None:
                connection.transport.abort()

    async def stop(self) -> None:
        self._api.over.set()
        await self.down()
        await self._runner.cleanup()
