"""A workspace with two people in it, and an app that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.slack import Slack, slack_server
from tests.rigs.slack.app import App


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_server() as made:
        made.join("C01", "U01", "U02", name="control")
        yield made


@pytest.fixture
def app(slack: Slack) -> Iterator[App]:
    made = App(slack)
    yield made
    made.close()
