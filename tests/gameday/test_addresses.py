"""Which addresses are refused, in whatever form they are written."""

from __future__ import annotations

import ipaddress

import pytest

from gameday.addresses import literal, refusal

REFUSED = {
    "169.254.169.254": "a cloud's metadata service",
    "2852039166": "a cloud's metadata service",
    "0xa9fea9fe": "a cloud's metadata service",
    "0251.0376.0251.0376": "a cloud's metadata service",
    "169.254.43518": "a cloud's metadata service",
    "::ffff:169.254.169.254": "a cloud's metadata service",
    "[::ffff:a9fe:a9fe]": "a cloud's metadata service",
    "::169.254.169.254": "a cloud's metadata service",
    "64:ff9b::a9fe:a9fe": "a cloud's metadata service",
    "2002:a9fe:a9fe::1": "a cloud's metadata service",
    "fd00:ec2::254": "a cloud's metadata service",
    "fd20:ce::254": "a cloud's metadata service",
    "100.100.100.200": "a cloud's metadata service",
    "168.63.129.16": "a cloud's metadata service",
    "192.0.0.192": "a cloud's metadata service",
    "169.254.0.1": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "0.0.0.0": "no address at all (unspecified)",
    "0": "no address at all (unspecified)",
    "::": "no address at all (unspecified)",
    "::ffff:0.0.0.0": "no address at all (unspecified)",
}


@pytest.mark.parametrize(("written", "why"), REFUSED.items(), ids=REFUSED)
def test_it_is_refused(written: str, why: str) -> None:
    address = literal(written)
    assert address is not None and refusal(address) == why


MAY = "127.0.0.1 ::1 10.0.0.1 192.168.1.1 172.16.0.1 fd00::1 203.0.113.9 2001:db8::1 ::ffff:10.0.0.1"


@pytest.mark.parametrize("written", MAY.split())
def test_where_targets_are_may_be_asked(written: str) -> None:
    address = literal(written)
    assert address is not None and refusal(address) == ""


@pytest.mark.parametrize("name", ["localhost", "db-1.internal", "metadata", "", "a b", "1.2.3.4.5", "\x00"])
def test_a_name_is_no_address(name: str) -> None:
    assert literal(name) is None


@pytest.mark.parametrize("written", ["169.254.10.1", "::ffff:169.254.10.1"])
def test_what_the_operator_allows_may_be_asked_and_nothing_beside_it(written: str) -> None:
    allowed = (ipaddress.ip_network("169.254.10.0/24"),)
    address = literal(written)
    assert address is not None and refusal(address, allowed) == ""
    assert refusal(ipaddress.ip_address("169.254.11.1"), allowed) == "link-local"
    assert refusal(ipaddress.ip_address("169.254.169.254"), allowed) == "a cloud's metadata service"
