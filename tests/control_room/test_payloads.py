"""What Slack sends is read as one of a few types; anything else is junk, said in a line that repeats nothing of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_room.payloads import Junk, Press, Reaction, Shortcut, SlashCommand, Submission, read

SLASH = {
    "team_id": "T01",
    "channel_id": "C01",
    "user_id": "U03",
    "text": "abort",
    "trigger_id": "1.2.abc",
    "response_url": "https://hooks.slack.com/x",
}
PRESS: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U01", "team_id": "T01", "username": "ada", "name": "Ada"},
    "team": {"id": "T01"},
    "channel": {"id": "C01"},
    "container": {"type": "message", "message_ts": "1700000000.000100"},
    "trigger_id": "1.2.abc",
    "actions": [{"action_id": "hold", "value": "{}", "action_ts": "1700000001.000100", "type": "button"}],
}
SENT: dict[str, Any] = {
    "type": "view_submission",
    "user": {"id": "U03", "team_id": "T01"},
    "view": {
        "id": "V1",
        "hash": "1.h",
        "callback_id": "predict",
        "private_metadata": "{}",
        "state": {
            "values": {"q0": {"answer": {"type": "plain_text_input", "value": "20s"}}, "q1": {"answer": {"type": "plain_text_input", "value": None}}}
        },
    },
}


LEAVES = st.none() | st.integers() | st.text(max_size=20)
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4))


def reaction(event: str) -> dict[str, Any]:
    item = {"type": "message", "channel": "C01", "ts": "1700000000.000100"}
    return {"team_id": "T01", "event_id": event, "event": {"type": "reaction_added", "user": "U03", "reaction": "stopwatch", "item": item}}


def test_each_is_read_as_what_it_is() -> None:
    command, press = read("slash_commands", SLASH), read("interactive", PRESS)
    assert isinstance(command, SlashCommand) and (command.text, command.who.user) == ("abort", "U03")
    assert isinstance(press, Press) and (press.action, press.message, press.channel) == ("hold", "1700000000.000100", "C01")
    sent = read("interactive", SENT)
    assert isinstance(sent, Submission) and sent.values == {"q0": ("20s",), "q1": ()}
    assert isinstance(read("events_api", reaction("Ev1")), Reaction)
    said = {"type": "message_action", "callback_id": "add-to-timeline", "message": {"ts": "1.2", "text": "it is slow", "user": "U03"}}
    assert isinstance(read("interactive", {**PRESS, **said}), Shortcut)


def test_a_second_delivery_has_the_same_id_and_another_press_has_another() -> None:
    def pressed(at: str) -> str:
        found = read("interactive", {**PRESS, "actions": [{**PRESS["actions"][0], "action_ts": at}]})
        assert found is not None
        return found.id

    assert pressed("1.1") == pressed("1.1") != pressed("1.2")
    assert read("events_api", reaction("Ev1")) == read("events_api", {**reaction("Ev1"), "event_time": 2})
    assert read("events_api", reaction("Ev1")) != read("events_api", reaction("Ev2"))


@pytest.mark.parametrize("kind", ["slash_commands", "interactive", "events_api"])
@given(body=ANYTHING)
def test_what_slack_would_not_send_is_junk(kind: str, body: object) -> None:
    with pytest.raises(Junk):
        read(kind, body)  # type: ignore[arg-type]  # anything may come


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("slash_commands", {**SLASH, "user_id": "U03; DROP TABLE runs"}),
        ("slash_commands", {**SLASH, "channel_id": "../../etc"}),
        ("slash_commands", {**SLASH, "text": "x" * 5000}),
        ("interactive", {**PRESS, "user": {"id": "<!channel>", "team_id": "T01"}}),
        ("interactive", {**PRESS, "actions": [{**PRESS["actions"][0], "value": "x" * 2001}]}),
        ("events_api", {**reaction("Ev1"), "team_id": 7}),
        ("interactive", {**SENT, "view": {**SENT["view"], "hash": "\ud800"}}),
        ("interactive", {**SENT, "view": {**SENT["view"], "state": {"values": {"q0": {}}}}}),
        ("interactive", {**SENT, "view": {**SENT["view"], "state": {"values": {"q0": {"a": {"value": "x"}, "b": {"value": "y"}}}}}}),
    ],
)
def test_what_is_out_of_bounds_is_refused_without_being_repeated(kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(Junk) as refused:
        read(kind, body)
    said = str(refused.value)
    assert len(said) < 100 and not any(hostile in said for hostile in ("DROP", "etc", "xxx", "<!"))


def test_other_events_are_nobodys_business() -> None:
    assert read("events_api", {"team_id": "T01", "event_id": "Ev1", "event": {"type": "message", "text": json.dumps({})}}) is None
    assert read("hello", {}) is None
