"""What a playbook says of its rooms: a channel of the run's own, a drill that nobody announces, who must be there, from whom an abort is taken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gameday.event import EventKind
from tests.rigs.slack_town import (
    ADA,
    CANARY,
    CONTROL,
    EDSGER,
    ELSEWHERE,
    GRACE,
    KEN,
    LINUS,
    PLAYBOOK,
    RESPONSE,
    STRANGER,
    SUPPORT,
    SlackTown,
    everything_for,
    slack_town,
)

pytestmark = pytest.mark.timeout(180)
EASY = PLAYBOOK.replace("ready: 1, checklist: true", "ready: 0, checklist: false")


def rooms(**more: str) -> str:
    said = "".join(f", {key}: {value}" for key, value in more.items())
    return EASY.replace(f"stakeholders: [{SUPPORT}]}}", f"stakeholders: [{SUPPORT}]{said}}}")


def played(stage: SlackTown, length: str = "2s") -> str:
    run = stage.begin(length=length)
    stage.press(ADA, run, "go")
    stage.slack.submit(ADA, stage.dialog(ADA)).wait()
    return run


async def test_a_channel_of_the_runs_own_is_archived_with_the_report(tmp_path: Path) -> None:
    async with slack_town(tmp_path / "home", playbook=rooms(own_channel="true"), settings='archive_after = "1s"\n') as stage:
        await asyncio.to_thread(_own, stage)


def _own(stage: SlackTown) -> None:
    slack, run = stage.slack, played(stage)
    slack.until(lambda: any(each.name == f"gameday-{run}" for each in slack.channels), 30, "the channel")
    own = next(each for each in slack.channels if each.name == f"gameday-{run}")
    assert {ADA, GRACE, LINUS, KEN, EDSGER} <= set(slack.channel(own.id).members) and STRANGER not in slack.channel(own.id).members
    stage.seen(own.id, "a drill is on")
    stage.seen(own.id, "Support: it is so quiet")
    stage.seen(own.id, "the drill is over", 60)
    slack.until(lambda: slack.channel(own.id).archived, 60, "it is archived")
    (report,) = [each for each in slack.files if each.channel == own.id]
    assert report.name == f"{run}.md" and b"slack-day" in report.bytes
    assert CANARY not in own.name


async def test_a_drill_that_is_not_announced(tmp_path: Path) -> None:
    async with slack_town(tmp_path / "home", playbook=rooms(announced="false")) as stage:
        await asyncio.to_thread(_unannounced, stage)


def _unannounced(stage: SlackTown) -> None:
    slack, run = stage.slack, played(stage, "60s")
    stage.seen(RESPONSE, "Support: it is so quiet", 40)
    for user, channel in ((LINUS, RESPONSE), (STRANGER, ELSEWHERE)):
        for text in ("status", f"next {run}", "list"):
            slack.command(user, channel, "/gameday", text).wait()
        slack.open_home(user).wait()
        stage.heard(user, "no game day is going on")
        slack.until(lambda user=user: slack.home(user), what="a home")  # type: ignore[misc]  # the one of now
        assert [text for text in everything_for(slack, user, channel) if "slack-day" in text] == []
    slack.react(LINUS, slack.say(LINUS, RESPONSE, "it is so odd"), "stopwatch").wait()
    slack.until(lambda: stage.has(run, EventKind.NOTE), 20, "it is on the timeline all the same")
    stage.press(ADA, run, "abort")
    stage.seen(RESPONSE, "the drill is over", 60)
    ours = [each.plain.splitlines()[0] for each in slack.messages(RESPONSE) if each.metadata]
    assert ours == ["Support: it is so quiet", "slack-day: the drill is over"]


async def test_sealed_scenarios_are_kept_from_a_control_room_that_a_responder_is_in(tmp_path: Path) -> None:
    async with slack_town(tmp_path / "home", playbook=EASY) as stage:
        stage.slack.join(CONTROL, KEN)
        await asyncio.to_thread(_mixed, stage)


def _mixed(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin(length="3s")
    slack.until(lambda: stage.has(run, EventKind.GATE_WAITING), 30, "the gate")
    slack.open_home(ADA).wait()  # what is her own is not kept from her
    home = slack.until(lambda: (home := slack.home(ADA)) and "go" in home.action_ids and home, 20, "her home")
    slack.press(ADA, home, "go").wait()
    dialog = stage.dialog(ADA)
    assert CANARY in dialog.plain
    slack.submit(ADA, dialog).wait()
    slack.until(lambda: stage.town.is_frozen, 30, "the sleeper is frozen")
    slack.until(lambda: "a scenario is running" in stage.message(run).plain, 20, "the message")
    slack.until(lambda: "extend" in slack.home(ADA).action_ids, 20, "her home, as things are now")  # type: ignore[union-attr]  # she has opened it
    said = [each.plain for top in slack.messages(CONTROL) for each in (top, *slack.thread(top))]
    assert [text for text in said if CANARY in text] == [] and not [each for each in slack.files if each.name.endswith(".png")]
    assert "in it is a responder" in stage.log()


async def test_a_day_may_take_an_abort_from_its_team_alone(tmp_path: Path) -> None:
    async with slack_town(tmp_path / "home", playbook=EASY.replace("\nteam:", "\nabort_from: team\nteam:")) as stage:
        await asyncio.to_thread(_narrowed, stage)


def _narrowed(stage: SlackTown) -> None:
    run = stage.begin()
    stage.slack.command(STRANGER, ELSEWHERE, "/gameday", "abort").wait()
    stage.heard(STRANGER, "this day takes it from its team alone")
    assert not stage.town.has_ended(run)
    stage.slack.command(KEN, RESPONSE, "/gameday", "abort").wait()
    stage.slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    assert [event.actor for event in stage.town.record(run).of(EventKind.ABORTED)] == ["Ken"]


async def test_a_day_for_which_nobody_says_go_does_not_take_place(tmp_path: Path) -> None:
    text = EASY.replace("timeout: 5m", "timeout: 2s")
    async with slack_town(tmp_path / "home", playbook=text) as stage:
        await asyncio.to_thread(_stood_down, stage)


def _stood_down(stage: SlackTown) -> None:
    run = stage.begin()
    stage.seen(SUPPORT, "does not take place today. Nothing was disturbed.", 60)
    assert stage.town.record(run).last(EventKind.RUN_ENDED).text("outcome") == "stood-down"  # type: ignore[union-attr]  # it was told
    stage.seen(CONTROL, "stood-down")


async def test_somebody_is_asked_whether_they_are_still_there(tmp_path: Path) -> None:
    present = EASY.replace("presence: {within: 5m}", "presence: {within: 10s, answer_within: 60s}")
    async with slack_town(tmp_path / "home", playbook=present) as stage:
        await asyncio.to_thread(_present, stage)


def _present(stage: SlackTown) -> None:
    run = stage.begin(length="60s")
    stage.press(ADA, run, "go")
    stage.slack.submit(ADA, stage.dialog(ADA)).wait()
    asked = stage.seen(CONTROL, "is somebody still there?", 60)
    assert f"<@{GRACE}>" in asked.plain and f"<@{ADA}>" in asked.plain
    stage.slack.react(LINUS, stage.slack.say(ADA, RESPONSE, "I am off to lunch"), "stopwatch").wait()
    stage.slack.until(lambda: stage.has(run, EventKind.NOTE), 20, "a note of hers, which somebody else has put there")
    assert not stage.has(run, EventKind.PRESENCE_BACK)
    stage.slack.press(GRACE, asked, "here").wait()
    stage.heard(GRACE, "Grace is there")
    stage.seen(CONTROL, "Grace is there")
    stage.slack.command(ADA, CONTROL, "/gameday", "abort enough").wait()
    stage.slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")


BY_HAND = (
    EASY[: EASY.index("      - {name:")]
    + f"""      - name: {CANARY}-cable
        inject: manual
        with: {{do: 'Pull the {CANARY} cable', undo: 'Plug it back in', by: Ken}}
        for: 2s
    afterwards: {{steady_for: 0s, recover_within: 10s}}
