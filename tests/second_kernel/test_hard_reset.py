"""The plug is pulled in the middle of a fault: no signal, no sync, and what nobody synced is lost. Only this can test an fsync.

After the boot there is another boot id, no process and no rule of before; the journal and the files are as the disks have them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from activities.steps.nft_table import NftTable
from activities.steps.process_signal import Pause
from tests.rigs.afar import DISKS, WITHOUT_FSYNC, WRITE_ONLY, Afar, closes_the_page, inject, revert
from tests.rigs.second_kernel import guest

pytestmark = pytest.mark.timeout(1500)
THERE = "10.203.0.2"
WIRE = f"""
ip netns add there
ip link add here type veth peer name there netns there
ip addr add 10.203.0.1/24 dev here; ip link set here up
ip -n there addr add {THERE}/24 dev there; ip -n there link set there up
"""


@pytest.fixture(scope="module")
def afar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afar]:
    """One machine for all of them: each begins and ends with nothing on."""
    with guest(tmp_path_factory.mktemp("guest"), *DISKS) as machine:
        yield Afar(machine)


def test_after_the_reset_nothing_is_left_of_a_file_a_process_and_a_cut(afar: Afar) -> None:
    """All three are on when the plug is pulled; no Temporal answers after the boot, and somebody asks for what is left."""
    machine = afar.machine
    machine.run("sh", "-ec", WIRE)
    sleeper = machine.start("sleep", "100000")
    born = machine.run("sh", "-c", f"cut -d' ' -f22 /proc/{sleeper}/stat").strip()
    boot, namespace = afar.boot_id(), machine.run("readlink", "/proc/self/ns/time").strip()
    table = NftTable("gameday_0123456789", machine.run("readlink", "/proc/self/ns/net").strip(), (f"{THERE}/32",))
    answers = ("busybox", "ping", "-c", "1", "-W", "1", THERE)
    machine.run(*answers)
    steps = {"f-page": closes_the_page(), "f-paused": Pause(sleeper, f"{boot}/{namespace}/{born}"), "f-cut": table}
    answered = afar.operate(*(inject(fault_id, step) for fault_id, step in steps.items()))
    assert [answer["status"]["state"] for answer in answered] == ["active"] * 3
    assert afar.page() == "closed" and "State:\tT" in machine.run("cat", f"/proc/{sleeper}/status")
    assert machine.attempt(*answers).status == 1 and "gameday_0123456789" in machine.run("nft", "list", "ruleset")

    machine.pull_the_plug()

    assert afar.boot_id() != boot and afar.page() == "closed" and afar.live() == sorted(steps)
    assert "3 taken off, 0 left" in afar.leftovers("--revert")
    assert afar.page() == "open" and machine.run("nft", "list", "ruleset") == ""
    proofs = {fault_id: afar.tombstone(fault_id) for fault_id in steps}
    assert {fault_id: each["proof"][0]["state"] for fault_id, each in proofs.items()} == {"f-page": "before", "f-paused": "gone", "f-cut": "before"}
    assert {fault_id: each["outcome"] for fault_id, each in proofs.items()} == dict.fromkeys(steps, "reverted"), "nobody took them away"
    assert "nothing is left behind" in afar.leftovers()


POINTS = {"after_journal": "open", "mid_inject": "closed", "mid_revert": "open"}
"""How the page is when the plug is pulled at a failpoint."""


@pytest.mark.parametrize("point", POINTS)
def test_the_reset_comes_at_the_worst_moment(afar: Afar, point: str) -> None:
    fault_id = f"f-{point.replace('_', '-')}"
    reset_at(afar, fault_id, point)
    assert afar.page() == POINTS[point] and afar.live() == [fault_id]
    afar.watch()
    taken_off(afar, fault_id)
    assert afar.tombstone(fault_id)["outcome"] == ("not-injected" if point == "after_journal" else "expired")


def test_what_was_proven_gone_before_the_reset_is_gone_after_it(afar: Afar) -> None:
    """The operator's undo writes, and does not sync."""
    afar.watch()
    _, answer = afar.operate(inject("f-undone", closes_the_page(undo=WRITE_ONLY)), revert("f-undone"))
    assert answer["statuses"][0]["outcome"] == "reverted"
    afar.machine.pull_the_plug()
    assert afar.page() == "open" and afar.live() == []


def test_without_the_fsyncs_the_fault_outlives_the_reset_and_is_caught(afar: Afar) -> None:
    """A deliberate mistake: the journal is written, and never synced."""
    afar.watch()
    (answer,) = afar.operate(inject("f-mutant", closes_the_page()), mutant=WITHOUT_FSYNC)
    assert answer["status"]["state"] == "active" and afar.live() == ["f-mutant"]
    afar.machine.pull_the_plug()
    afar.watch()
    with pytest.raises(AssertionError, match="not as it was"):
        taken_off(afar, "f-mutant")
    assert afar.live() == [] and afar.page() == "closed"
    afar.write_page("open")


def reset_at(afar: Afar, fault_id: str, point: str) -> None:
    """Pulls the plug while an operation on the fault stands at this point."""
    order = inject(fault_id, closes_the_page())
    if point == "mid_revert":
        afar.operate(order)
        afar.stop_watchdog()
        afar.freeze(revert(fault_id), point)
    else:
        afar.freeze(order, point)
    afar.machine.pull_the_plug()


def taken_off(afar: Afar, fault_id: str) -> None:
    """What comes, and must hold then, once somebody watches again."""
    afar.has_settled()
    assert afar.page() == "open", "not as it was"
    assert [line["state"] for line in afar.tombstone(fault_id)["proof"]] == ["before"]
