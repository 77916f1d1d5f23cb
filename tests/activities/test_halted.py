"""The refusal of a host: on disk, heeded before each change, and lifted only by who set it."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities import halted
from activities.journal import Journal, Order
from activities.steps.step import from_json
from gameday.errors import FaultEnded, Refused
from gameday.halt import EVERYWHERE, HERE, Halt
from tests.activities.injectors.test_process_pause import Sleeper
from tests.rigs.lab import rig


def said(scope: str, reason: str = "smoke") -> Halt:
    return Halt("Ada", "os:ada", reason, "2026-06-18T12:00:00+00:00", scope)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Journal.at(tmp_path).root


def test_it_says_who_when_why_and_how_it_is_lifted(root: Path) -> None:
    halted.halt(root, said(EVERYWHERE))
    with pytest.raises(Refused, match=r"this host is halted by Ada at 2026-06-18 12:00 UTC: smoke; `gameday halt --release` lifts it"):
        halted.refuse(root)


def test_the_first_stays_and_each_is_lifted_by_itself(root: Path) -> None:
    for scope in (EVERYWHERE, HERE):
        halted.halt(root, said(scope))
        halted.halt(root, said(scope, "another"))
    assert halted.release(root, HERE)
    assert halted.standing(root) == said(EVERYWHERE)
    assert halted.release(root, EVERYWHERE)
    assert not halted.release(root, EVERYWHERE)
    halted.refuse(root)


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"actor": "Ada"}'])
def test_one_that_cannot_be_read_stands(root: Path, damaged: bytes) -> None:
    (root / ".halted-here").write_bytes(damaged)
    with pytest.raises(Refused, match="cannot be read"):
        halted.refuse(root)


def test_an_inject_that_is_under_way_stops_at_its_next_change(root: Path, tmp_path: Path) -> None:
    with rig(Sleeper, tmp_path / "rig") as target:
        request = target.order("f-half")
        steps = [from_json(step) for step in request["steps"]]
        entry = Journal.at(tmp_path).open(Order(**request["order"]), steps, [{} for _ in steps])
        entry.proceed()
        halted.halt(root, said(EVERYWHERE))
        with pytest.raises(FaultEnded, match="this host is halted by Ada"):
            entry.proceed()
