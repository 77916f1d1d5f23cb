"""Whole game days, played by scripts in Slack without a terminal: by Socket Mode, by signed callbacks, and with Slack cut off in the middle."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gameday.commands import Verb
from gameday.event import EventKind
from tests.rigs.slack import View
from tests.rigs.slack_town import (
    ADA,
    CANARY,
    CONTROL,
    EDSGER,
    ELSEWHERE,
    GRACE,
    KEN,
    LINUS,
    RESPONSE,
    STRANGER,
    SUPPORT,
    SlackTown,
    everything_for,
    slack_town,
)

pytestmark = pytest.mark.timeout(180)
AT_ONCE = 15.0
"""Seconds that an abort takes at the most on a loaded machine; a call that Slack leaves hanging takes longer."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackTown]:
    async with slack_town(tmp_path / "home") as built:
        yield built


def unread(stage: SlackTown) -> None:
    """Neither responder can read a word of the sealed scenario, wherever they look."""
    for user in (LINUS, KEN):
        assert [text for text in everything_for(stage.slack, user, RESPONSE, SUPPORT, ELSEWHERE) if CANARY in text] == []


async def test_a_whole_day(stage: SlackTown) -> None:
    """Start, predict, tick, ready, go, note by reaction and shortcut, mark, reveal, survey: each lands in the record under its name."""
    await asyncio.to_thread(_whole_day, stage)


def _whole_day(stage: SlackTown) -> None:
    slack = stage.slack
    run = stage.begin(length="25s")
    _before_the_go(stage, run)
    stage.press(EDSGER, run, "predict")
    late = stage.dialog(EDSGER)
    stage.press(ADA, run, "go")
    dialog = stage.dialog(ADA)
    assert f"{CANARY}-frozen" in dialog.plain and "pid" in dialog.plain
    slack.submit(ADA, dialog).wait()
    stage.seen(RESPONSE, "Support: it is so quiet")
    slack.until(lambda: re.search(r"lease \d+ s", stage.message(run).plain), 20, "how long the lease still runs")
    slack.submit(EDSGER, late, {"q0": "100 %", "q1": "Linus"}).wait()
    stage.heard(EDSGER, "has had its go")
    unread(stage)
    _meanwhile(stage, run)
    stage.press(LINUS, run, "mark-detected", RESPONSE)
    stage.press(ADA, run, "reveal")
    stage.seen(RESPONSE, f"Revealed: The {CANARY} sleeper freezes")
    stage.seen(RESPONSE, "the drill is over. Everything is off.", 60)
    stage.seen(SUPPORT, "All clear")
    _afterwards(stage, run, dialog)


def _before_the_go(stage: SlackTown, run: str) -> None:
    slack = stage.slack
    stage.press(GRACE, run, "predict")
    late = slack.submit(GRACE, stage.dialog(GRACE), {"q0": "a lot", "q1": "Linus"}).wait()
    assert list(late.errors) == ["q0"]
    slack.submit(GRACE, stage.dialog(GRACE), {"q0": "99 %", "q1": "Linus"}).wait()
    stage.heard(GRACE, "kept until scenario 1 is over")
    stage.press(GRACE, run, "predict")
    slack.submit(GRACE, stage.dialog(GRACE), {"q0": "1 %", "q1": "Ken"}).wait()
    stage.heard(GRACE, "a prediction cannot be edited")
    slack.open_home(LINUS).wait()
    home = slack.until(lambda: slack.home(LINUS), what="Linus' home")
    assert "tick" in home.action_ids and "go" not in home.action_ids
    slack.press(LINUS, home, "tick").wait()
    stage.heard(LINUS, "ticked: Deploys frozen")
    stage.press(KEN, run, "unready", RESPONSE)
    slack.submit(KEN, stage.dialog(KEN), {"reason": "coffee"}).wait()
    stage.heard(KEN, "Ken is not ready")
    stage.press(LINUS, run, "ready", RESPONSE)
    stage.heard(LINUS, "Linus is ready")
    slack.command(LINUS, ELSEWHERE, "/gameday", f"status {run}").wait()
    stage.heard(LINUS, "a scenario is running")
    slack.press(LINUS, stage.message(run, RESPONSE), "note").wait()
    slack.submit(LINUS, stage.dialog(LINUS), {"text": "I watch the queue"}).wait()
    stage.heard(LINUS, "noted")
    unread(stage)


