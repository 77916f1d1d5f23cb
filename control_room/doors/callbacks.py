"""Signed HTTP callbacks: `/slack/events`, `/slack/interactive`, `/slack/commands`. What is not signed by Slack, stale or junk is a 4xx and a line.

Source: docs.slack.dev, *Verifying requests from Slack*.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from control_room.payloads import MOST_BYTES, Junk
from control_room.reception import Reception

PLACES = {"/slack/events": "events_api", "/slack/interactive": "interactive", "/slack/commands": "slash_commands"}
READ_WITHIN = 5.0
"""Seconds that a body may take to come in. Slack waits for three."""

log = logging.getLogger(__name__)


class Callbacks:
    def __init__(self, signing_secret: str, reception: Reception) -> None:
        self._verifier, self._reception = SignatureVerifier(signing_secret), reception

    async def take(self, request: web.Request) -> web.Response:
        if "Content-Encoding" in request.headers:
            return self._refuse(request, 415, "Slack compresses nothing")
        try:
            async with asyncio.timeout(READ_WITHIN):
                body = await _read(request)
        except TimeoutError:
            return self._refuse(request, 408, f"it was not there whole after {READ_WITHIN:.0f} s")
        if body is None:
            return self._refuse(request, 413, f"more than {MOST_BYTES} bytes")
        if not _is_text(body):
            return self._refuse(request, 400, "it is no UTF-8 text")
        if not self._is_signed(request.headers, body):
            return self._refuse(request, 401, "its signature is not Slack's, or is older than five minutes")
        kind = PLACES[request.path]
        try:
            payload = _payload(kind, body)
            if kind == "events_api" and payload.get("type") == "url_verification":
                return web.json_response({"challenge": str(payload.get("challenge", ""))[:200]})
            answer = self._reception.take(kind, payload)
        except Junk as junk:
            return self._refuse(request, 400, str(junk))
        return web.json_response(answer) if answer else web.Response()

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Over the raw body, within 300 s."""
        stamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or not signature.isascii():
            return False
        return self._verifier.is_valid(body=body, timestamp=stamp, signature=signature)

    def _refuse(self, request: web.Request, status: int, why: str) -> web.Response:
        log.warning("%s: %d, %s", request.path, status, why)
        return web.Response(status=status)


async def _read(request: web.Request) -> bytes | None:
    """The raw body; None for one that is too large, which is not read to its end."""
    read = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        read += chunk
        if len(read) > MOST_BYTES:
            return None
    return bytes(read)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _payload(kind: str, body: bytes) -> dict[str, Any]:
    try:
        if kind == "events_api":
            found = json.loads(body)
        else:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
            found = json.loads(fields["payload"]) if kind == "interactive" else fields
    except (ValueError, KeyError, RecursionError):
        raise Junk(f"{kind}: this cannot be read") from None
    if not isinstance(found, dict):
        raise Junk(f"{kind}: this is no object")
    return found


@asynccontextmanager
async def served(listen: str, signing_secret: str, reception: Reception, said: Callable[[str], None]) -> AsyncIterator[None]:
    """A server of callbacks, for as long as this lasts.

    Args:
        said: is told the address once it listens.
    """
    callbacks = Callbacks(signing_secret, reception)
    app = web.Application(client_max_size=2 * MOST_BYTES)
    for place in PLACES:
        app.router.add_post(place, callbacks.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        said(f"http://{host}:{runner.addresses[0][1]}")
        yield
    finally:
        await runner.cleanup()
