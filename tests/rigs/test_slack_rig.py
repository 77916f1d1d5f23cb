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
from aiohttp import ServerDisconnectedError, web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from tests.rigs.slack import Loop, Slack, slack_server
from tests.rigs.slack.block_kit import problems, view_problems
from tests.rigs.slack.delivery import EVENTS
from tests.rigs.web import served

Json = dict[str, Any]
YES = {"type": "button", "action_id": "yes", "value": "v1", "text": {"type": "plain_text", "text": "Yes"}}
ASKS = {
    "title": {"type": "plain_text", "text": "Sure?"},
    "text": {"type": "plain_text", "text": "It stops everything"},
    "confirm": {"type": "plain_text", "text": "Stop"},
    "deny": {"type": "plain_text", "text": "No"},
}
STOP = {**YES, "action_id": "stop", "style": "danger", "confirm": ASKS}
CHOICE = {"type": "static_select", "action_id": "who", "options": [{"text": {"type": "plain_text", "text": "Ada"}, "value": "ada"}]}
BUTTONS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Go?*"}},
    {"type": "actions", "block_id": "b1", "elements": [YES, STOP, CHOICE]},
]
NOTE = {"type": "plain_text_input", "action_id": "text", "max_length": 20}
FORM = {
    "type": "modal",
    "callback_id": "note",
    "private_metadata": "run-1",
    "title": {"type": "plain_text", "text": "Note"},
    "submit": {"type": "plain_text", "text": "Add"},
    "blocks": [
        {"type": "input", "block_id": "what", "label": {"type": "plain_text", "text": "What"}, "element": NOTE},
        {
            "type": "input",
            "block_id": "whose",
            "optional": True,
            "label": {"type": "plain_text", "text": "Whose"},
            "element": {"type": "users_select", "action_id": "user"},
        },
    ],
}


