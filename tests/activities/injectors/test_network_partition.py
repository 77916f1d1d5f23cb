"""A host is cut off from another: real packets between real network namespaces. With everybody dead, the kernel ends it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from activities import watchdog
from activities.injectors.injector import Host
from activities.injectors.network_partition import NetworkPartition
from activities.journal import Journal
from activities.operators import Operators
from gameday.fault import ResolvedTarget
from gameday.playbook import Target
from gameday.settings import HostSettings
from tests.rigs.lab import SLOWNESS, Rig, rig, until
from tests.rigs.network import THERE, Wire, needs_namespaces

THEIRS = "add table inet theirs; add chain inet theirs out { type filter hook output priority 0; }; add rule inet theirs out ip daddr 10.9.9.9 drop"


class Cut(Rig):
    """A process whose network namespace is cut off from its neighbour; there are rules of others, too."""

    every = 4  # nft is a program, and each look at what it made another
    short = 2.0 * SLOWNESS
    kind = "network.partition"
    params: ClassVar[dict[str, Any]] = {"peers": [THERE]}
    bad_params = ({"peers": []}, {"peers": ["10.0.0.1; flush ruleset"]}, {"peers": ["-f"]}, {"peers": ["127.0.0.1"]}, {"peers": ["0.0.0.0/0"]})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        needs_namespaces()
        self.wire = Wire()
        self.wire.ours(THEIRS)

    def on(self) -> Target:
        pid_file = self.folder / "here.pid"
        pid_file.write_text(str(self.wire.here))
        return Target(host="local", pid_file=str(pid_file))

    def look(self) -> object:
        return self.wire.rules()

    def close(self) -> None:
        self.wire.close()


async def test_packets_are_dropped_and_come_through_again(tmp_path: Path, operators: Operators) -> None:
    with rig(Cut, tmp_path / "rig") as target:
        await operators.perform(target.order("f-cut"))
        assert not target.wire.answers()
        (status,) = await operators.revert({"f-cut": "the test is over"})
        assert status["outcome"] == "reverted" and target.wire.answers()


async def test_the_kernel_ends_it_with_everybody_dead(tmp_path: Path, operators: Operators) -> None:
    """Nobody is left who could take it off: watchdog, operations and agent are gone."""
    with rig(Cut, tmp_path / "rig") as target:
        await operators.perform(target.order("f-alone", lease=2.0 * SLOWNESS))
        assert not target.wire.answers()
        root = Journal.at(tmp_path / "home").root
        os.kill(json.loads((root / ".watchdog").read_bytes())["pid"], signal.SIGKILL)
        await asyncio.to_thread(until, target.wire.answers, 2.0 * SLOWNESS + 5.0)
        assert watchdog.heartbeat(root) is None and Journal.at(tmp_path / "home").live(), "nobody took it off"
        (status,) = await operators.revert({"f-alone": "an agent starts"})
        assert status["outcome"] in ("reverted", "expired") and "gameday" not in target.wire.rules()


async def test_a_renewal_extends_what_the_kernel_holds_and_nothing_makes_it_again(tmp_path: Path, operators: Operators) -> None:
    with rig(Cut, tmp_path / "rig") as target:
        await operators.perform(target.order("f-kept", lease=2.0))
        until_then = time.monotonic() + 4.0
        while time.monotonic() < until_then:
            (status,) = (await operators.perform({"op": "renew", "faults": ["f-kept"]}))["statuses"]
            assert status["state"] == "active" and not status.get("problems")
            await asyncio.sleep(0.3)
        assert not target.wire.answers(), "twice its lease later"
        target.wire.ours("flush ruleset")  # a responder does away with every rule there is
        (status,) = (await operators.perform({"op": "renew", "faults": ["f-kept"]}))["statuses"]
        assert "nft did not renew the table" in status["problems"][0] and target.wire.answers()
        seen = (await operators.perform({"op": "check", "faults": ["f-kept"]}))["statuses"][0]
        assert seen["problems"] == ["neutralised"]
        assert (await operators.revert({"f-kept": "the test is over"}))[0]["outcome"] == "neutralised"


async def test_a_namespace_that_has_ended_took_its_table_with_it(tmp_path: Path, operators: Operators) -> None:
    with rig(Cut, tmp_path / "rig") as target:
        await operators.perform(target.order("f-gone"))
        target.wire.close()
        (status,) = await operators.revert({"f-gone": "the test is over"})
        assert status["outcome"] == "neutralised" and "its network namespace has ended" in status["proof"][0]["after"]


WAYS: dict[str, tuple[dict[str, Any], bool]] = {
    "in": ({"direction": "in"}, False),
    "out": ({"direction": "out"}, False),
    "this port": ({"port": 7000}, False),
    "another port": ({"port": 7001}, True),
    "networks of both kinds": ({"peers": ["10.203.0.0/30", "fd00::/64"]}, False),
}


@pytest.mark.parametrize(("params", "works"), WAYS.values(), ids=WAYS)
async def test_who_is_cut_off_and_how(
    tmp_path: Path, operators: Operators, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], works: bool
) -> None:
    monkeypatch.setattr(Cut, "params", {**Cut.params, **params})
    with rig(Cut, tmp_path / "rig") as target:
        await operators.perform(target.order("f-part"))
        assert target.wire.answers() is works
        await operators.revert({"f-part": "the test is over"})
        assert target.wire.answers()


@pytest.mark.parametrize("needed", ["10.203.0.9", "localhost"])
def test_a_plan_that_cuts_its_own_way_back_is_refused(needed: str) -> None:
    """Temporal's address, and those of the probes where the conductor is on the same host."""
    needs_namespaces()
    params = NetworkPartition.Params(peers=("10.203.0.0/24", "10.9.0.1"))
    target, host = ResolvedTarget(host="local", thing="host", label="local"), Host("local", HostSettings(), {}, Path("/nowhere"), (needed,))
    found = list(NetworkPartition().preflight(params, target, host))
    assert len(found) == (needed == "10.203.0.9")
    assert not found or "a fault may not cut its own way back" in found[0]


@pytest.mark.parametrize("peer", ["10.0.0.1 timeout 1d", "10.0.0.0/33", "::1", "example.com", "10.0.0.1/24"])
def test_only_addresses_of_others_are_peers(peer: str) -> None:
    with pytest.raises(ValidationError):
        NetworkPartition.Params(peers=(peer,))
