"""Socket Mode: tickets, up to ten WebSockets, and envelopes that are to be acknowledged within three seconds.

Source: docs.slack.dev, *Using Socket Mode*; frames as slack-go's and bolt's logs show them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
import uuid

from aiohttp import WSMsgType, web

from tests.rigs.slack.delivery import EVENTS, INTERACTIVE, Delivery, Taken
from tests.rigs.slack.things import Json
from tests.rigs.slack.workspace import Workspace

MOST = 10
TICKET_LASTS = 30.0
PING_EVERY = 10.0
GOODBYE = 1.0
"""Seconds that an app has to close its side as well."""
HOST = "applink-1"


class Sockets:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.base, self.patience = "", 3.0
        self.opened = 0
        """How many there have been."""
        self.open: dict[web.WebSocketResponse, asyncio.Transport | None] = {}
        self._tickets: dict[str, float] = {}
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}
        self._turn = 0

    def ticket(self) -> str:
        """A URL that lets in one connection, once."""
        made = secrets.token_urlsafe(16)
        self._tickets[made] = time.monotonic()
        return f"{self.base.replace('http', 'ws', 1)}/link/?ticket={made}&app_id={self._workspace.app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        at = self._tickets.pop(request.query.get("ticket", ""), None)
        if at is None or time.monotonic() - at > TICKET_LASTS:
            return web.Response(status=404)
        socket = web.WebSocketResponse(autoping=False, timeout=GOODBYE)
        await socket.prepare(request)
        if len(self.open) >= MOST:
            await self._bye(socket, "too_many_websockets")
            return socket
        self.open[socket] = request.transport
        self.opened += 1
        pings = asyncio.create_task(_ping(socket))
        try:
            await socket.send_json(self._hello())
            await self._hear(socket)
        finally:
            pings.cancel()
            self.open.pop(socket, None)
        return socket

    def _hello(self) -> Json:
        about = {"host": HOST, "build_number": 1, "approximate_connection_time": 18060}
        return {"type": "hello", "num_connections": len(self.open), "debug_info": about, "connection_info": {"app_id": self._workspace.app_id}}

    async def _hear(self, socket: web.WebSocketResponse) -> None:
        async for frame in socket:
            if frame.type == WSMsgType.PING:
                with contextlib.suppress(ConnectionError):
                    await socket.pong(frame.data)
            elif frame.type == WSMsgType.TEXT:
                self._acked(frame.data)

    def _acked(self, text: str) -> None:
        try:
            body = json.loads(text)
            name, payload = str(body["envelope_id"]), body.get("payload")
        except (ValueError, TypeError, KeyError, AttributeError):
            self._workspace.violated("socket", [f"this acknowledges nothing: {text[:200]}"])
            return
        waiting = self._waiting.pop(name, None)
        if waiting is not None and not waiting.done():  # one that comes too late counts for nothing
            waiting.set_result(payload)

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Taken:
        """Sends it over one of the connections, and waits for its acknowledgement, over whichever."""
        if not self.open:
            return Taken(failed="connection_failed")
        self._turn += 1
        socket = list(self.open)[self._turn % len(self.open)]
        envelope_id = str(uuid.uuid4()) if delivery.kind == EVENTS else delivery.envelope_id
        waiting = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        sent = time.monotonic()
        try:
            await socket.send_json(self._envelope(delivery, envelope_id, number, reason))
            answer = await asyncio.wait_for(waiting, self.patience)
        except (TimeoutError, ConnectionError):
            return Taken(failed="timeout")
        finally:
            self._waiting.pop(envelope_id, None)
        if answer and not _takes_answer(delivery):
            self._workspace.violated("socket", [f"an acknowledgement of {delivery.payload.get('type', delivery.kind)} takes no payload"])
        return Taken(time.monotonic() - sent, answer=answer)

    def _envelope(self, delivery: Delivery, envelope_id: str, number: int, reason: str) -> Json:
        envelope = {
            "envelope_id": envelope_id,
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": _takes_answer(delivery),
        }
        return envelope | ({"retry_attempt": number, "retry_reason": reason} if delivery.kind == EVENTS else {})

    async def disconnect(self, reason: str) -> None:
        """Slack's own goodbye. After a warning the connection lives on for a while, which is left to the caller."""
        for socket in list(self.open):
            await self._bye(socket, reason)

    async def _bye(self, socket: web.WebSocketResponse, reason: str) -> None:
        with contextlib.suppress(ConnectionError):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}})
            if reason != "warning":
                self.open.pop(socket, None)
                await socket.close()

    def drop(self) -> int:
        """Cuts every connection, without a word."""
        cut, self.open = self.open, {}
        for transport in cut.values():
            if transport is not None:
                transport.abort()
        return len(cut)


def _takes_answer(delivery: Delivery) -> bool:
    """Slack takes an answer to commands and to modals; a button's says nothing but that it came in."""
    return delivery.kind == "slash_commands" or (delivery.kind == INTERACTIVE and delivery.payload["type"] == "view_submission")


async def _ping(socket: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.ping(f"Ping from {HOST}".encode())
            await asyncio.sleep(PING_EVERY)