class App:
    """An app as products write them, with a loop of its own: Slack's own clients, and an answer for each thing that it is told."""

    def __init__(self, slack: Slack) -> None:
        self._loop, self._clients = Loop("app"), list[SocketModeClient]()
        self._web = self._loop.do(AsyncWebClient, token=slack.bot_token, base_url=slack.base_url, retry_handlers=[])
        self._app_token = slack.app_token
        self.heard: deque[SocketModeRequest] = deque()
        self.answers: dict[str, Json] = {}
        self.deaf = 0
        """How many more it takes without a word."""

    def call(self, method: str, **args: Any) -> Any:
        async def done() -> Any:
            return (await self._web.api_call(method, json=args)).data

        return self._loop.run(done())

    def form(self, method: str, **args: Any) -> Any:
        async def done() -> Any:
            return (await getattr(self._web, method)(**args)).data

        return self._loop.run(done())

    def refused(self, method: str, **args: Any) -> str:
        with pytest.raises(SlackApiError) as no:
            self.call(method, **args)
        return str(no.value.response["error"])

    def connect(self, times: int = 1) -> None:
        async def done() -> None:
            for _ in range(times):
                client = SocketModeClient(self._app_token, web_client=self._web, ping_interval=0.5)
                client.socket_mode_request_listeners.append(self._hear)
                self._clients.append(client)
                await client.connect()  # type: ignore[no-untyped-call]

        self._loop.run(done())

    async def _hear(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.heard.append(request)
        if self.deaf:
            self.deaf -= 1
        else:
            kind = request.payload.get("type", request.type)
            payload = self.answers.get(kind)
            await client.send_socket_mode_response({"envelope_id": request.envelope_id, **({"payload": payload} if payload else {})})

    def close(self) -> None:
        async def done() -> None:
            for client in self._clients:
                await client.close()  # type: ignore[no-untyped-call]

        self._loop.run(done())
        self._loop.close()


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


def test_messages_are_changed_read_back_and_kept_to_who_may(slack: Slack, app: App) -> None:
    metadata = {"event_type": "card", "event_payload": {"key": "k1"}}
    first = app.call("chat.postMessage", channel="C01", text="one", blocks=BUTTONS, metadata=metadata)
    said = slack.say("U01", "C01", "two")
    app.call("chat.postMessage", channel="C01", text="a reply", thread_ts=first["ts"])
    app.call("chat.update", channel="C01", ts=first["ts"], text="one, changed")
    told = app.form("conversations_history", channel="C01", limit=1, include_all_metadata=True)
    assert [each["text"] for each in told["messages"]] == ["two"]
    told = app.form("conversations_history", channel="C01", cursor=told["response_metadata"]["next_cursor"], include_all_metadata=True)
    assert [(each["text"], each["metadata"], each["reply_count"]) for each in told["messages"]] == [("one, changed", metadata, 1)]
    replies = app.form("conversations_replies", channel="C01", ts=first["ts"])["messages"]
    assert [each["text"] for each in replies] == ["one, changed", "a reply"]
    newer = app.form("conversations_history", channel="C01", oldest=said.ts, inclusive=True)["messages"]
    assert [each["text"] for each in newer] == ["two"]
    assert app.refused("chat.update", channel="C01", ts=said.ts, text="not mine") == "cant_update_message"
    assert app.refused("chat.update", channel="C01", ts="1.000001", text="nothing") == "message_not_found"
    assert app.refused("chat.postEphemeral", channel="C01", user="U09", text="psst") == "user_not_in_channel"
    app.call("chat.postEphemeral", channel="C01", user="U02", text="psst")
    assert ([each.text for each in slack.private("U02", "C01")], slack.private("U01")) == (["psst"], [])
    app.call("reactions.add", channel="C01", timestamp=said.ts, name="eyes")
    assert slack.now(said).reactions == {"eyes": ["UBOT"]}
    card = slack.messages("C01")[0]
    assert (card.edits, card.action_ids, [each.text for each in slack.thread(card)]) == (1, ["yes", "stop", "who"], ["a reply"])


def test_channels_people_and_scopes_are_refused_in_slacks_words(slack: Slack, app: App) -> None:
    slack.join("C02", "U03", bot=False)
    slack.join("C03", "U03", bot=False, private=True)
    slack.scopes.discard("chat:write.public")
    assert app.refused("chat.postMessage", channel="C02", text="hi") == "not_in_channel"
    assert app.refused("chat.postMessage", channel="C03", text="hi") == "channel_not_found"
    made = app.call("conversations.create", name="gameday-1")["channel"]["id"]
    assert app.refused("conversations.create", name="gameday-1") == "name_taken"
    assert app.refused("conversations.create", name="Gameday 1") == "invalid_name_specials"
    assert app.refused("conversations.invite", channel=made, users="U01,U99") == "user_not_found"
    app.call("conversations.invite", channel=made, users="U01,U02")
    assert slack.channel("gameday-1").members == ["UBOT", "U01", "U02"]
    page = app.form("conversations_members", channel=made, limit=2)
    assert page["members"] == ["UBOT", "U01"]
    assert app.form("conversations_members", channel=made, cursor=page["response_metadata"]["next_cursor"])["members"] == ["U02"]
    app.call("conversations.archive", channel=made)
    assert app.refused("conversations.archive", channel=made) == "already_archived"
    assert app.refused("chat.postMessage", channel=made, text="hi") == "is_archived"
    slack.person("U03", display_name="Ada", team_id="T99")
    user = app.form("users_info", user="U03")["user"]
    assert (user["profile"]["display_name"], user["team_id"]) == ("Ada", "T99")
    assert app.refused("users.info", user="U03") == "invalid_arguments"  # Slack reads no JSON there
    app.call("chat.postMessage", channel="U03", text="to you")
    assert [each.text for each in slack.dms("U03")] == ["to you"]
    slack.scopes.discard("chat:write")
    with pytest.raises(SlackApiError) as no:
        app.call("chat.postMessage", channel="C01", text="hi")
    assert (no.value.response["error"], no.value.response["needed"]) == ("missing_scope", "chat:write")
    assert "chat:write" not in no.value.response.headers["x-oauth-scopes"].split(",")


def test_tokens_are_checked(slack: Slack) -> None:
    def asked(method: str, token: str | None) -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return str(httpx.post(slack.base_url + method, headers=headers).json().get("error", "ok"))

    assert [asked("auth.test", token) for token in (None, "xoxb-no", slack.app_token)] == ["not_authed", "invalid_auth", "not_allowed_token_type"]
    assert [asked("apps.connections.open", token) for token in (slack.bot_token, slack.app_token)] == ["not_allowed_token_type", "ok"]
    assert asked("no.such", slack.bot_token) == "unknown_method"
    assert slack.bot_token not in str(slack.calls)


def test_moods_limit_fail_and_hang(slack: Slack, app: App) -> None:
    slack.limit("chat.postMessage")
    with pytest.raises(SlackApiError) as no:
        app.call("chat.postMessage", channel="C01", text="hi")
    assert (no.value.response.status_code, no.value.response.headers["Retry-After"]) == (429, "1")
    slack.fail("chat.postMessage", "fatal_error")
    assert app.refused("chat.postMessage", channel="C01", text="hi") == "fatal_error"
    slack.hang("chat.postMessage", seconds=0)
    with pytest.raises(ServerDisconnectedError):
        app.call("chat.postMessage", channel="C01", text="done all the same")
    assert [each.text for each in slack.messages("C01")] == ["done all the same"]
    slack.strict_rate = True
    for number in range(4):
        app.call("chat.postMessage", channel="C01", text=str(number))
    assert app.refused("chat.postMessage", channel="C01", text="5") == "ratelimited"
    assert [each.answered for each in slack.called("chat.postMessage")] == ["429", "fatal_error", "hang", "ok", "ok", "ok", "ok", "429"]


def test_what_block_kit_does_not_take_is_refused_with_its_place(slack: Slack, app: App) -> None:
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    with pytest.raises(SlackApiError) as no:
        app.call("chat.postMessage", channel="C01", text="hi", blocks=[long])
    wrong = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert (no.value.response["error"], no.value.response["response_metadata"]["messages"]) == ("invalid_blocks", [f"[ERROR] {wrong}"])
    assert slack.violations == [f"chat.postMessage: {wrong}"]
    assert problems(BUTTONS) == []
    assert view_problems(FORM) == []
    same = problems([{"type": "actions", "elements": [YES, YES]}])
    assert same == ['`action_id` "yes" already exists for another element [json-pointer:/blocks/0]']
    empty = {"type": "section", "text": {"type": "mrkdwn", "text": ""}}
    assert problems([empty]) == ["must be more than 0 characters [json-pointer:/blocks/0/text/text]"]
    assert problems([{"type": "divider"}] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]
    assert problems([{"type": "actions", "elements": [{**YES, "style": "green"}]}]) == [
        "must be one of primary, danger [json-pointer:/blocks/0/elements/0/style]"
    ]
    assert problems([{"type": "sections"}]) == ["unsupported type: sections [json-pointer:/blocks/0/type]"]
    without = {key: part for key, part in FORM.items() if key != "submit"}
    assert view_problems(without) == ["must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]"]
    assert view_problems({**FORM, "title": {"type": "plain_text", "text": "x" * 25}}) == [
        "must be less than 25 characters [json-pointer:/view/title/text]"
    ]


def test_homes_and_files(slack: Slack, app: App) -> None:
    app.connect()
    slack.open_home("U01").wait()
    assert app.heard[-1].payload["event"]["type"] == "app_home_opened"
    app.call("views.publish", user_id="U01", view={"type": "home", "blocks": BUTTONS})
    home = slack.home("U01")
    assert home is not None
    slack.press("U01", home, "yes").wait()
    assert app.heard[-1].payload["container"] == {"type": "view", "view_id": home.id}
    app.form("files_upload_v2", content=b"\x89PNG", filename="chart.png", title="Latency", channel="C01", initial_comment="how it went")
    file = slack.files[0]
    assert (file.name, file.title, file.bytes, file.shared_with) == ("chart.png", "Latency", b"\x89PNG", ["C01"])
    assert [(each.text, each.files[0].id) for each in slack.messages("C01")] == [("how it went", file.id)]


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
