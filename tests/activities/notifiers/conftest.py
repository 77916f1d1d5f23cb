"""A notice, a clock that only moves when it is waited by, and the client that notifiers are handed."""

from __future__ import annotations

import pytest

from gameday.notice import Notice, Severity
from gameday.notify import About
from tests.activities.conftest import NOON
from tests.rigs.paging import API_KEY, ROUTING_KEY, SECRET
from tests.rigs.web import closed_port, http

__all__ = ["closed_port", "http"]


class Clock:
    """The time of day, from noon on. `slept` has every wait; none takes any time."""

    def __init__(self) -> None:
        self.now = NOON.timestamp()
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the settings of the tests say that they are."""
    for name, value in {"HOOK": SECRET, "PAGERDUTY": ROUTING_KEY, "OPSGENIE": API_KEY}.items():
        monkeypatch.setenv(name, value)


def made(identity: str = "e1", about: About = About.DIRTY, severity: Severity = Severity.CRITICAL, **more: object) -> Notice:
    """A notice as long as any may be, unless told otherwise."""
    facts: dict[str, object] = {
        "id": identity,
        "about": about,
        "key": "gameday/7kq2-day/e1",
        "run_id": "7kq2-day",
        "playbook": "day",
        "environment": "staging",
        "to": ("Margaret (technical lead)",),
        "text": "x" * 900,
        "details": ("y" * 200,) * 60,
        "at": NOON,
        "severity": severity,
    }
    return Notice.model_validate({**facts, **more})
