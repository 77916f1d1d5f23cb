"""`tcp`: whether, and how fast, a port takes a connection. It says nothing, and closes at once.

    {tcp: {host: 127.0.0.1, port: 5432}}                                connect latency; refused is unknown
    {tcp: {host: 127.0.0.1, port: 5432, measure: ok, within: 300ms}}    1 or 0; refused or too late is 0

A paused process still takes connections: the kernel does so for it, until the queue of its socket is full. Use `http` to see that.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from activities.probes.probe import Probe
from activities.probes.reading.params import OK_WITHIN, Answering, measured_as
from activities.probes.reading.reach import Reach
from activities.probes.reading.web import NoAnswer, no_answer
from gameday.catalogue import ProbeParams
from gameday.model import PositiveDuration
from gameday.units import Unit

_Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:](?:[A-Za-z0-9_.:%-]{0,251}[A-Za-z0-9_])?$|^::$")]


class TcpParams(ProbeParams):
    """Where to connect to, and what to measure of it."""

    host: _Host
    """A name or an address; of IPv6 without brackets."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The TCP port."""
    measure: Literal[Answering.LATENCY, Answering.OK] = Answering.LATENCY
    """`latency` until connected, or `ok` (1 or 0)."""
    within: PositiveDuration | None = None
    """For `ok`: the time in which the connection must stand, 800 ms unless written; keep it below `sampling.timeout`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.within is not None and self.measure is not Answering.OK:
            raise ValueError(f"'within' does not belong to {self.measure}; expected it beside 'measure: ok' only")
        return self

    def measured_in(self) -> Unit:
        return measured_as(self, "ratio" if self.measure is Answering.OK else "s")


class TcpProbe(Probe[TcpParams]):
    """Connects to a port: whether and how fast it is taken."""

    kind = "tcp"
    Params = TcpParams

    async def sample(self) -> float:
        if self.params.measure is Answering.LATENCY:
            return await self._connect()
        within = self.params.within or OK_WITHIN
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._connect()
        except (NoAnswer, TimeoutError):
            return 0.0
        return 1.0

    async def _open(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(address, self.params.port)

    async def _connect(self) -> float:
        """Seconds until connected, the look-up of the name included."""
        began = time.perf_counter()
        try:
            _, writer = await (self.reach or Reach()).connect(self.params.host, self.params.port, self._open)
        except OSError as error:
            raise no_answer(error, f"{self.params.host}:{self.params.port}") from None
        took = time.perf_counter() - began
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        # A free port of this machine can be picked as the source too, and then connects to itself. Source: RFC 9293, simultaneous open
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            raise NoAnswer(f"{self.params.host}:{self.params.port} refused the connection")
        return took
