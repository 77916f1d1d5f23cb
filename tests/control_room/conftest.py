"""A reception whose desk only notes what comes to it, and the doors before it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from control_room.inbox import Inbox
from control_room.payloads import Payload, Submission
from control_room.reception import Reception


class Noting:
    """In the desk's place: what was worked on, in order; `wrong` is what it objects to, `slow` how long its work takes."""

    def __init__(self) -> None:
        self.worked: list[Payload] = []
        self.wrong: dict[str, str] = {}
        self.slow = 0.0

    def heeds(self, payload: Payload) -> bool:
        return True

    def named(self, payload: Payload) -> Payload:
        return payload

    def objections(self, sent: Submission) -> dict[str, str]:
        return self.wrong

    async def work(self, payload: Payload, age: float = 0.0) -> None:
        await asyncio.sleep(self.slow)
        self.worked.append(payload)


@pytest.fixture
def desk() -> Noting:
    return Noting()


@pytest.fixture
def reception(desk: Noting, tmp_path: Path) -> Reception:
    return Reception(Inbox(tmp_path / "slack.db"), desk)  # type: ignore[arg-type]  # it notes


def slash(text: str = "status", trigger: str = "1.2.abc") -> Mapping[str, Any]:
    return {
        "team_id": "T01",
        "channel_id": "C01",
        "user_id": "U03",
        "text": text,
        "trigger_id": trigger,
        "response_url": "https://hooks.slack.com/commands/1",
    }
