"""`gameday slack`: the control room's process, its app's manifest, and a check of both."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from types import ModuleType

from gameday.cli import context
from gameday.cli.screens import complain
from gameday.errors import BadInput, Unavailable
from gameday.loading import opening
from gameday.rooms import Rooms


def serve() -> None:
    """Runs the control room until Ctrl-C."""
    room = _room()
    room.run_control_room(context.settings(), complain)


def print_manifest(url: str | None) -> None:
    _room()
    from control_room.manifest import manifest

    if url is not None and not url.startswith("https://"):
        raise BadInput(f"--url {url}: Slack sends to https addresses alone; expected one such as https://gameday.example.com")
    print(json.dumps(manifest(url), indent=2))


def check(as_json: bool) -> int:
    """Prints each verdict. Returns 1 where something does not work."""
    room = _room()
    from control_room.check import Finding, findings, worst

    known = room.slack_settings(context.settings())
    bot, app = room.token(known.bot_token), room.token(known.app_token) if known.app_token else None
    if known.signing_secret:
        room.token(known.signing_secret)
    playbooks = _rooms(known.playbooks)

    async def ask() -> list[Finding]:
        found = []
        async for each in findings(known, bot, app, playbooks):
            found.append(each)
            if not as_json:
                print(f"{each.state:<5} {each.about:<14} {each.said}", flush=True)
        return found

    found = asyncio.run(ask())
    if as_json:
        print(json.dumps([each.__dict__ for each in found], indent=2))
    return worst(found)


def _rooms(folder: Path | None) -> dict[str, Rooms]:
    """The rooms of the playbooks that can be started from Slack. One that cannot be read is `gameday validate`'s to tell about."""
    found = {}
    for path in sorted(folder.glob("*.y*ml")) if folder else ():
        with contextlib.suppress(BadInput):
            found[path.stem] = opening(path).rooms
    return found


def _room() -> ModuleType:
    """The process, imported where it is used."""
    try:
        from worker import control_room
    except ImportError as error:
        raise Unavailable(f"the control room needs slack-sdk and aiohttp ({error}); install gameday with its extra: gameday[slack]") from None
    return control_room
