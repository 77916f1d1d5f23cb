"""The demo's game day, one scenario sealed, led and played from Slack alone: by Socket Mode, by callbacks, and with Slack gone from the inject on
until the day is over.

A commander, a safety officer and two responders are played by this script. Nobody touches a terminal.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.journal import Journal
from demo.__main__ import settings_of
from demo.shop import Shop
from gameday.event import EventKind
from tests.rigs.slack import File, Slack
from tests.rigs.slack_town import ADA, CONTROL, GRACE, KEN, LINUS, RESPONSE, SUPPORT, TEAM, SlackTown, everything_for, slack_town

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(400)
SECRETS = ("ledger", "freezes", "frozen", "process.pause", "stand-by")
"""What gives the first scenario away. (The second one is open, and has words of the first in its title.)"""
PATIENT = {
    "errors > 20 %": "errors > 99 %",
    "latency_p99 < 150 ms": "latency_p99 < 60 s",
    "0.7 x baseline": "0.01 x baseline",
    "baseline: 8s": "baseline: 2s",
}
"""A loaded machine is a slow shop, and that is not what is tried here."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


def playbook(shop: Shop) -> str:
    text = (ROOT / "playbooks" / "shop-day.yaml").read_text()
    for strict, patient in PATIENT.items():
        assert strict in text
        text = text.replace(strict, patient)
    head, rest = text.split("team:\n")
    text = f"{head}{TEAM}probes:{rest.split('probes:', 1)[1]}"
    text = text.replace("The base URL of checkout'", f"The base URL of checkout', default: '{shop.checkout_url}'")
    text = text.replace("answers as Alertmanager does'", f"answers as Alertmanager does', default: '{shop.monitor_url}'")
    return text.replace("    hypothesis: The shop keeps selling", "    sealed: true\n    hypothesis: The shop keeps selling", 1)


@pytest.mark.parametrize(("callbacks", "gone"), [(False, False), (True, False), (True, True)], ids=["socket", "callbacks", "gone"])
async def test_the_demos_day_is_played_without_a_terminal(shop: Shop, tmp_path: Path, callbacks: bool, gone: bool) -> None:
    settings = settings_of(json.loads((shop.directory / "shop.json").read_bytes()))
    text = playbook(shop)
    if gone:  # nobody can say go to the second scenario, and its silence ends the wait for it
        text = text.replace("probes:", "gates: {inject: {timeout: 90s}}\nprobes:", 1)
    async with slack_town(tmp_path / "home", callbacks, text, settings) as stage:
        await asyncio.to_thread(_played, stage, shop, gone)
        assert not Journal.at(stage.town.home).live()


def _played(stage: SlackTown, shop: Shop, gone: bool) -> None:
    slack, run = stage.slack, stage.begin()
    stage.press(GRACE, run, "predict")
    slack.submit(GRACE, stage.dialog(GRACE), {"q0": "5s", "q1": "2 %"}).wait()
    stage.heard(GRACE, "kept until scenario 1 is over")
    stage.press(KEN, run, "ready", RESPONSE)
    _go(stage, run, 1)
    slack.until(lambda: _is_frozen(shop), 60, "the ledger is frozen")
    if gone:
        slack.down()
        slack.until(lambda: _over(stage, run, 1), 150, "the first scenario is over")
        slack.until(lambda: not _is_frozen(shop), 10, "the ledger goes on")
        slack.until(lambda: stage.town.has_ended(run), 200, "the day has ended")
        slack.up()
    else:
        _respond(stage, run)
        slack.until(lambda: _over(stage, run, 1), 150, "the first scenario is over")
        _go(stage, run, 2)
    slack.until(lambda: stage.town.has_ended(run), 150, "the day has ended")
    stage.seen(RESPONSE, "the drill is over. Everything is off.", 60)
    stage.seen(SUPPORT, "All clear", 60)
    record = stage.town.record(run)
    assert {story.outcome for story in record.faults()} == {"reverted"} and record.chain.startswith("record verified")
    assert [event.actor for event in record.of(EventKind.GATE_OPENED)] == ["Ada"] * (1 if gone else 2)
    slack.until(lambda: _report(slack, run, b"Grace"), 60, "the report")
    if not gone:
        _look_back(stage, run)


def _look_back(stage: SlackTown, run: str) -> None:
    """What a responder says of the day once it is over goes to the room with the report, once no more has come for a while."""
    slack = stage.slack
    slack.press(LINUS, stage.seen(RESPONSE, "the drill is over"), "survey").wait()
    slack.submit(LINUS, stage.dialog(LINUS), {"went-well": "we asked each other", "action1": "alert on trust", "owner1": "Ken"}).wait()
    stage.heard(LINUS, "2 notes of yours are in the report")
    slack.until(lambda: _report(slack, run, b"we asked each other"), 120, "the report with what was said")


def _report(slack: Slack, run: str, words: bytes) -> list[File]:
    return [each for each in slack.files if each.channel == CONTROL and each.name.startswith(run) and words in each.bytes]


def _respond(stage: SlackTown, run: str) -> None:
    """The responders detect and mitigate; not a word of what it is reaches them before its end."""
    stage.press(LINUS, run, "mark-detected", RESPONSE)
    said = stage.slack.say(KEN, RESPONSE, "orders are taken on trust")
    stage.slack.react(KEN, said, "stopwatch").wait()
    stage.slack.command(LINUS, RESPONSE, "/gameday", "status").wait()
    stage.heard(LINUS, "a scenario is running")
    for user in (LINUS, KEN):
        read = [text for text in everything_for(stage.slack, user, RESPONSE, SUPPORT) if any(word in text for word in SECRETS)]
        assert read == []
    stage.slack.until(lambda: any(True for _ in stage.town.record(run).of(EventKind.NOTE)), 30, "the note")


def _go(stage: SlackTown, run: str, number: int) -> None:
    """For the gate that waits now: a message that Slack could not be told of still shows the last one."""
    stage.slack.until(lambda: f"(inject {number})" in stage.message(run).plain, 90, f"the gate of inject {number}")
    stage.press(ADA, run, "go", CONTROL)
    stage.slack.submit(ADA, stage.dialog(ADA)).wait()


def _is_frozen(shop: Shop) -> bool:
    return Path(f"/proc/{shop.pids['ledger']}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def _over(stage: SlackTown, run: str, scenarios: int) -> bool:
    return sum(True for _ in stage.town.record(run).of(EventKind.SCENARIO_ENDED)) >= scenarios
