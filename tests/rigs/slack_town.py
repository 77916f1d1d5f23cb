"""A town whose people are in Slack: gameday's processes, its control room among them, and a workspace in which a test plays everybody."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from control_room.manifest import manifest
from gameday.event import EventKind
from tests.rigs.slack import Message, Slack, View, slack_server
from tests.rigs.town import Town, town

T = TypeVar("T")
ADA, GRACE, LINUS, EDSGER, KEN, STRANGER = "U01", "U02", "U03", "U04", "U06", "U99"
CONTROL, RESPONSE, SUPPORT, ELSEWHERE = "C01", "C02", "C03", "C09"
CANARY = "kanarienvogel"
"""A word that is in every text of the sealed scenario."""

TEAM = f"""team:
  commander: {{name: Ada, slack: {ADA}}}
  safety: {{name: Grace, slack: {GRACE}}}
  responders: [{{name: Linus, slack: {LINUS}}}, {{name: Ken, slack: {KEN}}}]
  observers: [{{name: Edsger}}]
rooms: {{control: {CONTROL}, response: {RESPONSE}, stakeholders: [{SUPPORT}]}}
"""

PLAYBOOK = f"""
name: slack-day
objective: Does the town notice, and do people stop it?
times: {{zone: Europe/Berlin}}
{TEAM}checklist: [{{item: Deploys frozen, owner: Linus}}]
variables: {{length: {{default: 30s, about: how long it is frozen}}}}
sampling: {{every: 200ms, timeout: 500ms, baseline: 400ms, baseline_samples: 1, steady_samples: 2}}
probes:
  up: {{tcp: {{host: 127.0.0.1, port: PORT, measure: ok}}}}
steady_state: ['up = 100 %']
abort_when: ['up is unknown for 60s']
gates: {{inject: {{timeout: 5m, ready: 1, checklist: true}}}}
presence: {{within: 5m}}
scenarios:
  - title: The {CANARY} sleeper freezes
    hypothesis: Nobody minds the {CANARY}
    sealed: true
    faults:
      - {{name: {CANARY}-frozen, inject: process.pause, on: {{host: local, pid_file: PIDFILE}}, for: '${{length}}', until: detected}}
    expect: ['up > 10 %', 'detected within 25s']
    predict: ['worst up', 'who sees the {CANARY} first']
    cards: [{{at: 500ms, say: 'Support: it is so quiet'}}]
    afterwards: {{steady_for: 0s, recover_within: 10s}}
