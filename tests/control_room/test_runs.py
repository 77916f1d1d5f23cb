"""Which run somebody means, of those at hand."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

from control_room.identity import Directory
from control_room.runs import Board
from gameday.view import RunView
from tests.gameday.cli.told import T0, plan_of

OLD, NEW, OTHER = "7kq2-checkout-day", "8abc-checkout-day", "mnop-stock-day"


def board(*runs: str) -> Board:
    """Each in its own room, but for those of the same playbook; the later ones are newer."""
    made = Board(Directory("T01", {}))
    for seconds, run in enumerate(runs):
        view = RunView(plan_of(run, seconds=seconds), T0)
        made.put(run, SimpleNamespace(open=view, veiled=view, rooms=frozenset({run.partition("-")[2]})))  # type: ignore[arg-type]  # as it is seen
    return made


CASES: dict[str, tuple[tuple[str, ...], str, str, bool, tuple[str | None, str]]] = {
    "the only one": ((OLD,), "it hurts", "C09", True, (OLD, "it hurts")),
    "nothing is going on": ((), "it hurts", "C09", True, (None, "it hurts")),
    "by how its id begins": ((OLD, NEW), "7kq2 it hurts", "C09", True, (OLD, "it hurts")),
    "the room's": ((OLD, OTHER), "it hurts", "stock-day", False, (OTHER, "it hurts")),
    "two in a room": ((OLD, NEW), "it hurts", "checkout-day", False, (None, "it hurts")),
    "two in a room, at once": ((OLD, NEW), "it hurts", "checkout-day", True, (NEW, "it hurts")),
    "an id that is not at hand": ((OLD,), "9xyz-checkout-day it hurts", "C09", False, (None, "9xyz-checkout-day it hurts")),
    "an id that is not at hand, at once": ((OLD,), "9xyz-checkout-day it hurts", "C09", True, ("9xyz-checkout-day", "it hurts")),
    "before any is known": ((), "9xyz-checkout-day", "C09", True, ("9xyz-checkout-day", "")),
    "a word that looks like one": ((OLD,), "well-known problem", "C09", True, (OLD, "well-known problem")),
}


@pytest.mark.parametrize(("runs", "said", "channel", "urgent", "meant"), CASES.values(), ids=CASES)
def test_which_run_is_meant(runs: tuple[str, ...], said: str, channel: str, urgent: bool, meant: tuple[str | None, str]) -> None:
    assert board(*runs).meant(said, channel, urgent) == meant


def test_when_it_began_is_known_of_what_is_at_hand() -> None:
    began = board(OLD).began(OLD)
    assert isinstance(began, datetime) and board(OLD).began(NEW) is None
