"""Letters reach Slack once, in order, no faster than it allows, whatever it answers and whenever the process dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from control_room import postman
from control_room.outbox import Letter, Outbox
from control_room.postman import PAGE, Postman
from control_room.web import SlackSaysNo, Web
from tests.rigs.slack import Slack, slack_server


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_server() as server:
        server.join("C01", "U01")
        server.join("C02", "U02")
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPACING", "LIVE_SPACING", "CHANGE_SPACING", "FIRST_PAUSE", "LOOK"):
        monkeypatch.setattr(postman, name, 0.01)


@pytest.fixture
async def post(slack: Slack, tmp_path: Path) -> AsyncIterator[Outbox]:
    """An outbox with a postman at work."""
    outbox = Outbox(tmp_path / "slack.db")
    task = asyncio.create_task(Postman(outbox, Web(slack.bot_token, slack.base_url)).run())
    yield outbox
    task.cancel()


def texts(slack: Slack, channel: str = "C01") -> list[str]:
    return [each.text for each in slack.messages(channel)]


async def test_they_come_in_order_and_a_thread_after_its_message(slack: Slack, post: Outbox) -> None:
    post.put(Letter("run", "C01", "the run"))
    for number in range(5):
        post.put(Letter(f"line {number}", "C01", f"line {number}", thread="run"))
    await slack.comes(lambda: slack.messages("C01") and len(slack.thread(slack.messages("C01")[0])) == 5, "five lines")
    assert [each.text for each in slack.thread(slack.messages("C01")[0])] == [f"line {number}" for number in range(5)]


async def test_a_state_that_came_through_unheard_and_has_changed_since_is_shown_as_it_is_now(slack: Slack, tmp_path: Path) -> None:
    web, outbox = Web(slack.bot_token, slack.base_url), Outbox(tmp_path / "slack.db")
    post, first = Postman(outbox, web), Letter("run/control", "C01", "a drill is on", live=True)
    outbox.put(first)
    outbox.trying(first)
    await web.call("chat.postMessage", channel="C01", text=first.text, metadata=first.metadata)
    outbox.put(Letter("run/control", "C01", "it is over", live=True))
    deadline = time.monotonic() + 20
    while outbox.waiting():
        assert time.monotonic() < deadline, outbox.waiting()
        await post.round()
        await asyncio.sleep(0.02)
    assert texts(slack) == ["it is over"]


async def test_a_change_that_slack_refuses_holds_up_no_other_in_its_room(slack: Slack, post: Outbox) -> None:
    for key in ("one", "other"):
        post.put(Letter(key, "C01", key, live=True))
    await slack.comes(lambda: post.ts("one") and post.ts("other"), "both")
    slack.fail("chat.update", "edit_window_closed", times=1)
    post.put(Letter("one", "C01", "one, changed", live=True))
    post.put(Letter("other", "C01", "other, changed", live=True))
    await slack.comes(lambda: "other, changed" in texts(slack), "the other one")


@pytest.mark.parametrize("came_through", [True, False])
async def test_what_is_taken_back_while_it_is_on_its_way_is_looked_for_first(slack: Slack, tmp_path: Path, came_through: bool) -> None:
    web, outbox, letter = Web(slack.bot_token, slack.base_url), Outbox(tmp_path / "slack.db"), Letter("run/thread/a", "C01", "a")
    outbox.put(letter, ["what it tells"])
    outbox.trying(letter)
    if came_through:
        await web.call("chat.postMessage", channel="C01", text="a", metadata=letter.metadata)
    outbox.withdraw("run/thread")
    await Postman(outbox, web).round()
    assert texts(slack) == ["a"] * came_through and outbox.waiting() == []
    assert (outbox.dropped, outbox.told(["what it tells"])) == ((0, {"what it tells"}) if came_through else (1, set()))


async def test_what_answers_a_message_that_is_put_in_again_after_it_waits_for_it_and_holds_up_nothing(slack: Slack, post: Outbox) -> None:
    slack.down()
    post.put(Letter("1234-day/control", "C01", "the run", live=True))
    post.put(Letter("1234-day/report", "C01", "its report", thread="1234-day/control"))
    post.withdraw("1234-day/control")
    post.put(Letter("1234-day/control", "C01", "the run, as a responder may see it", live=True))
    slack.up()
    await slack.comes(lambda: post.ts("1234-day/report"), "the report")
    (top,) = slack.messages("C01")
    assert top.text == "the run, as a responder may see it" and [each.text for each in slack.thread(top)] == ["its report"]


async def test_a_pause_that_slack_asks_for_is_kept(slack: Slack, post: Outbox) -> None:
    slack.limit("chat.postMessage", times=1, retry_after=2)
    post.put(Letter("a", "C01", "a"))
    await slack.comes(lambda: texts(slack) == ["a"], "the message")
    first, second = (call.at for call in slack.called("chat.postMessage"))
    assert second - first >= 1.9


async def test_a_message_that_nobody_heard_the_end_of_is_looked_for(slack: Slack, post: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_room.web.TIMEOUT", 0.5)
    post.put(Letter("run", "C01", "the run"))
    await slack.comes(lambda: post.ts("run"), "the first")
    slack.hang("chat.postMessage", times=1, seconds=5)
    post.put(Letter("a", "C01", "a"))
    post.put(Letter("b", "C01", "b", thread="run"))
    await slack.comes(lambda: post.ts("a") and post.ts("b"), "both known")
    assert texts(slack) == ["the run", "a"] and [each.text for each in slack.thread(slack.messages("C01")[0])] == ["b"]


async def test_it_is_not_posted_again_while_nobody_can_look(slack: Slack, post: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_room.web.TIMEOUT", 0.5)
    monkeypatch.setattr(postman, "LONGEST_PAUSE", 0.2)
    slack.hang("chat.postMessage", times=1, seconds=5)
    slack.limit("conversations.history", times=1)
    slack.fail("conversations.history", "internal_error", times=3)
    post.put(Letter("a", "C01", "a"))
    await slack.comes(lambda: post.ts("a"), "it is found")
    assert texts(slack) == ["a"]


async def test_where_nobody_may_look_twice_is_better_than_never(slack: Slack, tmp_path: Path) -> None:
    outbox, letter = Outbox(tmp_path / "slack.db"), Letter("a", "C01", "a")
    outbox.put(letter)
    outbox.trying(letter)
    slack.scopes -= {"channels:history", "groups:history"}
    await Postman(outbox, Web(slack.bot_token, slack.base_url)).round()
    assert texts(slack) == ["a"] and outbox.ts("a")


async def test_what_answers_and_is_not_slack_loses_nothing(slack: Slack, post: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy before it that has a word of its own."""
    monkeypatch.setattr(postman, "LONGEST_PAUSE", 0.2)
    slack.fail("chat.postMessage", "403", times=4)
    post.put(Letter("a", "C01", "a"))
    await slack.comes(lambda: post.ts("a"), "it is posted")
    assert texts(slack) == ["a"]


