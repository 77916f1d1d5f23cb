"""`gameday slack`: the control room's process. It reads the store and talks to runs; a run does not know that it is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from activities import secrets
from activities.leases import leases
from activities.store import RunStore
from control_room.beside import Beside
from control_room.desk import Desk
from control_room.doors import callbacks, socket
from control_room.follower import Follower
from control_room.homes import Homes
from control_room.identity import Directory
from control_room.inbox import Inbox
from control_room.notes import Notes
from control_room.outbox import Outbox
from control_room.own_channel import OwnChannels
from control_room.postman import Postman
from control_room.reception import Reception
from control_room.runs import Board
from control_room.slash import Slash
from control_room.starting import Starting
from control_room.surveys import Surveys
from control_room.table import claim
from control_room.voice import Voice
from control_room.web import SlackSaysNo, Web
from gameday.errors import SettingsError
from gameday.settings import Settings
from gameday.slack import SlackSettings
from worker.processes import prepare
from worker.runs import TemporalRuns
from worker.snapshot import Painter

KNOCK_EVERY = 5.0
"""Seconds between two tries to reach Slack at the start."""
FIRST_LOOK = 10.0
"""Seconds that the store gets before the doors open."""
AGAIN_EVERY = 1.0
"""Seconds between two looks whether another control room has ended."""
LAST_WORK = 5.0
"""Seconds that what has been acknowledged gets at the end."""

log = logging.getLogger(__name__)


def token(reference: str) -> str:
    """A secret of the settings.

    Raises:
        SettingsError: it is not there.
    """
    try:
        return secrets.reveal(reference, own=True)
    except secrets.SecretMissing as error:
        raise SettingsError(f"[slack]: {error}") from None


def slack_settings(settings: Settings) -> SlackSettings:
    if settings.slack is None:
        raise SettingsError("the settings have no [slack]; `gameday slack manifest` makes the app, and docs/slack.md shows the section")
    return settings.slack


def run_control_room(settings: Settings, said: Callable[[str], None]) -> None:
    """`gameday slack`: until SIGTERM or Ctrl-C."""
    prepare()
    asyncio.run(_serve(settings, slack_settings(settings), said))


async def _serve(settings: Settings, known: SlackSettings, say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    web = Web(token(known.bot_token), known.base_url)
    me = await _knock(web, "auth.test", "bot_token", stop)
    if me and known.app_token is not None:
        me = await _knock(Web(token(known.app_token), known.base_url), "apps.connections.open", "app_token", stop) and me
    async with AsyncExitStack() as stack:
        if not me or not await _alone(settings.home / "slack", stop, stack):
            return
        team = str(me["team_id"])
        reception = await _assemble(settings, known, web, team, stack)
        if known.app_token is not None:
            if not await _unless(stop, stack.enter_async_context(socket.connected(token(known.app_token), known.base_url, reception))):
                return
            say(f"control room of workspace {team}, by Socket Mode. Ctrl-C stops it; runs go on")
        else:
            assert known.signing_secret is not None  # the settings see to it
            served = callbacks.served(known.listen, token(known.signing_secret), reception, lambda at: say(f"callbacks at {at}. Ctrl-C stops it"))
            await stack.enter_async_context(served)
        await stop.wait()
        await reception.close(LAST_WORK)


async def _assemble(settings: Settings, known: SlackSettings, web: Web, team: str, stack: AsyncExitStack) -> Reception:
    folder = settings.home / "slack"
    store = RunStore(settings.store_url)
    board = Board(Directory(team, known.people))
    runs = TemporalRuns(settings, store)
    tables = folder / "control-room.db"
    outbox, inbox, own = Outbox(tables), Inbox(tables), OwnChannels(web, tables)
    for close in (outbox.close, inbox.close, own.close):
        stack.callback(close)
    voice = Voice(board, runs, web, outbox)
    notes = Notes(board, voice, web, known.reaction)
    starting = Starting(board, runs, voice, known.playbooks)
    here = partial(leases, settings.home)
    slash = Slash(board, runs, voice, web, notes, starting, store.list, here, known.reaction)
    homes = Homes(board, web)
    desk = Desk(board, runs, voice, homes, slash, notes, starting, Surveys(board, runs, voice))

    async def report(run_id: str) -> str:
        return await runs.report(run_id, False)

    painter = Painter()
    stack.push_async_callback(painter.close)
    follower = Follower(store, web, outbox, own, board, known, folder, here, painter.paint, report)
    always = Beside()
    stack.push_async_callback(always.end)
    for work in (follower.run(), Postman(outbox, web).run(), homes.run()):
        always.begin(work)
    try:
        await asyncio.wait_for(follower.looked.wait(), FIRST_LOOK)  # who presses or types at once means a run that is known by then
    except TimeoutError:
        log.warning("the runs are not known yet; the doors open all the same, since an abort waits for no store")
    reception = Reception(inbox, desk)
    reception.take_up()  # before anything new comes in
    return reception


async def _alone(folder: Path, stop: asyncio.Event, stack: AsyncExitStack) -> bool:
    """Waits until no other control room of this home runs. False when it is told to stop meanwhile."""
    told = False
    while not stop.is_set():
        mine = await asyncio.to_thread(claim, folder)
        if mine is not None:
            stack.enter_context(mine)
            return True
        if not told:
            log.warning("another control room of this home runs; this one begins once that has ended")
        told = True
        await _pause(stop, AGAIN_EVERY)
    return False


async def _knock(web: Web, method: str, setting: str, stop: asyncio.Event) -> dict[str, Any] | None:
    """Slack's answer to whether it knows a token; waits for Slack as long as it takes. None when it is told to stop meanwhile.

    Raises:
        SettingsError: Slack does not know the token.
    """
    told = False
    while not stop.is_set():
        try:
            return await web.call(method)
        except SlackSaysNo as no:
            if no.final:
                raise SettingsError(f"[slack] {setting}: {no}; `gameday slack check` tells more") from None
            if not told:
                log.warning("%s; tried again until it answers", no)
            told = True
            await _pause(stop, max(KNOCK_EVERY, no.after))
    return None


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Whether it was done before it was told to stop. (A WebSocket that is blocked on its way is tried for ever.)"""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.wait([doing, stopping])


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
