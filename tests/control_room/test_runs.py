"""Which run somebody means, of those at hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from control_room.identity import Directory
from control_room.payloads import SlashCommand, Who
from control_room.runs import Board
from control_room.slash import Slash
from gameday.errors import NotFound
from gameday.view import RunView
from tests.gameday.cli.told import T0, plan_of

ROOMS = {"checkout-day": "C01", "stock-day": "C02"}
OLD, NEW, OTHER = "7kq2-checkout-day", "8abc-checkout-day", "mnop-stock-day"


def board(*runs: str) -> Board:
    """Each in the room of its playbook; the later ones are newer."""
    made = Board(Directory("T01", {}))
    for seconds, run in enumerate(runs):
        view = RunView(plan_of(run, seconds=seconds), T0)
        made.put(run, SimpleNamespace(open=view, veiled=view, rooms=frozenset({ROOMS[run.partition("-")[2]]}), own="", announced=True))  # type: ignore[arg-type]  # as it is seen
    return made


CASES: dict[str, tuple[tuple[str, ...], str, str, bool, tuple[str | None, str]]] = {
    "the only one": ((OLD,), "it hurts", "C09", True, (OLD, "it hurts")),
    "nothing is going on": ((), "it hurts", "C09", True, (None, "it hurts")),
    "by how its id begins": ((OLD, NEW), "7kq2 it hurts", "C09", True, (OLD, "it hurts")),
    "the room's": ((OLD, OTHER), "it hurts", "C02", False, (OTHER, "it hurts")),
    "two in a room": ((OLD, NEW), "it hurts", "C01", False, (None, "it hurts")),
    "two in a room, at once": ((OLD, NEW), "it hurts", "C01", True, (NEW, "it hurts")),
    "an id that is not at hand": ((OLD,), "9xyz-checkout-day it hurts", "C09", False, (None, "9xyz-checkout-day it hurts")),
    "a word that looks like one": ((OLD,), "well-known problem", "C09", True, (OLD, "well-known problem")),
}


@pytest.mark.parametrize(("runs", "said", "channel", "urgent", "meant"), CASES.values(), ids=CASES)
def test_which_run_is_meant(runs: tuple[str, ...], said: str, channel: str, urgent: bool, meant: tuple[str | None, str]) -> None:
    assert board(*runs).meant(said, channel, urgent) == meant


def typed(board: Board, text: str, channel: str = "C09") -> str:
    said = SlashCommand(id="slack-command-1", who=Who(team="T01", user="U03"), channel=channel, text=text)
    return slash(board).named(said).text


def slash(board: Board, runs: object = None, voice: object = None) -> Slash:
    return Slash(board, runs, voice, None, None, None, lambda most: [], lambda view: {}, "stopwatch")  # type: ignore[arg-type]  # not asked here


def test_an_abort_names_its_run_as_it_comes_in() -> None:
    """However long after that it is worked on, and whatever has begun by then."""
    assert typed(board(OLD), "abort it hurts") == f"abort {OLD} it hurts"
    assert typed(board(OLD, NEW), "REAL", "C01") == f"REAL {NEW} "
    assert typed(board(OLD, NEW), "abort 7kq2 it hurts") == f"abort {OLD} it hurts"
    assert typed(board(OLD), f"abort {ELSEWHERE} it hurts") == f"abort {ELSEWHERE} it hurts", "it may be known elsewhere"
    assert typed(board(OLD), "abort\nit hurts") == f"abort {OLD} it hurts"
    assert typed(board(), "abort") == "abort" and typed(board(OLD), "note it hurts") == "note it hurts"


class Told:
    """In the voice's place: which runs were told; of those that it does not know it says so."""

    def __init__(self, *known: str) -> None:
        self.known, self.told = known, list[tuple[str, object]]()

    async def tell(self, payload: object, run: str, verb: object, **fields: object) -> str:
        if run not in self.known:
            raise NotFound(f"there is no run {run!r}")
        self.told.append((run, fields["reason"]))
        return "aborting"

    async def public(self, payload: object, text: str) -> None:
        pass


ELSEWHERE = "mkpq-stock-day"


@pytest.mark.parametrize(
    ("at_hand", "text", "told"),
    [
        ((), f"abort {ELSEWHERE} it hurts", (ELSEWHERE, "it hurts")),
        ((OLD,), f"abort {ELSEWHERE} it hurts", (ELSEWHERE, "it hurts")),
        ((OLD,), "abort well-known problem", (OLD, "well-known problem")),
    ],
)
async def test_an_abort_of_a_run_that_is_not_at_hand_is_said_to_it_all_the_same(at_hand: tuple[str, ...], text: str, told: tuple[str, str]) -> None:
    voice = Told(OLD, ELSEWHERE)
    desk, said = slash(board(*at_hand), voice=voice), SlashCommand(id="slack-command-1", who=Who(team="T01", user="U03"), channel="C09", text=text)
    await desk.do(desk.named(said))
    assert voice.told == [told]
