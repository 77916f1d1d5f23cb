"""What the follower looks after beside a run's messages: its report and who is in its rooms, while Slack hangs too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.store import RunStore
from control_room import follower, postman
from control_room.beside import Beside
from control_room.follower import Follower
from control_room.identity import Directory
from control_room.outbox import Outbox
from control_room.own_channel import OwnChannels
from control_room.postman import Postman
from control_room.runs import Board
from control_room.web import Web
from gameday.event import Event, EventKind
from gameday.record import RunRecord
from gameday.slack import SlackSettings
from tests.gameday.cli.told import plan_of, told_day, told_until, write
from tests.rigs.slack import File, Slack, slack_server

CONTROL, RESPONSE = "C01", "C02"
KNOWN = SlackSettings(bot_token="secret://env/BOT", app_token="secret://env/APP", control=CONTROL, archive_after=timedelta(0), response=RESPONSE)
DIRECTORY = Directory("T01", {"U01": "Ada", "U03": "Linus"})
Begin = Callable[..., Awaitable[tuple[RunStore, Outbox]]]


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_server() as server:
        server.join(CONTROL, "U01", private=True)
        server.join(RESPONSE, "U03")
        yield server


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Posts faster than Slack would take it."""
    for name in ("SPACING", "LIVE_SPACING", "CHANGE_SPACING"):
        monkeypatch.setattr(postman, name, 0.05)


@pytest.fixture
async def begin(slack: Slack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Begin]:
    """Follows days of the store, and posts what is to be posted."""
    for name in ("LOOK_EVERY", "SLOWLY"):
        monkeypatch.setattr(follower, name, 0.05)
    monkeypatch.setattr(follower, "QUIET", 0.5)
    monkeypatch.setattr(follower, "AFTERWARDS", timedelta(days=10_000))
    monkeypatch.setattr(follower, "ABANDONED", timedelta(days=10_000))
    work, folder = Beside(), tmp_path / "slack"
    store, web = RunStore(f"sqlite:///{tmp_path / 'gameday.db'}"), Web(slack.bot_token, slack.base_url)
    outbox, own = Outbox(folder / "control-room.db"), OwnChannels(web, folder / "control-room.db")

    async def nothing_to_paint(run: str, scenario: int, path: Path) -> bool:
        return False

    async def report(run: str) -> str:
        return "\n".join(event.text("text") for event in store.read(run).of(EventKind.NOTE))

    async def started(*records: RunRecord) -> tuple[RunStore, Outbox]:
        for record in records:
            write(store, record)
        known = Follower(store, web, outbox, own, Board(DIRECTORY), KNOWN, folder, lambda view: {}, nothing_to_paint, report)
        work.begin(known.run())
        work.begin(Postman(outbox, web).run())
        return store, outbox

    yield started
    await work.end()
    outbox.close()
    own.close()


def shared(slack: Slack) -> list[File]:
    return [each for each in slack.files if each.channel == CONTROL]


def note(record: RunRecord, text: str) -> Event:
    return Event(id=text, run_id=record.run_id, at=datetime.now(UTC), kind=EventKind.NOTE, actor="Linus", data={"text": text, "about": "went_well"})


@pytest.mark.timeout(180)
async def test_several_runs_in_one_room_keep_to_what_slack_allows(slack: Slack, begin: Begin) -> None:
    """None of them is ever told to slow down, and all of them are told whole."""
    slack.strict_rate = True
    days = [told_day(plan_of(f"{mark}-checkout-day")) for mark in ("aaaa", "bbbb", "cccc")]
    _, outbox = await begin(*days)
    await slack.comes(lambda: len(shared(slack)) == 3 and outbox.all_posted(CONTROL), "three reports", 120)
    assert [str(call) for call in slack.calls if call.answered != "ok"] == []
    tops = [top for top in slack.messages(CONTROL) if slack.thread(top)]
    threads = ["\n".join(each.plain for each in slack.thread(top)) for top in tops]
    assert len(threads) == 3 and all("ledger does not answer, failing over" in thread for thread in threads)


@pytest.mark.usefixtures("hurried")
async def test_what_people_say_of_a_day_goes_to_its_room_in_one_more_report(slack: Slack, begin: Begin) -> None:
    day = told_day(plan_of())
    store, _ = await begin(day)
    await slack.comes(lambda: len(shared(slack)) == 1, "the report")
    store.append([note(day, "we talked to each other")])
    store.append([note(day, "nobody looked at the stock")])
    await slack.comes(lambda: len(shared(slack)) == 2, "the report with what was said")
    first, second = shared(slack)
    assert b"talked to each other" not in first.bytes and b"talked to each other" in second.bytes and b"looked at the stock" in second.bytes
    assert second.title.endswith("with 2 notes since its end")


@pytest.mark.usefixtures("hurried")
async def test_who_is_in_a_room_is_asked_beside(slack: Slack, begin: Begin) -> None:
    """A Slack that hangs there keeps no message from its room, and nothing sealed gets into it before the answer."""
    slack.hang("conversations.members", times=1, seconds=30)
    day = told_until(told_day(plan_of(sealed=True)), 44.5)
    begun = time.monotonic()
    await begin(day)
    await slack.comes(lambda: slack.messages(RESPONSE), "what the other room is told")
    assert time.monotonic() - begun < 8 and not slack.messages(CONTROL), "it did not wait for the answer"
    await slack.comes(lambda: slack.messages(CONTROL), "the run's message", 30)
    said = " ".join(each.plain for top in slack.messages(CONTROL) for each in (top, *slack.thread(top)))
    assert "The ledger is slow" not in said


@pytest.mark.usefixtures("hurried")
async def test_once_it_is_known_that_nobody_else_is_in_it_the_room_sees_everything(slack: Slack, begin: Begin) -> None:
    await begin(told_until(told_day(plan_of(sealed=True)), 44.5))
    await slack.comes(lambda: "The ledger is slow" in " ".join(each.plain for each in slack.messages(CONTROL)), "its message")
    top = slack.messages(CONTROL)[0]
    await slack.comes(lambda: "ledger-slow" in " ".join(each.plain for each in slack.thread(top)), "its thread")