def _meanwhile(stage: SlackTown, run: str) -> None:
    slack = stage.slack
    said = slack.say(KEN, RESPONSE, "the town is <@U03>'s, and it is &lt;quiet&gt;")
    slack.react(LINUS, said, "stopwatch").wait()
    slack.react(KEN, said, "stopwatch").wait()
    other = slack.say(LINUS, RESPONSE, "I restart nothing yet")
    slack.shortcut(KEN, other, "add-to-timeline").wait()
    for text in ("status", "next", "list", f"report {run}"):
        slack.command(KEN, RESPONSE, "/gameday", text).wait()
    stage.heard(KEN, f"the report of `{run}`")
    slack.open_home(KEN).wait()
    slack.until(lambda: slack.home(KEN), what="Ken's home")
    unread(stage)
    slack.command(EDSGER, CONTROL, "/gameday", f"note {run} the on-call hesitates").wait()
    stage.heard(EDSGER, "noted")
    slack.until(lambda: sum(True for _ in stage.town.record(run).of(EventKind.NOTE)) == 4, 20, "four notes")


def _pictures(stage: SlackTown, run: str) -> list[str]:
    """Their titles, of those in the run's thread. (Before anything is measured there is nothing to draw.)"""
    top = stage.message(run)
    return [each.title for each in stage.slack.files if each.name.endswith(".png") and (each.channel, each.thread_ts) == (CONTROL, top.ts)]


def _afterwards(stage: SlackTown, run: str, dialog: View) -> None:
    slack = stage.slack
    slack.press(KEN, stage.seen(RESPONSE, "the drill is over"), "survey").wait()
    answers = {"went-well": "Linus saw it at once", "went-wrong": "nobody slept", "action1": "An alert for quiet", "owner1": "Linus"}
    slack.submit(KEN, stage.dialog(KEN), answers).wait()
    stage.heard(KEN, "3 notes of yours are in the report")
    record = stage.town.record(run)
    assert record.chain.startswith("record verified")
    assert sorted((event.actor or "", event.text("text")) for event in record.of(EventKind.NOTE)) == [
        ("Edsger", "the on-call hesitates"),
        ("Ken", "An alert for quiet"),
        ("Ken", "Linus saw it at once"),
        ("Ken", "nobody slept"),
        ("Ken", "the town is @Linus's, and it is <quiet>"),
        ("Linus", "I restart nothing yet"),
        ("Linus", "I watch the queue"),
    ]
    assert [event.actor for event in record.of(EventKind.MARK)] == ["Linus"]
    told = [(event.actor, event.text("reason")) for event in record.of(EventKind.UNREADY)]
    assert told == [("Ken", "coffee")]
    (go,) = (event for event in record.of(EventKind.GATE_OPENED) if event.text("how") == "go")
    sent = f"slack-submission-{ADA}-{dialog.id}-{dialog.hash}"
    assert go.actor == "Ada" and go.data["said"] == {"by": f"slack:T01/{ADA}", "via": f"slack {CONTROL}", "id": sent}
    phases = [f"{event.text('phase')}, scenario 1" for event in record.of(EventKind.PHASE_BEGAN)]
    slack.until(lambda: set(phases[1:]) <= set(_pictures(stage, run)), 60, "a picture as each phase began")
    assert len(phases) == 5 and len(set(_pictures(stage, run))) == len(_pictures(stage, run))
    written = stage.town.home / "runs" / run / "postmortem.md"
    slack.until(lambda: written.is_file() and "An alert for quiet" in written.read_text(), 30, "the report with what was said last")
    for words in ("99 %", "Linus saw it at once", "nobody slept", "| Linus |"):
        assert words in written.read_text(), words
    files = slack.until(lambda: [each for each in slack.files if each.channel == CONTROL and each.name.endswith(".md")], 30, "the report in the room")
    assert b"slack-day" in files[0].bytes
    pictures = [each for each in slack.files if each.name.endswith(".png")]
    assert pictures and all(each.bytes.startswith(b"\x89PNG") and each.channel == CONTROL for each in pictures)
    thread = " ".join(each.text for each in slack.thread(stage.message(run)))
    for line in (f"{CANARY}-frozen is on", "reverted in", "revealed by Ada", "Linus marks detected"):
        assert thread.count(line) == 1, line


