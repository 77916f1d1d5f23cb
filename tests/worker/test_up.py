"""`gameday up` and `gameday run` as a user starts them: one tree of processes, which leaves nothing behind however it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.store import RunStore
from tests.rigs.house import TREE, House
from tests.rigs.lab import until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path / "home")
    yield built
    built.close()


def test_ctrl_c_stops_the_whole_tree_after_reverting_and_a_second_run_finds_yesterday(house: House) -> None:
    up = house.gameday("up")
    until(house.is_up, 60)
    second = house.gameday("up")
    assert second.wait(60) == 5, "only one tree a home"
    run_id = house.begin(house.playbook("60s"))
    until(lambda: house.is_frozen, 60)
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    assert house.is_clean()
    until(lambda: not house.processes(), 30)
    house.gameday("up")
    until(lambda: house.has_ended(run_id), 90)
    assert not house.is_frozen, "what its host took off is not put on again"


def test_ctrl_c_in_run_aborts_and_waits_for_the_proof(house: House) -> None:
    run = house.gameday("run", house.playbook("60s"), "--approve", "auto")
    until(lambda: house.is_frozen, 90)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=90)
    assert run.returncode == 3
    assert house.is_clean()
    assert "nothing is left behind: 1 fault, 1 reverted, 0 dirty" in said
    assert Path(said.strip().splitlines()[-1].split()[-1]).is_file(), "the last line is the report's path"
    until(lambda: not house.processes(), 30)


def test_the_tree_is_killed_with_its_holder_and_leaves_nothing(house: House) -> None:
    up = house.gameday("up")
    until(house.is_up, 60)
    house.begin(house.playbook("60s"))
    until(lambda: house.is_frozen, 60)
    up.kill()
    until(house.is_clean, 40)
    until(lambda: not house.processes(), 60)


def test_a_child_that_is_killed_is_started_again(house: House) -> None:
    """Conductor, agent and server, one after the other, with a fault on: it comes off, and its run ends with a report."""
    house.gameday("up")
    until(house.is_up, 60)
    run_id = house.begin(house.playbook("60s"))
    until(lambda: house.is_frozen, 60)
    for name in ("conductor", "agent", "server"):
        before = house.pids(TREE[name])
        house.kill([name])
        until(lambda: bool(house.pids(TREE[name])) and house.pids(TREE[name]) != before, 30)  # noqa: B023
    aborted = house.gameday("abort", run_id, "-r", "seen enough")
    said, _ = aborted.communicate(timeout=60)
    assert aborted.returncode == 0, said
    until(house.is_clean, 60)
    until(lambda: house.has_ended(run_id), 90)
    until(house.report(run_id).is_file, 30)


def test_a_run_whose_watcher_is_killed_goes_on_to_its_end(house: House) -> None:
    run = house.gameday("run", house.playbook("3s"), "--approve", "auto")
    until(lambda: house.is_frozen, 90)
    run.kill()
    until(house.is_clean, 40)
    store = RunStore(f"sqlite:///{house.home}/gameday.db")
    until(lambda: bool(store.list()) and store.list()[0].outcome == "passed", 60)


def test_everything_is_killed_and_brought_up_again(house: House) -> None:
    """Nobody was there to take the fault off: `gameday up` does, and the day goes on from where it was, to its report."""
    house.gameday("up")
    until(house.is_up, 60)
    run_id = house.begin(house.playbook("60s"))
    until(lambda: house.is_frozen, 60)
    house.kill([*TREE, "watchdog"])
    until(lambda: not house.processes(), 30)
    assert house.is_frozen, "only a kernel-held fault would have ended unaided"
    house.gameday("up")
    until(house.is_clean, 60)
    until(lambda: house.has_ended(run_id), 120)
    assert [story.outcome for story in house.record(run_id).faults()] == ["reverted"]
    until(house.report(run_id).is_file, 30)
    told = house.report(run_id).read_text()
    assert "its fault is proven gone" in told and "its watchdog had died, and its agent" in told
