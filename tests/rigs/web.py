"""Servers on loopback for probes to ask: aiohttp handlers, and bare sockets that say what a test wants, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import httpx
import pytest
from aiohttp import web

from activities.probes.reading.client import client
from activities.probes.reading.reach import Reach

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """The base URL of a server that has `handler` answer everything."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class BareServer:
    """A TCP server that talks as told, and knows how many connections are still open."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._talking = talk, set[asyncio.Task[None]]()
        self.opened = self.open = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self._server.close()
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talking.add(task)
        self.opened, self.open = self.opened + 1, self.open + 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            self._talking.discard(task)
            writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the question and never answers, until the other side goes away."""
    while await reader.read(4096):
        pass


def saying(answer: bytes) -> Talk:
    """Reads the head of a request, answers with these bytes, and closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return talk


@contextlib.asynccontextmanager
async def bare(talk: Talk) -> AsyncIterator[BareServer]:
    server = BareServer(talk)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what must come; the test's time limit ends it if it does not."""
    while not condition():  # noqa: ASYNC110  # what is waited for lies in other processes and threads too
        await asyncio.sleep(0.01)


async def given_up(sample: Coroutine[Any, Any, Any], server: BareServer) -> None:
    """Cancels a sample once it waits for its answer, as the observer does, and sees its connection go."""
    task = asyncio.create_task(sample)
    await until(lambda: server.open == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: server.open == 0)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """The client that probes are handed."""
    async with client(Reach()) as made:
        yield made


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
