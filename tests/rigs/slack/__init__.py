"""Slack for tests: real HTTP and real WebSockets on loopback, faithful to its documented protocol, with people that a test plays.

    with slack_server() as slack:
        slack.join("C01", "U01", "U02")
        slack.command("U01", "C01", "/gameday", "status").wait()
        message = slack.until(lambda: slack.messages("C01"), what="an answer")[-1]
        slack.press("U02", message, "abort").wait()

The app under test talks to `slack.base_url` with `slack.bot_token`, by Socket Mode with `slack.app_token`, or by signed callbacks
to `slack.callbacks`. All methods are for threads other than the server's, and none of them waits for the app but `wait` and `until`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.rigs.slack.acting import Slack
from tests.rigs.slack.delivery import Delivery
from tests.rigs.slack.server import Loop, Server
from tests.rigs.slack.things import Call, Channel, File, Message, View

__all__ = ["Call", "Channel", "Delivery", "File", "Loop", "Message", "Slack", "View", "slack_server"]


@contextmanager
def slack_server(signing_secret: str | None = None) -> Iterator[Slack]:
    """A workspace of its own, on a port of its own, for as long as this lasts."""
    loop = Loop()
    try:
        server = loop.do(Server, signing_secret)
        loop.run(server.start())
        try:
            yield Slack(loop, server)
        finally:
            loop.run(server.stop())
    finally:
        loop.close()