"""
)


async def test_somebody_does_it_by_hand_and_nobody_else_learns_of_it(tmp_path: Path) -> None:
    unused = "variables: {length: {default: 30s, about: how long it is frozen}}\n"
    async with slack_town(tmp_path / "home", playbook=BY_HAND.replace(unused, "")) as stage:
        await asyncio.to_thread(_by_hand, stage)


async def test_an_abort_while_somebody_is_to_do_it_by_hand(tmp_path: Path) -> None:
    unused = "variables: {length: {default: 30s, about: how long it is frozen}}\n"
    async with slack_town(tmp_path / "home", playbook=BY_HAND.replace(unused, "")) as stage:
        await asyncio.to_thread(_aborted_in_the_inject, stage)


def _aborted_in_the_inject(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin()
    stage.press(ADA, run, "go")
    slack.submit(ADA, stage.dialog(ADA)).wait()
    stage.heard(KEN, f"Pull the {CANARY} cable")
    last = stage.town.record(run).last(EventKind.PHASE_BEGAN)
    assert last is not None and last.text("phase") == "inject"
    stage.press(GRACE, run, "abort")
    slack.press(KEN, stage.heard(KEN, "Plug it back in"), "done").wait()
    slack.until(lambda: stage.town.has_ended(run), 60, "the run has ended")
    (ended,) = stage.town.record(run).of(EventKind.FAULT_ENDED)
    assert ended.text("outcome") == "not-injected" and [event.actor for event in stage.town.record(run).of(EventKind.ABORTED)] == ["Grace"]


def _by_hand(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin()
    stage.press(ADA, run, "go")
    slack.submit(ADA, stage.dialog(ADA)).wait()
    asked = stage.heard(KEN, f"Pull the {CANARY} cable")
    assert [text for text in everything_for(slack, LINUS, RESPONSE, SUPPORT, ELSEWHERE) if CANARY in text] == []
    slack.press(KEN, asked, "done").wait()
    undo = stage.heard(KEN, "Plug it back in")
    slack.press(KEN, undo, "done").wait()
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    (ended,) = stage.town.record(run).of(EventKind.FAULT_ENDED)
    assert (ended.actor, ended.text("outcome")) == ("Ken", "reverted") and ended.data["said"]["by"] == f"slack:T01/{KEN}"  # type: ignore[index,call-overload]
