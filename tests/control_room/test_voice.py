"""Whoever did something is told what came of it, by whichever way Slack takes, and later where it takes none now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_room.identity import Directory
from control_room.outbox import Outbox
from control_room.payloads import SlashCommand, Who
from control_room.postman import Postman
from control_room.runs import Board, Runs
from control_room.voice import Voice
from control_room.web import Web
from tests.rigs.slack import Slack, slack_server

SAID = SlashCommand(id="slack-command-1", who=Who(team="T01", user="U03"), channel="C01", response_url="https://hooks.slack.com/commands/1")


class Nobody:
    """In the runs' place: nothing is said to them here."""


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_server() as server:
        server.join("C01", "U03")
        yield server


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "slack.db")
    yield made
    made.close()


@pytest.fixture
def web(slack: Slack) -> Web:
    return Web(slack.bot_token, slack.base_url)


@pytest.fixture
def voice(web: Web, outbox: Outbox) -> Voice:
    runs: Runs = Nobody()  # type: ignore[assignment]  # see there
    return Voice(Board(Directory("T01", {})), runs, web, outbox)


async def test_what_slack_cannot_be_told_now_comes_in_a_message_of_their_own(slack: Slack, voice: Voice, outbox: Outbox, web: Web) -> None:
    slack.down()
    await voice.private(SAID.model_copy(update={"response_url": ""}), "aborting: everything is taken off")
    slack.up()
    await Postman(outbox, web).round()
    assert [each.text for each in slack.dms("U03")] == ["aborting: everything is taken off"]


async def test_in_a_channel_where_the_app_is_not_they_are_told_all_the_same(slack: Slack, voice: Voice, outbox: Outbox, web: Web) -> None:
    await voice.private(SAID.model_copy(update={"channel": "C77", "response_url": ""}), "noted")
    await Postman(outbox, web).round()
    assert [each.text for each in slack.dms("U03")] == ["noted"]


async def test_what_is_said_in_a_channel_is_said_there_once(slack: Slack, voice: Voice, outbox: Outbox) -> None:
    await voice.private(SAID.model_copy(update={"response_url": ""}), "noted")
    assert [each.text for each in slack.private("U03")] == ["noted"] and outbox.waiting() == []
