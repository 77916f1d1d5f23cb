"""Which addresses a playbook may not have asked: those that answer to a machine's own place, and not to what runs there (standard library only).

Loopback and private networks are where the targets are. Link-local and metadata addresses are refused, since what answers there trusts whoever
can ask: a cloud's metadata service hands out the machine's credentials. Sources: RFC 3927, RFC 4291; the clouds' own documentation.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA = {
    ipaddress.ip_address(each) for each in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
}
"""AWS, Google, Azure and most others; Alibaba; Azure's host; Oracle; AWS and Google on IPv6."""
_WITHIN = tuple(ipaddress.IPv6Network(each) for each in ("::/96", "64:ff9b::/96"))
"""Networks of IPv6 whose last 32 bits are an address of IPv4. Sources: RFC 4291, RFC 6052."""


def refusal(address: Address, allowed: Iterable[Network] = ()) -> str:
    """Why this address is not asked, in words; empty where it may be.

    Args:
        allowed: networks that the operator lets be asked all the same.
    """
    meant = _meant(address)
    if any(each in network for network in allowed for each in (address, meant) if each.version == network.version):
        return ""
    if meant in _METADATA:
        return "a cloud's metadata service"
    if meant.is_unspecified:
        return "no address at all (unspecified)"
    if meant.is_link_local:
        return "link-local"
    return "multicast" if meant.is_multicast else ""


def _meant(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    bare = ipaddress.IPv6Address(int(address))
    if int(bare) > 1 and any(bare in network for network in _WITHIN):
        return ipaddress.IPv4Address(int(bare) & 0xFFFFFFFF)
    return bare


def literal(host: str) -> Address | None:
    """The address that a host is written as, in any form that resolvers take (`2852039166`, `0xa9fea9fe`, `0251.0376.0.1`); None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
