"""What a go is for is shown to whoever may see it, and goes with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gameday.catalogue import Catalogue
from gameday.cli.saying import _approved
from gameday.commands import Actor
from gameday.event import Event, EventKind
from gameday.loading import loads
from gameday.plan import plan
from gameday.record import RunRecord
from gameday.viewer import veil

NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)
FOUND = {"targets": [{"fault": "canary", "host": "local", "label": "local, canary (pid 42)"}], "digest": "d1"}


@pytest.fixture
def waiting(good: str, catalogue: Catalogue) -> RunRecord:
    """A sealed scenario at its gate."""
    made = plan(loads(good.encode(), catalogue), catalogue, Actor(id="os:ada", name="Ada"), NOW)
    told = (
        (EventKind.SCENARIO_BEGAN, {}),
        (EventKind.TARGETS_FOUND, FOUND),
        (EventKind.GATE_WAITING, {"gate": "inject 1", "until": NOW.isoformat()}),
    )
    events = tuple(
        Event.model_validate({"id": f"e{at}", "run_id": made.run_id, "at": NOW, "kind": kind, "scenario": 0, "data": data})
        for at, (kind, data) in enumerate(told)
    )
    return RunRecord(made, events, ())


def test_a_go_shows_what_it_touches_and_approves_that_list(waiting: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert _approved(waiting, {}) == {"targets": "d1"}
    assert "touches canary → local, canary (pid 42)" in capsys.readouterr().err


def test_a_list_that_was_named_is_the_one_that_is_approved(waiting: RunRecord) -> None:
    assert _approved(waiting, {"targets": "d0"}) == {"targets": "d0"}


def test_whoever_may_not_know_is_shown_nothing(waiting: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert _approved(veil(waiting), {}) == {} and capsys.readouterr() == ("", "")
