"""What every injector must do, plug-ins included: on a real target, through the operations and the watchdog as they run in production."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from activities import halted, kinds
from activities.journal import Journal
from activities.operators import Operators
from gameday.errors import FaultEnded, Refused, TargetTaken
from gameday.halt import Halt
from tests.rigs.lab import Rig, rig, rigs, until


@pytest.fixture(params=rigs().values(), ids=list(rigs()))
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig(request.param, tmp_path / "rig") as built:
        yield built


async def revert(operators: Operators, fault_id: str) -> dict[str, object]:
    answer = await operators.perform({"op": "revert", "reasons": {fault_id: "the test is over"}})
    status: dict[str, object] = answer["statuses"][0]
    return status


@pytest.mark.parametrize("kind", kinds.of_hosts())
def test_it_has_a_rig(kind: str) -> None:
    expected = f"tests/activities/injectors/test_{kind.replace('.', '_')}.py"
    assert kind in {each.kind for each in rigs().values()}, f"nothing tests {kind!r}: expected a rig of that kind in {expected} (CONTRIBUTING.md)"


async def test_injects_once_when_called_twice_and_is_seen_active(target: Rig, operators: Operators) -> None:
    before = target.look()
    order = target.order("f-twice")
    first = (await operators.perform(order))["status"]
    changed = target.look()
    second = (await operators.perform(order))["status"]
    assert first["state"] == second["state"] == "active"
    assert before != changed == target.look()
    await revert(operators, "f-twice")


async def test_reverts_when_called_twice_and_leaves_the_target_as_it_was(target: Rig, operators: Operators) -> None:
    before = target.look()
    await operators.perform(target.order("f-back"))
    first, second = await revert(operators, "f-back"), await revert(operators, "f-back")
    if target.leaves == "spent":
        assert first == second and first["outcome"] == "spent"
        target.renew()
    else:
        assert first == second and first["outcome"] == "reverted"
        assert all(line["state"] in ("before", "gone") for line in first["proof"])  # type: ignore[attr-defined]  # a list of proofs
    assert target.look() == before


async def test_a_late_attempt_is_refused_by_the_tombstone(target: Rig, operators: Operators) -> None:
    order = target.order("f-late")
    before = target.look()
    await revert(operators, "f-late")
    with pytest.raises(FaultEnded):
        await operators.perform(order)
    assert target.look() == before


async def test_is_a_leftover_when_its_owner_dies_and_the_watchdog_ends_it(target: Rig, operators: Operators, tmp_path: Path) -> None:
    before = target.look()
    await operators.perform(target.order("f-orphan", lease=target.short))
    journal = Journal.at(tmp_path / "home")
    entry = journal.find("f-orphan")
    assert entry is not None
    await asyncio.to_thread(until, lambda: entry.tombstone is not None)
    assert entry.tombstone is not None
    assert entry.tombstone["outcome"] == ("spent" if target.leaves == "spent" else "expired")
    target.renew()
    assert target.look() == before


async def test_two_faults_cannot_have_one_target(target: Rig, operators: Operators) -> None:
    mine = target.order("f-mine")
    theirs = {**mine, "order": {**mine["order"], "fault_id": "f-theirs", "run_id": "other"}}
    await operators.perform(mine)
    first = target.look()
    with pytest.raises(TargetTaken, match="held by the fault 'fault' of run run"):
        await operators.perform(theirs)
    assert target.look() == first
    await revert(operators, "f-mine")


async def test_a_halted_host_puts_nothing_on_and_still_takes_off(target: Rig, operators: Operators, tmp_path: Path) -> None:
    before, root = target.look(), Journal.at(tmp_path / "home").root
    await operators.perform(target.order("f-on"))
    halted.halt(root, Halt("Ada", "os:ada", "smoke", "2026-06-18T12:00:00+00:00"))
    await revert(operators, "f-on")
    target.renew()
    assert target.look() == before
    with pytest.raises(Refused, match="this host is halted by Ada"):
        await operators.perform(target.order("f-new"))
    assert target.look() == before and not Journal.at(tmp_path / "home").live()


async def test_bad_parameters_are_refused_before_anything_happens(target: Rig) -> None:
    params = kinds.injectors()[target.kind].Params
    for bad in target.bad_params:
        with pytest.raises(ValidationError):
            params.model_validate(bad)