async def test_it_is_found_also_where_much_has_been_said(slack: Slack, tmp_path: Path) -> None:
    web, letter, outbox = Web(slack.bot_token, slack.base_url), Letter("b", "C01", "b", thread="run"), Outbox(tmp_path / "slack.db")
    outbox.put(Letter("run", "C01", "the run"))
    await Postman(outbox, web).round()
    thread = outbox.ts("run")
    for number in range(PAGE + 20):
        slack.say("U01", "C01", f"{number}", thread=slack.messages("C01")[0])
    outbox.put(letter)
    outbox.trying(letter)
    await web.call("chat.postMessage", channel="C01", thread_ts=thread, text="b", metadata=letter.metadata)
    await Postman(outbox, web).round()
    assert outbox.ts("b") and [each.text for each in slack.thread(slack.messages("C01")[0])].count("b") == 1


async def test_what_is_of_no_use_any_more_is_not_posted(slack: Slack, post: Outbox) -> None:
    post.put(Letter("late", "C01", "do it by ten", until=time.time() - 1))
    post.put(Letter("early", "C01", "do it by noon", until=time.time() + 600))
    await slack.comes(lambda: post.ts("early"), "what is of use")
    assert texts(slack) == ["do it by noon"] and post.is_given_up("late")


async def test_after_a_crash_what_was_on_its_way_is_looked_for(slack: Slack, tmp_path: Path) -> None:
    web, letter = Web(slack.bot_token, slack.base_url), Letter("a", "C01", "a")
    first = Outbox(tmp_path / "slack.db")
    first.put(letter)
    first.trying(letter)
    await web.call("chat.postMessage", channel="C01", text="a", metadata=letter.metadata)
    first.close()  # dead before it could write that down
    again = Outbox(tmp_path / "slack.db")
    await Postman(again, web).round()
    assert texts(slack) == ["a"] and again.ts("a") and again.waiting() == []


