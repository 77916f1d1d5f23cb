"""What probes may connect to. A name is looked up, what it leads to is judged, and exactly that is connected to: a name server that says
something else a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from asyncio import staggered
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from activities.probes.probe import Unknown
from gameday.addresses import Network, refusal

T = TypeVar("T")
NEXT_AFTER = 0.25
"""Seconds after which the next address of a name is tried beside the one before. Source: RFC 8305."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, the best first, each with its zone where it has one.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_zoned(*map(str, (address[0], *address[2:]))) for *_, address in found))


def _zoned(address: str, _flow: str = "0", zone: str = "0") -> str:
    return address if zone == "0" or "%" in address else f"{address}%{zone}"


@dataclass(frozen=True)
class Reach:
    """What may be connected to: everything but what `gameday.addresses` refuses, unless the operator allows it."""

    allowed: tuple[Network, ...] = ()
    look_up: Callable[[str, int], Iterable[str]] = look_up

    def checked(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to.

        Raises:
            Unknown: it has some, and none of them may.
            OSError: it has none.
        """
        refused, found = "", []
        for address in self.look_up(host, port):
            why = refusal(ipaddress.ip_address(address), self.allowed)
            if why:
                refused = f"{host} is not asked: {address} is {why}; `allow` under [probes] in the conductor's settings lets it be"
            else:
                found.append(address)
        if refused and not found:
            raise Unknown(refused)
        return found

    async def connect(self, host: str, port: int, opening: Callable[[str], Awaitable[T]]) -> T:
        """Opens a connection to the first address of a host that takes one.

        Args:
            opening: connects to one address, which is never a name.

        Raises:
            Unknown: it has addresses, and none of them may be connected to.
        """
        addresses = await asyncio.get_running_loop().run_in_executor(None, self.checked, host, port)
        if len(addresses) == 1:
            return await opening(addresses[0])
        opened: T
        opened, at, errors = await staggered.staggered_race([partial(opening, each) for each in addresses], NEXT_AFTER)
        if at is None:
            raise next((error for error in errors if error is not None), OSError("there is no address"))
        return opened
