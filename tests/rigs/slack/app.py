"""An app for the rig's own tests, on Slack's own clients."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from tests.rigs.slack.acting import Slack
from tests.rigs.slack.server import Loop

Json = dict[str, Any]


class App:
    """An app as products write them, with a loop of its own: Slack's own clients, and an answer for each thing that it is told."""

    def __init__(self, slack: Slack) -> None:
        self._loop, self._clients = Loop("app"), list[SocketModeClient]()
        self._web = self._loop.do(AsyncWebClient, token=slack.bot_token, base_url=slack.base_url, retry_handlers=[])
        self._app_token = slack.app_token
        self.heard: deque[SocketModeRequest] = deque()
        self.answers: dict[str, Json] = {}
        self.deaf = 0
        """How many more it takes without a word."""

    def call(self, method: str, **args: Any) -> Any:
        async def done() -> Any:
            return (await self._web.api_call(method, json=args)).data

        return self._loop.run(done())

    def form(self, method: str, **args: Any) -> Any:
        async def done() -> Any:
            return (await getattr(self._web, method)(**args)).data

        return self._loop.run(done())

    def refused(self, method: str, **args: Any) -> str:
        with pytest.raises(SlackApiError) as no:
            self.call(method, **args)
        return str(no.value.response["error"])

    def connect(self, times: int = 1) -> None:
        async def done() -> None:
            for _ in range(times):
                client = SocketModeClient(self._app_token, web_client=self._web, ping_interval=0.5)
                client.socket_mode_request_listeners.append(self._hear)
                self._clients.append(client)
                await client.connect()  # type: ignore[no-untyped-call]

        self._loop.run(done())

    async def _hear(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.heard.append(request)
        if self.deaf:
            self.deaf -= 1
        else:
            kind = request.payload.get("type", request.type)
            payload = self.answers.get(kind)
            await client.send_socket_mode_response({"envelope_id": request.envelope_id, **({"payload": payload} if payload else {})})

    def close(self) -> None:
        async def done() -> None:
            for client in self._clients:
                await client.close()  # type: ignore[no-untyped-call]

        self._loop.run(done())
        self._loop.close()
