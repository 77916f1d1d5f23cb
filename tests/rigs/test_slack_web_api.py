"""The Web API of the Slack of tests, seen through Slack's own SDK: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import httpx
import pytest
from aiohttp import ServerDisconnectedError
from slack_sdk.errors import SlackApiError

from tests.rigs.slack import Slack
from tests.rigs.slack.app import App
from tests.rigs.slack.block_kit import problems, view_problems
from tests.rigs.slack.samples import BUTTONS, FORM, YES


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
