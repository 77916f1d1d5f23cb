"""Socket Mode: two WebSockets that we open, so that Slack needs no address of ours, and one is there while the other is renewed.

Source: docs.slack.dev, *Using Socket Mode*.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from control_room.payloads import Junk
from control_room.reception import Reception

CONNECTIONS = 2
PING_EVERY = 3.0
SAID_EVERY = 60.0
_SESSION = re.compile(r"s_[0-9]+")

log = logging.getLogger(__name__)


class _OneLine(logging.Filter):
    """The library tells each try to connect again with a traceback. What went wrong is in its message, and is told once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        said = _SESSION.sub("", record.getMessage())
        if record.created - self._told.get(said, 0.0) < SAID_EVERY:
            return False
        self._told = {each: at for each, at in self._told.items() if record.created - at < SAID_EVERY} | {said: record.created}
        return True


@asynccontextmanager
async def connected(app_token: str, base_url: str, reception: Reception) -> AsyncIterator[None]:
    """Connections that renew themselves, for as long as this lasts."""
    quiet = logging.getLogger("slack_sdk.control_room")
    quiet.addFilter(_OneLine())
    web = AsyncWebClient(base_url=base_url.rstrip("/") + "/", retry_handlers=[])

    async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        answer = None
        try:
            answer = reception.take(request.type, request.payload)
        except Junk as junk:
            log.warning("not taken: %s", junk)
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=answer))

    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            client = SocketModeClient(app_token=app_token, web_client=web, ping_interval=PING_EVERY, logger=quiet)
            client.socket_mode_request_listeners.append(take)
            stack.push_async_callback(client.close)
            await client.connect()  # type: ignore[no-untyped-call]
        yield
