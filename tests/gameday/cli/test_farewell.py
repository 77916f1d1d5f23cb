"""The end of it: what is left behind comes first, and nothing counts as clean that was not proven."""

from __future__ import annotations

import pytest

from gameday.cli.farewell import endings, left_behind
from gameday.cli.replay import Player
from gameday.record import RunRecord
from gameday.rows import FaultRow
from gameday.view import RunView


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "nothing is left behind: no fault was on"),
        (["reverted"], "nothing is left behind: 1 fault, 1 reverted, 0 dirty"),
        (["reverted", "spent", "reverted"], "nothing is left behind: 3 faults, 2 reverted, 1 spent, 0 dirty"),
        (["not-injected"], "nothing is left behind: no fault was on"),
        (
            ["reverted", "dirty"],
            "NOT PROVEN CLEAN: 2 faults: 1 dirty, 1 reverted. It is tried again for ever; `gameday leftovers` on the host tells more",
        ),
        ([""], "NOT PROVEN CLEAN: 1 fault: 1 unproven. It is tried again for ever; `gameday leftovers` on the host tells more"),
    ],
)
def test_what_is_left_behind(day: RunRecord, rows: list[str], said: str) -> None:
    view = RunView(day.plan, day.plan.started_at)
    view.past_faults = [FaultRow("fault", "local", state=outcome or "armed", outcome=outcome) for outcome in rows]
    assert left_behind(view) == said


def test_each_scenario_says_how_it_went_and_what_did_not_hold(day: RunRecord) -> None:
    player = Player(day, 1.0)
    player.seek(player.end)
    assert endings(player.view) == [
        "aborted    errors > 5 % in 3 of 5 samples: 6 %",
        "           1 The ledger freezes: passed, 2 of 2 expectations upheld",
        "           2 The ledger is slow: aborted, 0 of 1 expectations upheld",
        "             'errors < 1 %' refuted: worst sample 6 % at +0:00",
    ]