"""


@dataclass
class SlackTown:
    """`slack` is the workspace, `town` what runs."""

    town: Town
    slack: Slack
    callbacks: bool = False
    name: str = "slack-day"
    settings: str = ""
    """What the settings say besides."""

    def furnish(self, playbook: str = PLAYBOOK) -> None:
        """The workspace's channels, an app with what its manifest asks for and no more, the settings and the playbook."""
        self.slack.scopes = set(manifest()["oauth_config"]["scopes"]["bot"])
        members = {CONTROL: (ADA, GRACE, EDSGER), RESPONSE: (LINUS, KEN, ADA), SUPPORT: (STRANGER,), ELSEWHERE: (LINUS, STRANGER, ADA)}
        for channel, users in members.items():  # a command works in any channel, also where the app is not
            self.slack.join(channel, *users, private=channel == CONTROL, bot=channel in (CONTROL, RESPONSE))
        folder = self.town.home / "playbooks"
        folder.mkdir()
        filled = playbook.replace("PIDFILE", str(self.town.home / "sleeper.pid")).replace("PORT", str(self.town.port))
        (folder / f"{self.name}.yaml").write_text(filled)
        door = {"app_token": "secret://env/SLACK_APP_TOKEN"}
        if self.callbacks:
            door = {"signing_secret": "secret://env/SLACK_SIGNING_SECRET", "listen": "127.0.0.1:0"}
        section = {"bot_token": "secret://env/SLACK_BOT_TOKEN", "base_url": self.slack.base_url.rstrip("/"), "playbooks": str(folder)}
        section |= door
        written = "\n".join(f"{key} = {json.dumps(value)}" for key, value in section.items())
        people = f'people = {{{EDSGER} = "Edsger"}}'  # whom the playbook knows by name alone
        (self.town.home / "settings.toml").write_text(f"[slack]\n{written}\n{people}\n{self.settings}")
        tokens = {"SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_APP_TOKEN": self.slack.app_token, "SLACK_SIGNING_SECRET": self.slack.signing_secret}
        self.town.environment |= tokens

    def open(self) -> None:
        """Starts the control room, and waits until Slack can reach it."""
        before, sockets = self.log().count("callbacks at "), self.slack.connected
        self.town.start("slack")
        if self.callbacks:
            self._until(lambda: self.log().count("callbacks at ") > before, 60, "the callbacks are served")
            self.slack.callbacks = self.log().rpartition("callbacks at ")[2].split(". ")[0].strip()
        else:
            self.slack.until(
                lambda: self.slack.connected >= sockets + 2 and self.slack.connections == 2, 60, f"the control room has connected: {self.log()}"
            )

    def log(self) -> str:
        path = self.town.home / "slack.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def begin(self, user: str = ADA, **values: str) -> str:
        """`/gameday start`, and its dialog. Returns the run's id once its message is in the control room."""
        known = len(self.slack.messages(CONTROL))
        self.slack.command(user, ELSEWHERE, "/gameday", f"start {self.name}").wait()
        dialog = self.dialog(user)
        self.slack.submit(user, dialog, {f"v-{name}": value for name, value in values.items()}).wait()
        message = self._until(lambda: self.slack.messages(CONTROL)[known:], 60, "the run's message")[0]
        return next(word.strip("`") for word in message.plain.split() if word.strip("`").endswith(f"-{self.name}"))

    def _until(self, found: Callable[[], T], seconds: float, what: str, there: Callable[[], object] = lambda: "") -> T:
        """As the workspace's own, and a failure tells what the control room has said by then."""
        try:
            return self.slack.until(found, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\nThere is: {there()}\nThe control room: {self.log()[-4000:]}") from None

    def message(self, run: str, channel: str = CONTROL) -> Message:
        """The run's message as it is now.

        Raises:
            LookupError: it is not there yet.
        """
        found = [each for each in self.slack.messages(channel) if run in each.plain or channel == RESPONSE]
        return found[0]

    def press(self, user: str, run: str, action: str, channel: str = CONTROL, seconds: float = 30) -> None:
        """Presses a button of a room's message, once it is there."""
        self._until(lambda: action in self.message(run, channel).action_ids, seconds, f"{action} can be pressed in {channel}")
        self.slack.press(user, self.message(run, channel), action).wait()

    def dialog(self, user: str) -> View:
        return self._until(lambda: self.slack.modal(user), 30, f"a dialog for {user}")

    def heard(self, user: str, words: str) -> Message:
        """What somebody was told privately."""

        def found() -> Message | None:
            return next((each for each in (*self.slack.private(user), *self.slack.dms(user)) if words in each.plain), None)

        return self._until(found, 30, f"{user} is told {words!r}", lambda: [each.plain for each in self.slack.private(user)])

    def seen(self, channel: str, words: str, seconds: float = 30) -> Message:
        """A message of a room, or of a thread in it."""

        def found() -> Message | None:
            tops = self.slack.messages(channel)
            return next((each for top in tops for each in (top, *self.slack.thread(top)) if words in each.plain), None)

        return self._until(found, seconds, f"{words!r} in {channel}", lambda: [each.plain for each in self.slack.messages(channel)])

    def has(self, run: str, kind: EventKind) -> bool:
        try:
            return any(True for _ in self.town.record(run).of(kind))
        except Exception:  # noqa: BLE001  # not there yet
            return False


@asynccontextmanager
async def slack_town(home: Path, callbacks: bool = False, playbook: str = PLAYBOOK, settings: str = "") -> AsyncIterator[SlackTown]:
    """All of it, up and connected."""
    with slack_server() as slack:
        async with town(home, "temporal", "worker", "agent") as built:
            stage = SlackTown(built, slack, callbacks, playbook.partition("name: ")[2].split()[0], settings)
            stage.furnish(playbook)
            stage.open()
            try:
                yield stage
                assert slack.violations == [], "Slack would have taken it otherwise"
            finally:
                built.kill("slack")


def everything_for(slack: Slack, user: str, *channels: str) -> Iterator[str]:
    """All that somebody can read: rooms, threads, what they were told, their home, dialogs and files."""
    for channel in channels:
        for top in slack.messages(channel):
            yield from (json.dumps([each.text, each.blocks, each.metadata]) for each in (top, *slack.thread(top)))
        yield slack.channel(channel).name
    yield from (json.dumps([each.text, each.blocks]) for each in (*slack.private(user), *slack.dms(user)))
    for view in (slack.home(user), slack.modal(user)):
        yield json.dumps(view.blocks) if view else ""
    theirs = {*channels, *(each.channel for each in slack.dms(user))}
    yield from (f"{each.name} {each.title} {each.bytes!r}" for each in slack.files if each.channel in theirs)
