"""What an app answers to what somebody did: messages by a `response_url`, or in the answer to a slash command itself.

Source: docs.slack.dev, *Handling user interaction*, *Responding*: five times within 30 minutes.
"""

from __future__ import annotations

import asyncio
import json
import time

from aiohttp import web

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.methods.chat import content
from tests.rigs.slack.moods import Mood, Moods
from tests.rigs.slack.no import No
from tests.rigs.slack.things import Call, Hook, Json
from tests.rigs.slack.web_api import cut
from tests.rigs.slack.workspace import HOOK_LASTS, HOOK_USES, Workspace

METHOD = "response_url"


def reply(workspace: Workspace, hook: Hook, body: Json) -> None:
    """The message that is asked for: a new one, to one person unless it says otherwise, or in the place of the one that was pressed.

    Raises:
        No: Slack does not take it.
    """
    args = Arguments({key: value for key, value in body.items() if value is not None})
    original = workspace.posted.get((hook.channel, hook.message))
    if args.flag("delete_original"):
        if original is not None:
            workspace.edit(original, deleted=True)
        return
    what = content(workspace, args, METHOD)
    if not what.get("text") and not what.get("blocks"):
        raise No("no_text")
    if args.flag("replace_original") and original is not None and not original.deleted:
        workspace.edit(original, **{"blocks": [], **what})
        return
    private = args.text("response_type") != "in_channel"
    thread = workspace.parent(hook.channel, args.text("thread_ts"))
    workspace.post(hook.channel, workspace.bot_user, **what, thread_ts=thread, to=hook.user if private else "")


class ResponseUrls:
    """The server of `hooks.slack.com`."""

    def __init__(self, workspace: Workspace, moods: Moods, over: asyncio.Event) -> None:
        self._workspace, self._moods, self._over = workspace, moods, over

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        mood = self._moods.take(METHOD)
        if mood.retry_after:
            self._note({}, "429")
            return web.Response(status=429, headers={"Retry-After": str(mood.retry_after)})
        try:
            body = _object(raw)
            status, said = self._take(request.match_info["hook"], body, mood)
        except No as no:
            body, status, said = {}, 400, no.error
        self._note(body, "hang" if mood.hang is not None else said)
        if mood.hang is not None:
            return await cut(request, self._over, mood.hang)
        if status == 404:
            return web.json_response({"ok": False, "error": said}, status=404)
        return web.Response(status=status, text=said)

    def _take(self, name: str, body: Json, mood: Mood) -> tuple[int, str]:
        if mood.error:
            return int(mood.error) if mood.error.isdecimal() else 500, mood.error
        hook = self._workspace.hooks.get(name)
        if hook is None:
            return 404, "no_service"
        if time.monotonic() - hook.at > HOOK_LASTS:
            return 404, "expired_url"
        if hook.uses >= HOOK_USES:
            return 404, "used_url"
        reply(self._workspace, hook, body)
        hook.uses += 1
        return 200, "ok"

    def _note(self, body: Json, answered: str) -> None:
        self._workspace.calls.append(Call(METHOD, time.monotonic(), body, answered))


def _object(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        raise No("invalid_payload") from None
    if not isinstance(body, dict):
        raise No("invalid_payload")
    return body
