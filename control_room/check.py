"""`gameday slack check`: whether token, scopes and channels are as the control room needs them, each with a verdict."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass

from control_room.manifest import SCOPES
from control_room.web import SlackSaysNo, Web
from gameday.rooms import Rooms
from gameday.slack import SlackSettings

CONTROL, RESPONSE, STAKEHOLDERS = "control room", "response room", "stakeholders"


@dataclass(frozen=True)
class Finding:
    """`state` is ok, part or no, as `gameday doctor` has it."""

    state: str
    about: str
    said: str


async def findings(known: SlackSettings, bot_token: str, app_token: str | None, playbooks: Mapping[str, Rooms]) -> AsyncIterator[Finding]:
    """Asks Slack, and touches nothing there.

    Args:
        playbooks: the rooms of those that can be started from Slack, by their names.
    """
    web = Web(bot_token, known.base_url)
    try:
        who = await web.call("auth.test")
    except SlackSaysNo as no:
        yield Finding("no", "bot token", f"{no}; expected the bot's token (xoxb-…) of an installed app, and {known.base_url} to be reached")
        return
    yield Finding("ok", "bot token", f"{who.get('user')} in {who.get('team')} ({who.get('team_id')})")
    granted = set(str(who["_headers"].get("x-oauth-scopes", "")).replace(" ", "").split(","))
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        lost = "; ".join(f"{scope} ({SCOPES[scope]})" for scope in missing)
        yield Finding("no", "scopes", f"missing: {lost}. Paste `gameday slack manifest` into the app again, and reinstall it")
    else:
        yield Finding("ok", "scopes", f"all {len(SCOPES)} granted")
    if app_token is not None:
        yield await _socket(known, app_token)
    else:
        yield Finding("part", "signing secret", "there is one; whether it is the app's own shows with the first request that Slack signs")
    for about, channel in ((CONTROL, known.control), (RESPONSE, known.response)):
        if channel is None:
            yield Finding("part", about, "the settings name none; a playbook may (rooms)")
        else:
            yield await _room(web, about, channel)
    if known.control and known.control == known.response:
        yield Finding("no", "rooms", "the control room is the response room, so nothing of a sealed scenario is shown in it")
    for name, rooms in playbooks.items():
        for about, channel in _of_playbook(rooms):
            if channel not in (known.control, known.response):
                yield await _room(web, f"{about} of {name}", channel)


def _of_playbook(rooms: Rooms) -> Iterator[tuple[str, str]]:
    """The channels that a playbook names itself, each with what it is."""
    if rooms.control:
        yield CONTROL, rooms.control
    if rooms.response:
        yield RESPONSE, rooms.response
    yield from ((STAKEHOLDERS, channel) for channel in rooms.stakeholders)


async def _socket(known: SlackSettings, app_token: str) -> Finding:
    try:
        await Web(app_token, known.base_url).call("apps.connections.open")
    except SlackSaysNo as no:
        return Finding("no", "app token", f"{no.error}; expected an app-level token (xapp-…) with connections:write")
    return Finding("ok", "app token", "Socket Mode takes a connection")


async def _room(web: Web, about: str, channel: str) -> Finding:
    try:
        found = (await web.form("conversations.info", channel=channel))["channel"]
    except SlackSaysNo as no:
        return Finding("no", about, f"{channel}: {no.error}; expected a channel that the app can see: invite it with /invite @gameday")
    if found.get("is_archived"):
        return Finding("no", about, f"#{found.get('name')} is archived")
    if not found.get("is_member") and not (about.startswith(STAKEHOLDERS) and not found.get("is_private")):  # chat:write.public
        return Finding("no", about, f"the app is not in #{found.get('name')}; invite it there: /invite @gameday")
    if about.startswith(CONTROL) and not found.get("is_private"):
        return Finding("part", about, f"#{found.get('name')} is public, so nothing of a sealed scenario is shown in it; make it private")
    return Finding("ok", about, f"#{found.get('name')}")


def worst(found: Iterable[Finding]) -> int:
    """The exit status: 1 where something does not work."""
    return int(any(each.state == "no" for each in found))
