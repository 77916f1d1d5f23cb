"""The Slack of tests, seen through Slack's own SDK: what an app hears, what it is answered, and what people see of it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.rigs.slack import Loop, Slack
from tests.rigs.slack.app import App
from tests.rigs.slack.delivery import EVENTS
from tests.rigs.slack.samples import ASKS, BUTTONS, FORM, YES
from tests.rigs.web import served


def test_a_command_comes_by_socket_and_is_answered_three_ways(slack: Slack, app: App) -> None:
    app.connect()
    app.answers["slash_commands"] = {"text": "on it"}
    told = slack.command("U01", "C01", "/gameday", "status").wait()
    assert (told.answer, told.error, told.attempts) == ({"text": "on it"}, "", 1)
    assert told.acked_after is not None
    assert told.acked_after < 3
    heard = app.heard[0]
    assert (heard.type, heard.accepts_response_payload, heard.payload) == ("slash_commands", True, told.payload)
    assert heard.payload["text"] == "status"
    url = heard.payload["response_url"]
    assert httpx.post(url, json={"text": "more", "response_type": "in_channel"}).text == "ok"
    app.call("chat.postMessage", channel="C01", text="and by a call")
    assert [each.text for each in slack.private("U01")] == ["on it"]
    assert [each.text for each in slack.messages("C01")] == ["more", "and by a call"]
    last = [httpx.post(url, json={"text": "again"}) for _ in range(5)][-1]
    assert (last.status_code, last.json()["error"]) == (404, "used_url")


def test_a_button_is_pressed_as_it_is_now(slack: Slack, app: App) -> None:
    app.connect()
    posted = app.call("chat.postMessage", channel="C01", text="Go?", blocks=BUTTONS, metadata={"event_type": "card", "event_payload": {"key": "k1"}})
    message = slack.messages("C01")[0]
    told = slack.press("U02", message, "yes").wait()
    payload = app.heard[-1].payload
    assert payload["actions"][0] | {"action_ts": ""} == {**YES, "block_id": "b1", "action_ts": ""}
    assert payload["container"] == {"type": "message", "message_ts": posted["ts"], "channel_id": "C01", "is_ephemeral": False}
    assert (payload["user"]["id"], payload["user"]["team_id"], payload["message"]["blocks"][1]["block_id"]) == ("U02", "T01", "b1")
    assert not app.heard[-1].accepts_response_payload
    assert slack.press("U02", message, "stop", confirm=False).error == "declined"
    assert slack.press("U02", message, "stop").wait().asked == ASKS
    slack.select("U02", message, "who", "ada").wait()
    chosen = {"text": {"type": "plain_text", "text": "Ada"}, "value": "ada"}
    assert app.heard[-1].payload["actions"][0]["selected_option"] == chosen
    assert app.heard[-1].payload["state"]["values"] == {"b1": {"who": {"type": "static_select", "selected_option": chosen}}}
    httpx.post(told.payload["response_url"], json={"text": "Gone", "replace_original": True})
    assert (slack.now(message).text, slack.now(message).edits, slack.now(message).action_ids) == ("Gone", 1, [])
    with pytest.raises(AssertionError, match="there is no 'yes' to press"):
        slack.press("U02", message, "yes")
    with pytest.raises(AssertionError, match="U09 is not in C01"):
        slack.press("U09", message, "yes")


def test_a_modal_opens_once_is_refused_and_closes(slack: Slack, app: App) -> None:
    app.connect()
    trigger = slack.global_shortcut("U01", "note").wait().payload["trigger_id"]
    app.call("views.open", trigger_id=trigger, view=FORM)
    assert app.refused("views.open", trigger_id=trigger, view=FORM) == "exchanged_trigger_id"
    slack.trigger_lasts = 0
    late = slack.global_shortcut("U01", "note").wait().payload["trigger_id"]
    assert app.refused("views.open", trigger_id=late, view=FORM) == "expired_trigger_id"
    view = slack.modal("U01")
    assert view is not None
    with pytest.raises(AssertionError, match="'what' is to be filled in"):
        slack.submit("U01", view)
    app.answers["view_submission"] = {"response_action": "errors", "errors": {"what": "Say more"}}
    assert slack.submit("U01", view, {"what": "hm"}).wait().errors == {"what": "Say more"}
    app.answers["view_submission"] = {"response_action": "push", "view": {**FORM, "title": {"type": "plain_text", "text": "Sure?"}}}
    slack.submit("U01", view, {"what": "more", "whose": "U02"}).wait()
    sent = app.heard[-1].payload["view"]
    assert sent["state"]["values"] == {
        "what": {"text": {"type": "plain_text_input", "value": "more"}},
        "whose": {"user": {"type": "users_select", "selected_user": "U02"}},
    }
    assert (sent["callback_id"], sent["private_metadata"], sent["id"], sent["hash"]) == ("note", "run-1", view.id, view.hash)
    over = slack.modal("U01")
    assert over is not None
    assert (over.title, over.previous_view_id) == ("Sure?", view.id)
    assert app.refused("views.update", view_id=over.id, view=FORM, hash="1.x") == "hash_conflict"
    app.answers["view_submission"] = {"response_action": "clear"}
    slack.submit("U01", over, {"what": "sure"}).wait()
    assert slack.modal("U01") is None


def test_an_event_that_is_not_acknowledged_comes_again_over_another_socket(slack: Slack, app: App) -> None:
    app.connect(2)
    slack.patience, slack.retries = 0.5, (0.0, 0.0, 0.0)
    message = slack.say("U01", "C01", "the queue grows")
    app.deaf = 2
    told = slack.react("U02", message, "stopwatch")
    assert told.wait().attempts == 3
    heard = list(app.heard)
    assert [(each.retry_attempt, each.retry_reason) for each in heard] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert len({each.payload["event_id"] for each in heard}) == 1
    assert len({each.envelope_id for each in heard}) == 3
    event = heard[0].payload["event"]
    assert event["item"] == {"type": "message", "channel": "C01", "ts": message.ts}
    assert (event["type"], event["reaction"], event["user"], event["item_user"]) == ("reaction_added", "stopwatch", "U02", "U01")
    again = slack.deliver_again(told).wait()
    assert (again.payload, app.heard[-1].retry_attempt) == (told.payload, 3)


def test_connections_are_renewed_as_slack_asks_and_found_again_after_an_outage(slack: Slack, app: App) -> None:
    app.connect()
    slack.disconnect()
    slack.until(lambda: slack.connected >= 2 and not slack.command("U01", "C01", "/gameday").wait().error, what="a new connection")
    slack.down()
    with pytest.raises(httpx.ConnectError):
        httpx.get(slack.base_url + "api.test")
    assert slack.command("U01", "C01", "/gameday").wait().error == "dispatch_failed"
    slack.up()
    slack.until(lambda: not slack.command("U01", "C01", "/gameday").wait().error, what="a connection after the outage")
    before = slack.connected
    assert slack.drop_sockets() == 1
    slack.until(lambda: slack.connected > before, what="a connection after it was cut")


@contextmanager
def serving(answer: Callable[[web.Request], Any]) -> Iterator[str]:
    """An app that serves callbacks, in a loop of its own."""
    loop, over, ready = Loop("callbacks"), asyncio.Event(), deque[str]()

    async def serve() -> None:
        async with served(answer) as url:
            ready.append(url)
            await over.wait()

    task = loop.do(lambda: asyncio.ensure_future(serve()))
    try:
        while not ready:
            loop.do(lambda: None)
        yield ready[0]
    finally:
        loop.do(over.set)
        loop.run(asyncio.wait_for(asyncio.shield(task), 5))
        loop.close()


def test_callbacks_are_signed_and_only_events_come_again(slack: Slack) -> None:
    verifier, heard, statuses = SignatureVerifier(slack.signing_secret), deque[tuple[web.Request, bytes]](), deque[int]()

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        if not verifier.is_valid_request(body, dict(request.headers)):
            return web.Response(status=401)
        heard.append((request, body))
        told = json.loads(body) if request.content_type == "application/json" else {}
        status = statuses.popleft() if statuses else 200
        return web.json_response({"challenge": told["challenge"]} if "challenge" in told else {"text": "on it"}, status=status)

    with serving(answer) as url:
        slack.callbacks, slack.retries = url, (0.0, 0.0, 0.0)
        assert slack.verify_url().error == ""
        told = slack.command("U01", "C01", "/gameday", "a&b=c").wait()
        assert (told.status, told.answer, [each.text for each in slack.private("U01")]) == (200, {"text": "on it"}, ["on it"])
        assert (heard[-1][0].path, parse_qs(heard[-1][1].decode())["text"]) == ("/slack/commands", ["a&b=c"])
        statuses.extend([500])
        assert slack.command("U01", "C01", "/gameday").wait().error == "dispatch_failed"
        statuses.extend([500, 503])
        slack.react("U01", slack.say("U01", "C01", "slow"), "stopwatch").wait()
        events = [request for request, _ in heard if request.path == "/slack/events"][1:]
        assert [each.headers.get("X-Slack-Retry-Num") for each in events] == [None, "1", "2"]
        assert [each.headers.get("X-Slack-Retry-Reason") for each in events] == [None, "http_error", "http_error"]
        slack.global_shortcut("U01", "note").wait()
        assert json.loads(parse_qs(heard[-1][1].decode())["payload"][0])["callback_id"] == "note"
        body = b'{"type":"event_callback"}'
        assert slack.post_raw("/slack/events", body, {"Content-Type": "application/json", **slack.sign(body)}) == 200
        assert slack.post_raw("/slack/events", body, slack.sign(body, at=1)) == 401
        assert slack.post_raw("/slack/events", body + b" ", slack.sign(body)) == 401
    assert [each.kind for each in slack.deliveries].count(EVENTS) == 2
