"""`gameday slack check` and `manifest`: a clear verdict of each part, and an app that asks for what the control room uses and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from control_room.check import Finding, findings
from control_room.manifest import SCOPES, manifest
from gameday.rooms import Rooms
from gameday.slack import SlackSettings
from tests.rigs.slack import Slack, slack_server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_server() as server:
        server.join("C01", "U01", name="control", private=True)
        server.join("C02", "U03", name="incidents")
        server.join("C03", "U03", name="everybody")
        yield server


def settings(slack: Slack, **more: str) -> SlackSettings:
    written = {
        "bot_token": "secret://env/B",
        "app_token": "secret://env/A",
        "base_url": slack.base_url.rstrip("/"),
        "control": "C01",
        "response": "C02",
    }
    return SlackSettings.model_validate({**written, **more})


async def found(
    slack: Slack, bot: str | None = None, app: str | None = None, playbooks: dict[str, Rooms] | None = None, **more: str
) -> dict[str, Finding]:
    known = settings(slack, **more)
    return {each.about: each async for each in findings(known, bot or slack.bot_token, app or slack.app_token, playbooks or {})}


async def test_all_is_well(slack: Slack) -> None:
    told = await found(slack)
    assert {each.state for each in told.values()} == {"ok"} and list(told) == ["bot token", "scopes", "app token", "control room", "response room"]
    assert slack.violations == []


WRONG: dict[str, tuple[Callable[[Slack], None], dict[str, str], str, str]] = {
    "a token of nobody": (lambda slack: None, {"bot": "xoxb-nobody"}, "bot token", "invalid_auth"),
    "a scope is missing": (lambda slack: slack.scopes.discard("reactions:read"), {}, "scopes", "missing: reactions:read (the reaction that"),
    "an app token of nobody": (lambda slack: None, {"app": "xapp-nobody"}, "app token", "expected an app-level token"),
    "the app is not in the room": (lambda slack: slack.leave("C02", slack.bot_user), {}, "response room", "/invite @gameday"),
    "there is no such room": (lambda slack: None, {"control": "C77"}, "control room", "channel_not_found"),
    "a control room that anybody can look into": (lambda slack: None, {"control": "C03"}, "control room", "make it private"),
    "one room for both": (lambda slack: None, {"response": "C01"}, "rooms", "nothing of a sealed scenario is shown"),
}


@pytest.mark.parametrize(("spoil", "with_", "about", "said"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_has_a_verdict_of_its_own(
    slack: Slack, spoil: Callable[[Slack], None], with_: dict[str, str], about: str, said: str
) -> None:
    spoil(slack)
    told = await found(slack, **with_)
    assert told[about].state in ("no", "part") and said in told[about].said
    assert slack.bot_token not in str(told) and "xoxb-nobody" not in str(told)


async def test_the_rooms_of_the_playbooks_that_can_be_started_are_looked_at_too(slack: Slack) -> None:
    told = await found(slack, playbooks={"shop": Rooms(control="C03", response="C02", stakeholders=("C88",))})
    assert "make it private" in told["control room of shop"].said and "channel_not_found" in told["stakeholders of shop"].said
    assert "response room of shop" not in told, "it is the one of the settings"


async def test_a_slack_that_is_not_there_is_said(slack: Slack) -> None:
    slack.down()
    assert "does not answer" in (await found(slack))["bot token"].said


def test_the_command_says_it_with_an_exit_status(slack: Slack, tmp_path: Path) -> None:
    written = settings(slack).model_dump(exclude_none=True, exclude={"people", "listen", "reaction", "archive_after"})
    (tmp_path / "settings.toml").write_text("[slack]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in written.items()))
    environment = {**os.environ, "GAMEDAY_HOME": str(tmp_path), "A": slack.app_token, "B": slack.bot_token}

    def check(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "gameday", "slack", "check", *words]
        return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "shop.yaml").write_text("name: shop\nrooms: {stakeholders: [C03]}\n")
    with (tmp_path / "settings.toml").open("a") as file:
        file.write(f"\nplaybooks = {json.dumps(str(tmp_path / 'playbooks'))}\n")
    done = check()
    assert (done.returncode, done.stdout.count("ok ")) == (0, 6), done.stderr
    assert "stakeholders of shop" in done.stdout
    slack.scopes.discard("files:write")
    done = check("--json")
    assert done.returncode == 1 and [each["state"] for each in json.loads(done.stdout)].count("no") == 1
    del environment["B"]
    done = check()
    assert done.returncode == 2 and "[slack]: secret://env/B is not set" in done.stderr and "Traceback" not in done.stderr


def test_the_manifest_has_both_doors() -> None:
    socket, callbacks = manifest(), manifest("https://gameday.example/")
    assert socket["settings"]["socket_mode_enabled"] and "request_url" not in socket["settings"]["interactivity"]
    assert not callbacks["settings"]["socket_mode_enabled"]
    assert callbacks["features"]["slash_commands"][0]["url"] == "https://gameday.example/slack/commands"
    assert callbacks["settings"]["event_subscriptions"] == {
        "bot_events": ["app_home_opened", "reaction_added"],
        "request_url": "https://gameday.example/slack/events",
    }
    assert set(socket["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
