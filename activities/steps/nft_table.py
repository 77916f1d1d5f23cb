"""A table of one's own in nftables, whose effect the kernel ends by itself. Sources: nft(8), sets with `timeout`; network_namespaces(7).

The peers of the fault are elements of a set, and each element has the lease as its time-out: with nobody alive to renew it, the set is empty
and the rules match nothing. A renewal empties the set and fills it again in one transaction, since adding what is there does not extend it.
No rule, set or table that was there before is read or touched.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from activities.steps.step import Hands, Reading, State, Step, Undo, primitive
from gameday.errors import InjectFailed, NotReverted, Refused

TIMEOUT = 5.0
"""Seconds that one call of nft may take."""
_NAME = re.compile(r"gameday_[a-z0-9]{8,40}")
_NAMESPACE = re.compile(r"net:\[[0-9]{1,20}\]")
_NONE = "No such file or directory"
_NAMED = ("/run/netns", "/run/docker/netns", "/var/run/netns")
"""Where network namespaces are kept by name. Source: ip-netns(8)."""
DIRECTIONS = ("both", "in", "out")


@primitive
@dataclass(frozen=True)
class NftTable(Step):
    """Drops packets from and to peers, all of them or a share, in one network namespace.

    Args:
        table: its name; one that nobody else has.
        namespace: the network namespace as proc(5) shows it, `net:[4026531840]`.
        peers: addresses and networks, IPv4 and IPv6.
        percent: the share of packets that is dropped.
        direction: `both`, `in` or `out`, seen from the namespace.
        port: only packets of TCP or UDP with this port at the peer; 0: all packets.
    """

    table: str
    namespace: str
    peers: tuple[str, ...]
    percent: int = 100
    direction: str = "both"
    port: int = 0

    primitive: ClassVar[str] = "nft.table"
    expires: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.table) or not _NAMESPACE.fullmatch(self.namespace):
            raise ValueError("a table of gameday's own, in a network namespace")
        if not 0 < self.percent <= 100 or self.direction not in DIRECTIONS or not 0 <= self.port < 65536:
            raise ValueError("a share from 1 to 100 %, a direction, a port")
        if not self.peers or any(peer != str(ipaddress.ip_network(peer)) for peer in self.peers):
            raise ValueError("peers are addresses or networks")

    def knobs(self) -> tuple[str, ...]:
        return tuple(f"network/{self.namespace}/{peer}" for peer in self.peers)

    def capture(self, hands: Hands) -> Undo:
        if self._enter() is None:
            raise Refused(f"the network namespace {self.namespace} has gone since it was chosen. Choose again")
        if self.read({}, hands).state is not State.BEFORE:
            raise Refused(f"there is a table inet {self.table} already, and not by this fault; look at it with `nft list table inet {self.table}`")
        return {}

    def apply(self, undo: Undo, hands: Hands) -> None:
        code, said = self._nft(hands, "; ".join([*self._no_table(), *self._whole_table(hands.lease)]))
        if code != 0:
            raise InjectFailed(f"nft refused the table: {said.strip()[:200]}")

    def renew(self, undo: Undo, hands: Hands) -> None:
        commands = [f"flush set inet {self.table} {name}" for name in self._sets()] + list(self._elements(hands.lease))
        code, said = self._nft(hands, "; ".join(commands))
        if code != 0:
            raise NotReverted(f"nft did not renew the table: {said.strip()[:200]}")

    def read(self, undo: Undo, hands: Hands) -> Reading:
        held = 0
        for name in self._sets():
            code, said = self._nft(hands, f"list set inet {self.table} {name}", "-j")
            if code is None:
                return Reading(State.GONE, "its network namespace has ended, and the table with it")
            if code != 0 and _NONE in said:
                return Reading(State.BEFORE, f"no table {self.table}")
            if code != 0:
                raise NotReverted(f"nft cannot be asked: {said.strip()[:200]}")
            held += '"elem"' in said
        if held == len(self._sets()):
            return Reading(State.APPLIED, f"table {self.table} drops {self.percent} % of the packets")
        return Reading(State.PART, f"table {self.table} is there, and drops nothing: its time is over")

    def undo(self, undo: Undo, hands: Hands) -> None:
        code, said = self._nft(hands, "; ".join(self._no_table()))
        if code:
            raise NotReverted(f"nft did not delete the table {self.table}: {said.strip()[:200]}")

    def before(self, undo: Undo) -> str:
        return f"no table {self.table}"

    def _no_table(self) -> list[str]:
        """Deletes our table, also where there is none: adding one that is there changes nothing."""
        return [f"add table inet {self.table}", f"delete table inet {self.table}"]

    def _whole_table(self, lease: float) -> Iterator[str]:
        yield f"add table inet {self.table}"
        for name, version in self._sets().items():
            yield f"add set inet {self.table} {name} {{ type {version}_addr; flags interval, timeout; }}"
        for hook, sides in self._hooks().items():
            yield f"add chain inet {self.table} {hook} {{ type filter hook {hook} priority -10; }}"
            for name, version in self._sets().items():
                for side in sides:
                    yield f"add rule inet {self.table} {hook} {'ip' if version == 'ipv4' else 'ip6'} {side}addr @{name} {self._which(side)}drop"
        yield from self._elements(lease)

    def _hooks(self) -> dict[str, tuple[str, ...]]:
        """At which hook, and on which side of the packet the peer is: `s` for what comes from it, `d` for what goes to it."""
        sides = {"both": ("s", "d"), "in": ("s",), "out": ("d",)}[self.direction]
        hooks = {"input": ("s",), "output": ("d",)}
        return {**{hook: side for hook, side in hooks.items() if side[0] in sides}, "forward": sides}

    def _which(self, side: str) -> str:
        """Which packets of the peers, and what share of them."""
        port = f"meta l4proto {{ tcp, udp }} th {side}port {self.port} " if self.port else ""
        return port + (f"numgen random mod 100 < {self.percent} " if self.percent < 100 else "")

    def _sets(self) -> dict[str, str]:
        """The sets by name, and which addresses are in each."""
        versions = {ipaddress.ip_network(peer).version for peer in self.peers}
        return {f"peers{version}": f"ipv{version}" for version in sorted(versions)}

    def _elements(self, lease: float) -> Iterator[str]:
        for name in self._sets():
            mine = [peer for peer in self.peers if f"peers{ipaddress.ip_network(peer).version}" == name]
            listed = ", ".join(f"{peer} timeout {max(round(lease * 1000), 1)}ms" for peer in mine)
            yield f"add element inet {self.table} {name} {{ {listed} }}"

    def _nft(self, hands: Hands, commands: str, *options: str) -> tuple[int | None, str]:
        """One transaction of nft in the namespace: its exit status (None: the namespace has gone) and what it said. No shell sees any of it."""
        handle = self._enter()
        if handle is None:
            return None, ""
        try:
            enter = ("nsenter", f"--net=/proc/{os.getpid()}/fd/{handle}")
            return hands.run((*enter, "env", "LC_ALL=C", "nft", *options, commands), TIMEOUT)
        finally:
            os.close(handle)

    def _enter(self) -> int | None:
        """A handle on the very namespace: by any process that is in it, or by a name that it has. None when there is none any more."""
        for path in _places():
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                if f"net:[{os.fstat(handle).st_ino}]" == self.namespace:
                    return handle
                os.close(handle)
        return None


def namespace_of(pid: int | str) -> str:
    """The network namespace of a process. Raises OSError when it cannot be seen."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def _places() -> Iterator[str]:
    """Wherever a network namespace may be seen: our own first, which it is as a rule."""
    yield "/proc/self/ns/net"
    for folder in _NAMED:
        with contextlib.suppress(OSError):
            yield from (f"{folder}/{name}" for name in sorted(os.listdir(folder)))
    yield from (f"/proc/{name}/ns/net" for name in os.listdir("/proc") if name.isdigit())
