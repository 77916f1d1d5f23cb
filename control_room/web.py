"""Slack's Web API as the control room uses it: one call, and one kind of failure that says whether and when to try again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

TIMEOUT = 10.0
"""Seconds that a call may take."""
SLACKS_OWN = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Where Slack takes answers to what somebody did."""
PASSING = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""Errors of Slack's own that pass."""


class SlackSaysNo(Exception):
    """A call that Slack did not take.

    `final`: trying again would not mend it. `after`: seconds that it asks to be left alone. `unsure`: it may have been done all the same.
    """

    def __init__(self, method: str, error: str, final: bool = False, after: float = 0.0, unsure: bool = False) -> None:
        super().__init__(f"{method}: {error}")
        self.error, self.final, self.after, self.unsure = error, final, after, unsure


class Web:
    """The Web API with the bot's token."""

    def __init__(self, token: str, base_url: str) -> None:
        self._client = AsyncWebClient(token=token, base_url=base_url.rstrip("/") + "/", timeout=int(TIMEOUT), retry_handlers=[])
        self._hosts = SLACKS_OWN | {urlsplit(base_url).netloc}

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Slack's answer.

        Raises:
            SlackSaysNo: it was not taken, or nobody knows.
        """
        given = {key: value for key, value in arguments.items() if value is not None}
        try:
            answer = await asyncio.wait_for(self._client.api_call(method, json=given), TIMEOUT)
        except SlackApiError as error:
            raise _refused(method, error) from None
        except (TimeoutError, aiohttp.ClientError, SlackClientError, OSError) as error:
            never = isinstance(error, aiohttp.ClientConnectorError)
            raise SlackSaysNo(method, f"Slack does not answer ({type(error).__name__})", unsure=not never) from None
        data = answer.data
        assert isinstance(data, dict)  # of every method that is called here
        return {**data, "_headers": {key.lower(): value for key, value in answer.headers.items()}}

    async def form(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The same for methods that take no JSON."""
        given = {key: str(value).lower() if isinstance(value, bool) else value for key, value in arguments.items() if value is not None}
        try:
            answer = await asyncio.wait_for(self._client.api_call(method, data=given), TIMEOUT)
        except SlackApiError as error:
            raise _refused(method, error) from None
        except (TimeoutError, aiohttp.ClientError, SlackClientError, OSError) as error:
            raise SlackSaysNo(method, f"Slack does not answer ({type(error).__name__})") from None
        assert isinstance(answer.data, dict)
        return answer.data

    async def pages(self, method: str, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        """The answers of a method that tells a list in parts.

        Raises:
            SlackSaysNo: it was not taken.
        """
        cursor: str | None = None
        while True:
            answer = await self.form(method, cursor=cursor, **arguments)
            yield answer
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    async def answer(self, url: str, text: str, **more: Any) -> None:
        """A private answer to what somebody did, where Slack said that it takes one.

        Raises:
            SlackSaysNo: it was not taken, or the address is none of Slack's.
        """
        if urlsplit(url).netloc not in self._hosts:
            raise SlackSaysNo("response_url", "this is no address of Slack's", final=True)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        body = {"response_type": "ephemeral", "replace_original": False, "text": text, **more}
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise _status("response_url", response)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise SlackSaysNo("response_url", f"Slack does not answer ({type(error).__name__})") from None

    async def upload(self, name: str, title: str, content: bytes, channel: str, thread: str | None) -> None:
        """A file into a channel, or a thread of it.

        Raises:
            SlackSaysNo: it was not taken.
        """
        place = await self.form("files.getUploadURLExternal", filename=name, length=len(content))
        timeout = aiohttp.ClientTimeout(total=30)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(place["upload_url"], data=content) as response:
                if response.status != 200:
                    raise _status("upload", response)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise SlackSaysNo("upload", f"Slack does not answer ({type(error).__name__})") from None
        files = [{"id": place["file_id"], "title": title}]
        await self.call("files.completeUploadExternal", files=files, channel_id=channel, thread_ts=thread)


def _refused(method: str, error: SlackApiError) -> SlackSaysNo:
    response = error.response
    status = getattr(response, "status_code", 0)
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    said = str(data.get("error") or f"status {status}")
    if status == 429 or said in ("ratelimited", "rate_limited"):
        return SlackSaysNo(method, "asks for a pause", after=_seconds(response.headers.get("Retry-After") or response.headers.get("retry-after")))
    if status >= 500 or said in PASSING:
        return SlackSaysNo(method, said, unsure=True)
    why = "; ".join(map(str, (data.get("response_metadata") or {}).get("messages") or ()))
    needs = f" (it needs {data['needed']})" if "needed" in data else ""
    return SlackSaysNo(method, f"{said}{needs}{f': {why}' if why else ''}"[:600], final=True)


def _status(method: str, response: aiohttp.ClientResponse) -> SlackSaysNo:
    """Of an address that answers with no words."""
    if response.status == 429:
        return SlackSaysNo(method, "asks for a pause", after=_seconds(response.headers.get("Retry-After")))
    return SlackSaysNo(method, f"status {response.status}", final=response.status < 500)


def _seconds(text: object) -> float:
    try:
        return min(max(float(str(text)), 1.0), 3600.0)
    except ValueError:
        return 1.0