@pytest.mark.parametrize("phase", ["gate", "fault on"])
async def test_a_stranger_aborts_blind_in_each_phase(stage: SlackTown, phase: str) -> None:
    await asyncio.to_thread(_aborted, stage, phase)


def _aborted(stage: SlackTown, phase: str) -> None:
    slack, run = stage.slack, stage.begin(length="60s")
    if phase == "fault on":
        _go(stage, run)
        slack.until(lambda: stage.town.is_frozen, 30, "the sleeper is frozen")
    slack.command(STRANGER, ELSEWHERE, "/gameday", "abort it is my customers").wait()
    slack.until(lambda: stage.town.has_ended(run), 30, "the run has ended")
    assert stage.town.is_clean
    (aborted,) = stage.town.record(run).of(EventKind.ABORTED)
    assert (aborted.actor, aborted.text("reason")) == (f"Slack user {STRANGER}", "it is my customers")
    assert aborted.data["said"]["by"] == f"slack:T01/{STRANGER}"  # type: ignore[index,call-overload]
    stage.seen(ELSEWHERE, "aborting: everything is taken off and read back")
    stage.seen(SUPPORT, "All clear" if phase == "fault on" else "")


async def test_a_slack_that_is_gone_or_hangs_delays_no_abort(stage: SlackTown) -> None:
    run = await asyncio.to_thread(_begun, stage)
    stage.slack.hang("*", times=200, seconds=60)
    began = time.monotonic()
    await asyncio.to_thread(_stopped, stage, run)
    assert time.monotonic() - began < AT_ONCE, "it waited for Slack"
    stage.slack.down()
    stage.slack.up()


def _begun(stage: SlackTown) -> str:
    run = stage.begin(length="60s")
    _go(stage, run)
    stage.slack.until(lambda: stage.town.is_frozen, 30, "the sleeper is frozen")
    return run


def _stopped(stage: SlackTown, run: str) -> None:
    stage.slack.press(LINUS, stage.message(run, RESPONSE), "abort")
    stage.slack.until(lambda: stage.town.has_ended(run), 60, "the run has ended")
    assert stage.town.is_clean and [event.actor for event in stage.town.record(run).of(EventKind.ABORTED)] == ["Linus"]


async def test_nor_does_one_that_is_gone_delay_an_abort_on_a_command_line(stage: SlackTown) -> None:
    run = await asyncio.to_thread(_begun, stage)
    stage.slack.down()
    began = time.monotonic()
    handle = (await stage.town.client()).get_workflow_handle(run)
    await stage.town.tell(handle, Verb.ABORT, reason="enough")  # type: ignore[arg-type]  # its result is not asked for
    await stage.town.until(lambda: stage.town.has_ended(run), "the run has ended")
    assert time.monotonic() - began < AT_ONCE and stage.town.is_clean
    stage.slack.up()
    await asyncio.to_thread(stage.seen, RESPONSE, "the drill is over. Everything is off.", 60)


def _go(stage: SlackTown, run: str) -> None:
    stage.press(ADA, run, "tick")
    stage.press(GRACE, run, "ready")
    stage.press(ADA, run, "go")
    stage.slack.submit(ADA, stage.dialog(ADA)).wait()


async def test_a_press_by_somebody_who_may_not_is_refused_privately(stage: SlackTown) -> None:
    await asyncio.to_thread(_refused, stage)


