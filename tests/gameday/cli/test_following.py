"""Whoever follows a run: which keys are offered when, and what each says to the run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gameday.cli.following import INTERRUPTED, Following, labels
from gameday.cli.replay import Player
from gameday.commands import Answer, Command, Verb
from gameday.language import Clock
from gameday.record import RunRecord
from gameday.settings import load_settings
from gameday.view import RunView


def at(day: RunRecord, seconds: float) -> RunView:
    player = Player(day, 1.0)
    player.seek(day.plan.started_at + timedelta(seconds=seconds))
    return player.view


@pytest.mark.parametrize(
    ("seconds", "keys"), [(2, "ahn?q"), (7, "agrhn?q"), (10, "ahndm?q"), (16, "ahnm?q"), (26, "ahn?q"), (50, "ndm?q"), (61, "?q")]
)
def test_the_keys_of_use_are_offered(day: RunRecord, seconds: float, keys: str) -> None:
    assert "".join(labels(at(day, seconds))) == keys


@pytest.fixture
def followed(home: Path, day: RunRecord, monkeypatch: pytest.MonkeyPatch) -> tuple[Following, list[tuple[Verb, dict[str, Any]]]]:
    """A run that is followed with nobody to talk to: what would be said is kept."""
    told: list[tuple[Verb, dict[str, Any]]] = []
    following = Following(load_settings(), day.plan, cast(Any, SimpleNamespace(leave=False, client=None)), as_json=False)
    following.live = True
    following.feed.pull()
    monkeypatch.setattr(following, "tell", lambda verb, fields: told.append((verb, fields)))
    return following, told


async def test_each_key_says_its_own_thing(followed: tuple[Following, list[tuple[Verb, dict[str, Any]]]]) -> None:
    following, told = followed
    for what, text in (
        ("abort", "enough"),
        ("abort", ""),
        ("hold", ""),
        ("note", "seen"),
        ("detected", ""),
        ("mitigated", ""),
        ("ready", ""),
        ("go", ""),
    ):
        following.pressed(what, text)
    assert told == [
        (Verb.ABORT, {"reason": "enough"}),
        (Verb.ABORT, {}),
        (Verb.HOLD, {}),
        (Verb.NOTE, {"text": "seen"}),
        (Verb.MARK, {"clock": Clock.DETECT}),
        (Verb.MARK, {"clock": Clock.MITIGATE}),
        (Verb.READY, {}),
        (Verb.GO, {}),
    ]


async def test_a_go_is_for_the_gate_that_was_seen(followed: tuple[Following, list[tuple[Verb, dict[str, Any]]]]) -> None:
    following, told = followed
    following.view.gate = "inject 2"
    following.pressed("go", "")
    assert told == [(Verb.GO, {"gate": "inject 2"})]


async def test_hold_is_resume_on_a_held_day(followed: tuple[Following, list[tuple[Verb, dict[str, Any]]]]) -> None:
    following, told = followed
    following.view.held = True
    following.pressed("hold", "")
    assert told == [(Verb.RESUME, {})]


async def test_the_first_interrupt_aborts_and_the_second_leaves(
    followed: tuple[Following, list[tuple[Verb, dict[str, Any]]]], capsys: pytest.CaptureFixture[str]
) -> None:
    following, told = followed
    following.interrupted()
    assert told == [(Verb.ABORT, {"reason": "Ctrl-C"})]
    assert "Ctrl-C again leaves" in following.keys.answer
    following.interrupted()
    assert following.left.is_set()
    assert following.leave() == INTERRUPTED
    assert following.reached.leave is True
    assert "`gameday follow 7kq2-checkout-day`" in capsys.readouterr().err


async def test_leaving_by_key_is_no_failure(followed: tuple[Following, list[tuple[Verb, dict[str, Any]]]]) -> None:
    following, _ = followed
    following.pressed("leave", "")
    assert following.left.is_set()
    assert following.leave() == 0


async def test_who_leaves_in_a_hurry_has_said_abort_before(home: Path, day: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two interrupts at once: what was said is sent before the watcher is gone."""
    told: list[Verb] = []

    async def send(client: object, run_id: str, command: Command) -> Answer:
        await asyncio.sleep(0.05)
        told.append(command.verb)
        return Answer(text="aborting")

    monkeypatch.setattr("worker.client.send", send)
    following = Following(load_settings(), day.plan, cast(Any, SimpleNamespace(leave=False, client=None)), as_json=False)
    assert await following.run(lambda: 2) == INTERRUPTED
    assert told == [Verb.ABORT]
    assert following.reached.leave is True
