"""The wall clock of a host jumps while a fault is on: leases are counted on another one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.afar import DISKS, Afar, closes_the_page, inject
from tests.rigs.second_kernel import guest

pytestmark = pytest.mark.timeout(600)
LEASE = 30.0


@pytest.fixture(scope="module")
def afar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afar]:
    with guest(tmp_path_factory.mktemp("guest"), *DISKS) as machine:
        yield Afar(machine)


@pytest.mark.parametrize("by", [3600, -3600])
def test_a_lease_does_not_move_when_the_wall_clock_jumps(afar: Afar, by: int) -> None:
    order = inject(f"f-clock-{'ahead' if by > 0 else 'back'}", closes_the_page())
    order["order"] |= {"lease": LEASE, "cap": 2 * LEASE}
    afar.operate(order)
    before = uptime(afar)
    afar.machine.run("sh", "-c", f"date -s @$(($(date +%s) + {by}))")
    afar.machine.run("sleep", "3")  # many beats of the watchdog
    assert afar.page() == "closed" or uptime(afar) - before >= LEASE, "an hour ahead is no reason to end it"
    afar.has_settled(120)  # nor is an hour back one to leave it on
    assert afar.page() == "open" and afar.tombstone(order["order"]["fault_id"])["outcome"] == "expired"
    assert uptime(afar) - before < 4 * LEASE


def uptime(afar: Afar) -> float:
    return float(afar.machine.run("cat", "/proc/uptime").split()[0])