def _refused(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin()
    stage.press(EDSGER, run, "hold")
    stage.heard(EDSGER, "Edsger may not hold: that is for")
    stage.press(EDSGER, run, "go")
    stage.heard(EDSGER, "Edsger may not go: that is for")
    assert slack.modal(EDSGER) is None
    slack.trigger_lasts = 0.0
    stage.press(ADA, run, "go")
    stage.heard(ADA, "Slack did not take it (expired_trigger")
    slack.trigger_lasts = 3.0
    stage.press(GRACE, run, "tick")
    stage.heard(GRACE, "that item is Linus's to tick, or the commander's")
    slack.command(LINUS, ELSEWHERE, "/gameday", "halt because").wait()
    stage.heard(LINUS, "the lever is for")
    slack.command(LINUS, ELSEWHERE, "/gameday", "start slack-day").wait()
    stage.heard(LINUS, "Linus may not start this")
    slack.command(LINUS, ELSEWHERE, "/gameday", "start ../../etc/passwd").wait()
    stage.heard(LINUS, "there is no such playbook")
    assert not any(True for _ in stage.town.record(run).of(EventKind.HELD))
    slack.command(LINUS, RESPONSE, "/gameday", "real the pager is on").wait()
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    called = [(event.actor, event.text("reason")) for event in stage.town.record(run).of(EventKind.REAL_CALLED)]
    assert called == [("Linus", "the pager is on")]


async def test_a_name_counts_for_nothing(stage: SlackTown) -> None:
    await asyncio.to_thread(_named, stage)


def _named(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin()
    slack.person(STRANGER, name="ada", display_name="Ada", real_name="Ada")
    slack.join(CONTROL, STRANGER)
    stage.press(STRANGER, run, "hold")
    stage.heard(STRANGER, f"Slack user {STRANGER} may not hold")
    slack.person(KEN, team_id="T99")
    stage.press(KEN, run, "abort", RESPONSE)
    stage.heard(KEN, "you are not of this workspace")
    assert not stage.town.has_ended(run)
    slack.join(RESPONSE, STRANGER)  # the channel is shared now, and Slack does not say of a reaction where its person is from
    said = slack.say(LINUS, RESPONSE, "the queue grows")
    slack.react(STRANGER, said, "stopwatch").wait()
    slack.react(LINUS, slack.say(LINUS, RESPONSE, "and it is gone"), "stopwatch").wait()
    slack.until(lambda: any(True for _ in stage.town.record(run).of(EventKind.NOTE)), 20, "a note")
    assert [event.text("text") for event in stage.town.record(run).of(EventKind.NOTE)] == ["and it is gone"]


async def test_slack_is_cut_off_from_the_inject_on(stage: SlackTown) -> None:
    """The run goes on, its fault comes off, and what could not be posted is posted once when Slack is back."""
    await asyncio.to_thread(_cut_off, stage)


def _cut_off(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin(length="4s")
    _go(stage, run)
    slack.until(lambda: stage.town.is_frozen, 30, "the sleeper is frozen")
    slack.down()
    slack.until(lambda: stage.town.has_ended(run), 60, "the run has ended")
    assert stage.town.is_clean and stage.town.record(run).ended is not None
    slack.up()
    stage.seen(RESPONSE, "the drill is over. Everything is off.", 60)
    stage.seen(SUPPORT, "All clear", 60)
    slack.until(lambda: "passed" in stage.message(run).plain or "failed" in stage.message(run).plain, 60, "how it ended")
    slack.until(lambda: any("ended" in each.plain for each in slack.thread(stage.message(run))), 60, "the thread's last lines")
    _each_once(stage, run)


def _each_once(stage: SlackTown, run: str) -> None:
    tops = [top for channel in (CONTROL, RESPONSE, SUPPORT) for top in stage.slack.messages(channel)]
    posted = {(each.channel, each.ts): each for top in tops for each in (top, *stage.slack.thread(top))}  # what is broadcast is in both
    keys = [json.dumps(each.metadata) for each in posted.values() if each.metadata]
    assert len(keys) == len(set(keys))


async def test_the_control_room_is_killed_at_its_worst_moments(stage: SlackTown) -> None:
    """After an acknowledgement and before its work; while a message is on its way: nothing is lost, and nothing is done or said twice."""
    await asyncio.to_thread(_killed, stage)


def _killed(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin(length="60s")
    _go(stage, run)
    slack.until(lambda: stage.town.is_frozen, 30, "the sleeper is frozen")
    slack.hang("chat.postMessage", times=1, seconds=1)
    slack.say(GRACE, CONTROL, "now")
    slack.command(GRACE, CONTROL, "/gameday", f"note {run} before the crash").wait()
    slack.until(lambda: slack.called("chat.postMessage"), what="a call that hangs")
    stage.town.kill("slack")
    stage.open()
    slack.command(LINUS, RESPONSE, "/gameday", "abort").wait()
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    stage.seen(RESPONSE, "the drill is over", 40)
    slack.until(lambda: sum(True for _ in stage.town.record(run).of(EventKind.NOTE)) == 1, 20, "one note")
    _each_once(stage, run)
