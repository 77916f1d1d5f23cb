"""Which run is meant, and who may see what."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.store import RunStore
from gameday.cli import context
from gameday.commands import Actor
from gameday.errors import BadInput, NotFound
from gameday.record import RunRecord
from gameday.settings import load_settings
from tests.gameday.cli.told import plan_of, told_day


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    opened = RunStore(f"sqlite:///{tmp_path / 'runs.db'}")
    for place, run in enumerate(("7kq2-checkout-day", "7kq9-checkout-day", "abcd-other-day", "abcd-other")):
        opened.open(plan_of(run, seconds=place))
    return opened


@pytest.mark.parametrize(
    ("named", "run"),
    [("7kq2-checkout-day", "7kq2-checkout-day"), ("7kq9", "7kq9-checkout-day"), ("latest", "abcd-other"), ("abcd-other", "abcd-other")],
)
def test_a_run_is_named_in_full_by_its_start_or_as_the_latest(store: RunStore, named: str, run: str) -> None:
    assert context.which(store, named) == run


def test_a_start_that_several_runs_have_names_them(store: RunStore) -> None:
    with pytest.raises(BadInput, match=r"'7kq' is the start of 2 runs: 7kq9-checkout-day, 7kq2-checkout-day; name one"):
        context.which(store, "7kq")


@pytest.mark.parametrize("named", ["", "../../etc/passwd", "a b", "7KQ2", "7kq2/..", "%2e", "-x", "7kq2\n", "日本", "a" * 100, "*", "'; drop table"])
def test_what_cannot_be_a_run_is_refused(store: RunStore, named: str) -> None:
    with pytest.raises(BadInput, match="is not a run id; expected one such as"):
        context.which(store, named)


def test_a_run_that_is_not_there_is_not_found(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no run 'zzzz'; `gameday runs` lists them"):
        context.which(store, "zzzz")
    with pytest.raises(NotFound, match=r"there is no run yet; start one with `gameday run PLAYBOOK`"):
        context.which(RunStore(f"sqlite:///{tmp_path / 'empty.db'}"), "latest")


@pytest.mark.parametrize(
    ("user", "starter", "opens"),
    [("linus", "ada", False), ("linus", "linus", False), ("ada", "ada", True), ("nobody", "ada", False)],
)
def test_a_seal_is_open_for_who_leads_and_who_started_it_and_never_for_a_responder(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch, user: str, starter: str, opens: bool
) -> None:
    monkeypatch.setattr(context, "user", lambda: user)
    plan = plan_of(sealed=True, started_by=Actor(id=f"os:{starter}", name=starter))
    assert context.opens_seals(load_settings(), plan) is opens
    assert context.opens_seals(load_settings(), plan_of()) is True


def test_the_settings_say_who_a_user_is(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "user", lambda: "a-user")
    monkeypatch.setenv("GAMEDAY_PEOPLE__A-USER", "Ada")
    monkeypatch.setenv("GAMEDAY_PEOPLE", '{"a-user": "Ada"}')
    assert context.opens_seals(load_settings(), plan_of(sealed=True, started_by=Actor(id="os:x", name="x"))) is True


def test_a_record_is_veiled_for_who_must_not_know(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = told_day(plan_of(sealed=True))
    unfinished = RunRecord(sealed.plan, sealed.events[:-1], sealed.samples)
    monkeypatch.setattr(context, "user", lambda: "linus")
    assert "ledger-slow" not in repr(context.visible(load_settings(), unfinished))
    monkeypatch.setattr(context, "user", lambda: "ada")
    assert "ledger-slow" in repr(context.visible(load_settings(), unfinished))
