"""The HTTP client that probes are handed: it connects to nothing that they may not reach, and is sent nowhere else by proxies or redirects."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from activities.probes.reading.reach import Reach


class _Backend(httpcore.AsyncNetworkBackend):
    """Connections of httpcore's own, to addresses that have been judged."""

    def __init__(self, reach: Reach) -> None:
        self._reach, self._real = reach, httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        async def opening(address: str) -> httpcore.AsyncNetworkStream:
            return await self._real.connect_tcp(address, port, timeout, local_address, socket_options)

        try:
            return await self._reach.connect(host, port, opening)
        except OSError as error:  # no address
            raise httpcore.ConnectError(str(error)) from error


class _Transport(httpx.AsyncHTTPTransport):
    """httpx has no public way to say how a connection is made, but for the pool that holds them; its tests connect to what is refused."""

    def __init__(self, reach: Reach) -> None:
        context: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(ssl_context=context, network_backend=_Backend(reach))


def client(reach: Reach) -> httpx.AsyncClient:
    """A client for the probes of one run. It has no time limit of its own: each sample has one."""
    return httpx.AsyncClient(transport=_Transport(reach), trust_env=False, timeout=None, follow_redirects=False)  # noqa: S113  # see above