async def test_a_state_takes_the_place_of_what_it_was(slack: Slack, post: Outbox) -> None:
    for number in range(50):
        post.put(Letter("run", "C01", f"state {number}", live=True))
        await asyncio.sleep(0)
    await slack.comes(lambda: texts(slack) == ["state 49"], "the last state")
    assert len(slack.messages("C01")) == 1 and len(slack.called("chat.update")) < 10


async def test_a_state_that_somebody_deletes_is_posted_anew(slack: Slack, post: Outbox) -> None:
    post.put(Letter("run", "C01", "one", live=True))
    await slack.comes(lambda: post.ts("run"), "it is there")
    await Web(slack.bot_token, slack.base_url).call("chat.delete", channel="C01", ts=post.ts("run"))
    post.put(Letter("run", "C01", "two", live=True))
    await slack.comes(lambda: [each.text for each in slack.messages("C01") if not each.deleted] == ["two"], "it is there again")


async def test_what_slack_refuses_for_good_holds_up_nothing_else(slack: Slack, post: Outbox) -> None:
    slack.fail("chat.postMessage", "invalid_blocks", times=1)
    post.put(Letter("bad", "C01", "bad"))
    post.put(Letter("good", "C01", "good"))
    await slack.comes(lambda: texts(slack) == ["good"], "the good one")
    await slack.comes(lambda: post.waiting() == [], "nothing waits any more")


async def test_a_call_that_hangs_holds_up_its_own_channel_alone(slack: Slack, post: Outbox) -> None:
    slack.hang("chat.postMessage", times=1, seconds=8)
    post.put(Letter("a", "C01", "a"))
    await slack.comes(lambda: slack.called("chat.postMessage"), "the call that hangs")
    post.put(Letter("b", "C02", "b"))
    await slack.comes(lambda: texts(slack, "C02") == ["b"], "the other channel's", 5)
    assert not post.ts("a")


async def test_what_somebody_can_mend_is_waited_for(slack: Slack, post: Outbox) -> None:
    slack.fail("chat.postMessage", "not_in_channel", times=3)
    post.put(Letter("a", "C01", "a"))
    await slack.comes(lambda: texts(slack) == ["a"], "once the app is invited")


async def test_a_dead_slack_is_waited_for_and_nothing_is_lost_or_doubled(slack: Slack, post: Outbox) -> None:
    slack.down()
    for number in range(10):
        post.put(Letter(f"{number}", "C01", f"{number}"))
    await asyncio.sleep(0.1)
    slack.up()
    await slack.comes(lambda: len(texts(slack)) == 10, "all ten", 40)
    assert texts(slack) == [str(number) for number in range(10)]


async def test_an_answer_goes_to_slack_alone(slack: Slack) -> None:
    with pytest.raises(SlackSaysNo, match="no address of Slack's"):
        await Web(slack.bot_token, slack.base_url).answer("http://169.254.169.254/latest/meta-data", "x")


async def test_a_state_that_is_refused_has_another_one_soon(slack: Slack, post: Outbox) -> None:
    post.put(Letter("run", "C01", "one", live=True))
    await slack.comes(lambda: post.ts("run"), "it is there")
    slack.fail("chat.update", "invalid_blocks", times=1)
    post.put(Letter("run", "C01", "two", live=True))
    await slack.comes(lambda: slack.called("chat.update"), "the change that is refused")
    post.put(Letter("run", "C01", "three", live=True))
    await slack.comes(lambda: texts(slack) == ["three"], "the next one", 60)


async def test_what_answers_a_message_that_slack_never_took_holds_up_nobody(slack: Slack, post: Outbox) -> None:
    slack.fail("chat.postMessage", "msg_too_long", times=1)
    post.put(Letter("fact", "C01", "too long"))
    post.put(Letter("line", "C01", "an answer to it", thread="fact"))
    post.put(Letter("other", "C01", "another day's"))
    await slack.comes(lambda: texts(slack) == ["another day's"], "the other one")
    await slack.comes(lambda: post.waiting() == [], "nothing waits any more")


async def test_what_is_asked_of_one_person_is_looked_for_where_they_read_it(slack: Slack, post: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_room.web.TIMEOUT", 0.5)
    slack.hang("chat.postMessage", times=1, seconds=5)
    post.put(Letter("asked", "U01", "pull the cable"))
    await slack.comes(lambda: post.ts("asked"), "it is known")
    assert [each.text for each in slack.dms("U01")] == ["pull the cable"]
