"""A Slack channel as a way of calling people: against a workspace that keeps to Slack's protocol."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from activities.notifiers.named import named
from activities.notifiers.notifier import Notifier, NotSent
from gameday.notify import About, NotifierSettings
from tests.activities.notifiers.conftest import Clock, made
from tests.rigs.slack import Slack, slack_server


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slack]:
    with slack_server() as server:
        server.join("C01", "U01")
        monkeypatch.setenv("SLACK", server.bot_token)
        yield server


@pytest.fixture
def notifier(slack: Slack, http: httpx.AsyncClient, clock: Clock) -> Notifier:
    way = {"slack": {"bot_token": "secret://env/SLACK", "channel": "C01", "base_url": slack.base_url.rstrip("/")}}
    return named({"it": NotifierSettings.model_validate(way)}, http, clock)["it"]


@pytest.mark.parametrize("about", About)
async def test_a_notice_is_a_message_that_mentions_nobody_by_accident(slack: Slack, notifier: Notifier, about: About) -> None:
    await notifier.send(made(about=about, text="<!channel> db-1 is dirty & on", details=("Restart <it>",)))
    (message,) = slack.messages("C01")
    assert "&lt;!channel&gt; db-1 is dirty &amp; on" in message.text and "• Restart &lt;it&gt;" in message.text
    assert slack.violations == []


@pytest.mark.parametrize("error", ["not_in_channel", "invalid_auth", "internal_error"])
async def test_what_slack_does_not_take_is_tried_again(slack: Slack, notifier: Notifier, error: str) -> None:
    slack.fail("chat.postMessage", error)
    with pytest.raises(NotSent, match=f"Slack says {error}") as failed:
        await notifier.send(made())
    assert (failed.value.final, failed.value.after, slack.messages("C01")) == (False, 30.0, [])


async def test_a_pause_that_slack_asks_for_is_told(slack: Slack, notifier: Notifier) -> None:
    slack.limit("chat.postMessage", retry_after=7)
    with pytest.raises(NotSent) as failed:
        await notifier.send(made())
    assert failed.value.after == 7.0 and slack.bot_token not in str(failed.value)


async def test_a_dead_slack_is_no_mistake_of_ours(slack: Slack, notifier: Notifier) -> None:
    slack.down()
    with pytest.raises(NotSent) as failed:
        await notifier.send(made())
    assert not failed.value.final
