"""What the network faults have in common: whom they cut off, and from where."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from activities.injectors.injector import Host
from activities.steps.nft_table import namespace_of
from activities.targets import ProcessFacts
from gameday.catalogue import InjectorParams
from gameday.errors import GamedayError, Refused
from gameday.fault import ResolvedTarget
from gameday.model import Line

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(said: str) -> str:
    try:
        found = ipaddress.ip_network(said)
    except ValueError:
        raise ValueError(f"{said!r} is no address; expected one such as 10.0.0.7, or a network such as 10.0.0.0/24") from None
    if found.is_loopback or found.prefixlen == 0:
        raise ValueError(f"{said!r} is everything, or this host itself; expected the addresses of others")
    return str(found)


class PeersParams(InjectorParams):
    """Who is cut off, in which direction, and on which port."""

    peers: Annotated[tuple[Annotated[Line, AfterValidator(_network)], ...], Field(min_length=1, max_length=100)]
    """The others, by address or network, such as 10.0.0.7 or 10.0.0.0/24."""
    direction: Literal["both", "in", "out"] = "both"
    """Which packets: those that come from them, those that go to them, or both."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Only TCP and UDP to or from this port of theirs; without it, everything."""


def namespace(target: ResolvedTarget) -> str:
    """The network namespace of a target: of its processes, or the host's own.

    Raises:
        Refused: its processes are in several, or have gone.
    """
    if target.thing == "host":
        return namespace_of("self")
    try:
        found = {namespace_of(process.pid) for process in ProcessFacts.of(target).processes}
    except OSError as error:
        raise Refused(f"{target.label}: its network namespace cannot be seen ({error.strerror}); run the agent as root") from None
    if len(found) != 1:
        raise Refused(f"{target.label}: its processes are in {len(found)} network namespaces; name one of them")
    return found.pop()


def table(params: PeersParams, where: str, kind: str) -> str:
    """The name of a fault's own table: the same for the same fault on the same namespace, and nobody else's."""
    import hashlib

    said = "\0".join((kind, where, *params.peers, params.direction, str(params.port)))
    return "gameday_" + hashlib.sha256(said.encode()).hexdigest()[:16]


def problems(params: PeersParams, target: ResolvedTarget, host: Host) -> Iterator[str]:
    """What stands in the way: no nft, no right to it, or that the plan would cut off what it is judged and undone by."""
    for program in ("nft", "nsenter"):
        if shutil.which(program) is None:
            yield f"{target.label}: there is no {program} on this host; install it (Debian: nftables, util-linux)"
    if os.geteuid() != 0:
        yield f"{target.label}: nftables need root; run the agent of {host.name} as root"
    try:
        where = namespace(target)
    except GamedayError as error:
        yield str(error)
        return
    if where == namespace_of("self"):
        for name in host.needed:
            hit = next((peer for peer in params.peers if any(address in ipaddress.ip_network(peer) for address in _addresses(name))), None)
            if hit is not None:
                yield f"{target.label}: {hit} is, or has in it, {name}, which this run is steered or judged by; a fault may not cut its own way back"


def _addresses(name: str) -> set[Any]:
    """What a name of a host is here; a name that cannot be looked up is none."""
    try:
        return {ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in socket.getaddrinfo(name, None)}
    except (OSError, ValueError):
        return set()
