"""Each thing that people can do in the rooms, on a real run: it is offered when the run would take it, done once, and recorded under who did it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gameday.event import EventKind
from tests.rigs.slack import Message
from tests.rigs.slack_town import ADA, CONTROL, EDSGER, ELSEWHERE, GRACE, KEN, LINUS, PLAYBOOK, RESPONSE, SUPPORT, SlackTown, slack_town

pytestmark = pytest.mark.timeout(180)

OPEN = PLAYBOOK.replace("sealed: true", "sealed: false").replace("ready: 1, checklist: true", "ready: 0, checklist: false")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackTown]:
    async with slack_town(tmp_path / "home", playbook=OPEN) as built:
        yield built
        assert built.slack.violations == []


def actions(stage: SlackTown, run: str, channel: str = CONTROL) -> set[str]:
    return set(stage.message(run, channel).action_ids)


def until_offered(stage: SlackTown, run: str, offered: set[str], gone: set[str] = frozenset()) -> None:  # type: ignore[assignment]  # empty
    stage.slack.until(
        lambda: offered <= actions(stage, run) and not gone & actions(stage, run), 20, f"{offered} offered, not {gone}; {actions(stage, run)}"
    )


def events(stage: SlackTown, run: str, kind: EventKind) -> list[tuple[str | None, str]]:
    return [(event.actor, event.text("reason") or event.text("to") or event.text("by")) for event in stage.town.record(run).of(kind)]


async def test_the_commanders_buttons(stage: SlackTown) -> None:
    await asyncio.to_thread(_commanded, stage)


def _commanded(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin(length="60s")
    until_offered(stage, run, {"go", "hold", "skip", "handover", "abort", "real"}, {"extend", "resume", "reveal", "mark-detected"})
    stage.press(GRACE, run, "hold")
    until_offered(stage, run, {"resume"}, {"hold"})
    stage.press(ADA, run, "resume")
    stage.press(ADA, run, "go")
    slack.submit(ADA, stage.dialog(ADA)).wait()
    until_offered(stage, run, {"extend", "mark-detected"}, {"go", "ready"})
    slack.select(ADA, stage.message(run), "extend", f"{run} 2m").wait()
    stage.heard(ADA, "extended by 120 s")
    stage.press(LINUS, run, "mark-mitigated", RESPONSE)
    stage.heard(LINUS, "marked: mitigate")
    stage.press(ADA, run, "handover")
    slack.submit(ADA, stage.dialog(ADA), {"to": "Grace"}).wait()
    slack.until(lambda: f"commander <@{GRACE}>" in stage.message(run).plain, 20, "the new commander in the message")
    stage.press(ADA, run, "skip")
    stage.heard(ADA, "Ada may not skip")
    stage.press(GRACE, run, "skip")
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    assert events(stage, run, EventKind.HELD) == [("Grace", "")] and events(stage, run, EventKind.EXTENDED) == [("Ada", "120.0")]
    assert events(stage, run, EventKind.HANDED_OVER) == [("Ada", "Grace")] and events(stage, run, EventKind.SKIPPED) == [("Grace", "")]
    slack.until(lambda: actions(stage, run) == {"survey"}, 20, "only the survey is left")


PHASES: dict[str, tuple[tuple[str, str], str, EventKind, str, str]] = {
    "pre-check": (("baseline: 400ms", "baseline: 40s"), "", EventKind.PHASE_BEGAN, ADA, CONTROL),
    "the gate": (("", ""), "", EventKind.GATE_WAITING, GRACE, CONTROL),
    "observe": (("", ""), "60s", EventKind.PHASE_BEGAN, LINUS, RESPONSE),
    "recover": (("steady_for: 0s, recover_within: 10s", "steady_for: 50s, recover_within: 10s"), "1s", EventKind.PHASE_BEGAN, LINUS, RESPONSE),
    "debrief": (("recover_within: 10s}", "recover_within: 10s, debrief: 60s}"), "1s", EventKind.REST_BEGAN, KEN, RESPONSE),
}
"""What makes each long enough, what tells that it has begun, and who aborts in it where."""
NAMES = {ADA: "Ada", GRACE: "Grace", LINUS: "Linus", KEN: "Ken"}


@pytest.mark.parametrize("phase", PHASES)
async def test_the_abort_button_in_each_phase(tmp_path: Path, phase: str) -> None:
    text = OPEN.replace(*PHASES[phase][0]) if PHASES[phase][0][0] else OPEN
    async with slack_town(tmp_path / "home", playbook=text) as stage:
        await asyncio.to_thread(_aborted, stage, phase)


def _aborted(stage: SlackTown, phase: str) -> None:
    _, length, begun, user, channel = PHASES[phase]
    slack, run = stage.slack, stage.begin(**({"length": length} if length else {}))
    if length:
        stage.press(ADA, run, "go")
        slack.submit(ADA, stage.dialog(ADA)).wait()

    def is_in_it() -> bool:
        last = stage.town.record(run).last(begun)
        return last is not None and (begun is EventKind.GATE_WAITING or phase in (last.text("phase"), last.text("rest")))

    slack.until(is_in_it, 60, phase)
    stage.press(user, run, "abort", channel)
    stage.heard(user, "aborting: everything is taken off and read back")
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    (aborted,) = stage.town.record(run).of(EventKind.ABORTED)
    assert stage.town.is_clean and aborted.actor == NAMES[user]


async def test_a_real_incident_and_why_it_was_stopped(stage: SlackTown) -> None:
    await asyncio.to_thread(_real, stage)


def _real(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin(length="60s")
    stage.press(ADA, run, "go")
    slack.submit(ADA, stage.dialog(ADA)).wait()
    slack.until(lambda: stage.town.is_frozen, 30, "the sleeper is frozen")
    declined = slack.press(LINUS, stage.message(run, RESPONSE), "real", confirm=False)
    assert declined.error == "declined" and declined.asked is not None
    stage.press(LINUS, run, "real", RESPONSE)
    told = stage.heard(LINUS, "a real incident: everything is taken off")
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    assert stage.town.is_clean
    slack.press(LINUS, told, "why").wait()
    slack.submit(LINUS, stage.dialog(LINUS), {"text": "payments are down"}).wait()
    stage.heard(LINUS, "noted")
    stage.seen(RESPONSE, "This is no drill any more: Linus calls a real incident")
    stage.seen(SUPPORT, "a real incident has begun")
    notes = [(event.actor, event.text("text")) for event in stage.town.record(run).of(EventKind.NOTE)]
    assert notes == [("Linus", "why it was stopped: payments are down")]


async def test_what_gameday_answers(stage: SlackTown) -> None:
    await asyncio.to_thread(_answered, stage)


def _answered(stage: SlackTown) -> None:
    slack = stage.slack
    slack.command(EDSGER, CONTROL, "/gameday", "").wait()
    stage.heard(EDSGER, "/gameday abort")
    slack.command(EDSGER, CONTROL, "/gameday", "status").wait()
    stage.heard(EDSGER, "no game day is going on")
    slack.command(EDSGER, CONTROL, "/gameday", "explode <!channel>").wait()
    stage.heard(EDSGER, "there is no `/gameday explode`")
    run = stage.begin()
    for text, answer in (("status", run), ("list", "● going on"), ("next", "Ada says go (inject 1)"), (f"next {run[:4]}", "silence stands down")):
        slack.command(EDSGER, CONTROL, "/gameday", text).wait()
        stage.heard(EDSGER, answer)
    assert not any(message.user == EDSGER for message in slack.messages(CONTROL))
    slack.command(ADA, ELSEWHERE, "/gameday", "halt the lights are out").wait()
    asked = stage.heard(ADA, "The lever stops every game day")
    slack.press(ADA, asked, "halt").wait()
    stage.seen(ELSEWHERE, "has pulled the lever", 40)
    slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    slack.command(ADA, ELSEWHERE, "/gameday", "start slack-day").wait()
    slack.submit(ADA, stage.dialog(ADA), {}).wait()
    stage.heard(ADA, "all game days are halted by Ada")
    slack.command(EDSGER, CONTROL, "/gameday", f"report {run}").wait()
    stage.heard(EDSGER, f"the report of `{run}`")
    slack.until(lambda: [each for each in slack.files if each.name == f"{run}.md" and each.channel not in (CONTROL, RESPONSE)], 20, "the report")


async def test_each_thing_acts_once_however_often_it_is_delivered(stage: SlackTown) -> None:
    """Retries, a socket that is renewed, one that is lost, all at the same time."""
    await asyncio.to_thread(_delivered, stage)


def _delivered(stage: SlackTown) -> None:
    slack, run = stage.slack, stage.begin()
    junk = slack.tell_raw("interactive", {"type": "block_actions", "user": {"id": "'; --", "team_id": "T01"}, "actions": []})
    junk.wait()
    assert junk.acked_after is not None and stage.log().count("not taken: interactive: ") == 1 and "Traceback" not in stage.log()
    said: Message = slack.say(LINUS, RESPONSE, "something is odd")
    first = slack.react(LINUS, said, "stopwatch").wait()
    slack.disconnect("refresh_requested")
    for _ in range(2):
        slack.deliver_again(first)
    slack.until(lambda: slack.connections >= 1, 20, "a connection")
    held = slack.press(ADA, stage.message(run), "hold").wait()
    slack.retries, lost = (1.0, 2.0, 4.0), slack.say(LINUS, RESPONSE, "said while nobody listened")
    slack.drop_sockets()
    slack.react(LINUS, lost, "stopwatch")
    slack.until(lambda: slack.connections == 2, 30, "both connections again")
    slack.deliver_again(held)
    stage.press(ADA, run, "resume")
    slack.deliver_again(held)
    slack.command(EDSGER, CONTROL, "/gameday", f"note {run} the last word").wait()
    stage.heard(EDSGER, "noted")
    slack.until(lambda: sum(True for _ in stage.town.record(run).of(EventKind.NOTE)) == 3, 30, "three notes")
    record = stage.town.record(run)
    assert [event.actor for event in record.of(EventKind.HELD)] == ["Ada"]
    assert sorted(event.text("text") for event in record.of(EventKind.NOTE)) == ["said while nobody listened", "something is odd", "the last word"]


async def test_what_a_dead_control_room_left_for_long_is_not_done_but_an_abort_is(stage: SlackTown) -> None:
    await asyncio.to_thread(_late, stage)


def _late(stage: SlackTown) -> None:
    import sqlite3

    from control_room.inbox import Inbox
    from control_room.payloads import Press, SlashCommand, Who

    run = stage.begin()
    stage.town.kill("slack")
    base = stage.town.home / "slack" / "control-room.db"
    inbox = Inbox(base)
    inbox.take(Press(id="slack-press-late", who=Who(team="T01", user=ADA), channel=CONTROL, action="hold", value=f'{{"run":"{run}"}}'))
    inbox.take(SlashCommand(id="slack-command-late", who=Who(team="T01", user=LINUS), channel=RESPONSE, text=f"abort {run} still"))
    inbox.close()
    with sqlite3.connect(base) as connection:
        connection.execute("UPDATE inbox SET at = at - 600 WHERE id LIKE '%-late'")
    connection.close()
    stage.open()
    stage.heard(ADA, "came in while the control room was away, and may not have been done")
    stage.slack.until(lambda: stage.town.has_ended(run), 40, "the run has ended")
    record = stage.town.record(run)
    assert [event.text("reason") for event in record.of(EventKind.ABORTED)] == ["still"] and not list(record.of(EventKind.HELD))
