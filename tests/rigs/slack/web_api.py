"""The Web API over HTTP: tokens, arguments, moods, and then the method."""

from __future__ import annotations

import asyncio
import contextlib
import time

from aiohttp import web

from tests.rigs.slack.arguments import NO_JSON, Arguments, read
from tests.rigs.slack.methods import METHODS
from tests.rigs.slack.moods import Mood, Moods
from tests.rigs.slack.no import No
from tests.rigs.slack.sockets import Sockets
from tests.rigs.slack.things import Call, Json
from tests.rigs.slack.workspace import Workspace

OPEN = "apps.connections.open"


class WebApi:
    def __init__(self, workspace: Workspace, moods: Moods, sockets: Sockets) -> None:
        self._workspace, self._moods, self._sockets = workspace, moods, sockets
        self.base, self.over = "", asyncio.Event()
        """Where the server is, and whether it goes away: what hangs ends then."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call of a method, and what Slack says to it."""
        method = request.match_info["method"]
        try:
            args = await read(request, method)
        except No as no:
            self._note(method, Arguments(), no.error)
            return self._say(request, no.answer)
        given = str(args.pop("token", ""))
        mood = self._moods.take(method, args.text("channel"))
        if mood.retry_after:
            self._note(method, args, "429")
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(mood.retry_after)})
        if mood.error.isdecimal():
            self._note(method, args, mood.error)
            return web.Response(status=int(mood.error), text="<html>Slack is not well</html>", content_type="text/html")
        if request.content_type == "application/json" and method in NO_JSON:
            self._workspace.violated(method, ["it takes no JSON: what was sent is not read"])
        answer = self._done(request, method, args, given, mood)
        self._note(method, args, "hang" if mood.hang is not None else "ok" if answer["ok"] else str(answer["error"]))
        if mood.hang is not None:
            return await cut(request, self.over, mood.hang)
        return self._say(request, answer)

    def _done(self, request: web.Request, method: str, args: Arguments, token: str, mood: Mood) -> Json:
        """The method's answer. One that will hang is done all the same: at-least-once is for the app to find out."""
        try:
            if mood.error:
                raise No(mood.error)
            if method not in METHODS and method != OPEN:
                raise No("unknown_method", req_method=method)
            self._authorized(request, method, token)
            if method == OPEN:
                return {"ok": True, "url": self._sockets.ticket()}
            METHODS[method].allowed(self._workspace.scopes)
            answer = METHODS[method].do(self._workspace, args)
        except No as no:
            return no.answer
        if "upload_url" in answer:
            answer["upload_url"] = self.base + answer["upload_url"]
        return answer

    def _authorized(self, request: web.Request, method: str, token: str) -> None:
        kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = bearer.strip() if kind == "Bearer" else "" if method == OPEN else token
        if not token:
            if method == "api.test":
                return
            raise No("not_authed")
        if token not in (self._workspace.bot_token, self._workspace.app_token):
            raise No("invalid_auth")
        if (token == self._workspace.app_token) != (method == OPEN):
            raise No("not_allowed_token_type")

    def _say(self, request: web.Request, answer: Json) -> web.Response:
        if request.content_type == "application/json" and request.charset is None:
            answer = {**answer, "warning": "missing_charset"}
            answer["response_metadata"] = {**answer.get("response_metadata", {}), "warnings": ["missing_charset"]}
        scopes = ",".join(sorted(self._workspace.scopes))
        return web.json_response(answer, headers={"x-oauth-scopes": scopes, "x-slack-req-id": self._workspace.id("req")})

    def _note(self, method: str, args: Arguments, answered: str) -> None:
        self._workspace.calls.append(Call(method, time.monotonic(), dict(args), answered))

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes, as they are or as a form's one file."""
        file = self._workspace.files.get(request.match_info["file"])
        if request.content_type.startswith("multipart/"):
            parts = [each for each in (await request.post()).values() if isinstance(each, web.FileField)]
            content = parts[0].file.read() if parts else b""
        else:
            content = await request.read()
        mood = self._moods.take("upload")
        good = file is not None and len(content) == file.length and not mood.error and not mood.retry_after
        if good and file is not None:
            file.bytes = content
        status = 429 if mood.retry_after else 200 if good else int(mood.error) if mood.error.isdecimal() else 500
        said = "hang" if mood.hang is not None else "ok" if good else str(status)
        self._note("upload", Arguments(file=request.match_info["file"], bytes=len(content)), said)
        if mood.hang is not None:
            return await cut(request, self.over, mood.hang)
        headers = {"Retry-After": str(mood.retry_after)} if mood.retry_after else {}
        return web.Response(status=status, text=f"OK - {len(content)}" if good else "upload failed", headers=headers)


async def cut(request: web.Request, over: asyncio.Event, seconds: float) -> web.Response:
    """No answer, ever: the connection goes after this time, or when the server does."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # nobody gets it
