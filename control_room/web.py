"""Slack's Web API as the control room uses it: one call, and one kind of failure that says whether and when to try again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

TIMEOUT, UPLOAD_TIMEOUT = 10.0, 30.0
"""Seconds that a call may take, and a file."""
SLACKS_OWN = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Where Slack takes answers to what somebody did."""
PASSING = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""Errors of Slack's own that pass."""


class SlackSaysNo(Exception):
    """A call that Slack did not take, or that nobody knows of.

    `code`: the word, or the status, by which it was refused; empty where nobody said any. `after`: seconds that it asks to be left alone. `unsure`:
    it may have been done all the same.
    """

    def __init__(self, method: str, error: str, code: str = "", after: float = 0.0, unsure: bool = False) -> None:
        super().__init__(f"{method}: {error}")
        self.error, self.code, self.after, self.unsure = error, code, after, unsure

    @property
    def final(self) -> bool:
        """Whether trying again would not mend it: Slack itself has said so."""
        return bool(self.code) and self.code not in PASSING


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
        with _told_as_no(method):
            answer = await asyncio.wait_for(self._client.api_call(method, json=given), TIMEOUT)
        return {**_body(method, answer.data), "_headers": {key.lower(): value for key, value in answer.headers.items()}}

    async def form(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The same for methods that take no JSON."""
        given = {key: str(value).lower() if isinstance(value, bool) else value for key, value in arguments.items() if value is not None}
        with _told_as_no(method):
            answer = await asyncio.wait_for(self._client.api_call(method, data=given), TIMEOUT)
        return _body(method, answer.data)

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
            raise SlackSaysNo("response_url", "this is no address of Slack's")
        body = {"response_type": "ephemeral", "replace_original": False, "text": text, **more}
        await self._post("response_url", url, TIMEOUT, json=body)

    async def upload(self, name: str, title: str, content: bytes, channel: str, thread: str | None) -> None:
        """A file into a channel, or a thread of it.

        Raises:
            SlackSaysNo: it was not taken.
        """
        place = await self.form("files.getUploadURLExternal", filename=name, length=len(content))
        await self._post("upload", place["upload_url"], UPLOAD_TIMEOUT, data=content)
        files = [{"id": place["file_id"], "title": title}]
        await self.call("files.completeUploadExternal", files=files, channel_id=channel, thread_ts=thread)

    async def _post(self, what: str, url: str, seconds: float, **content: Any) -> None:
        """To an address that Slack has given us, and that answers with no words."""
        timeout = aiohttp.ClientTimeout(total=seconds)
        with _told_as_no(what):
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, allow_redirects=False, **content) as response:
                if response.status == 429:
                    raise SlackSaysNo(what, "asks for a pause", after=_seconds(response.headers.get("Retry-After")))
                if response.status != 200:
                    passing = response.status >= 500
                    raise SlackSaysNo(what, f"status {response.status}", "" if passing else str(response.status), unsure=passing)


@contextmanager
def _told_as_no(method: str) -> Iterator[None]:
    """Whatever goes wrong in a call, as one kind of failure."""
    try:
        yield
    except SlackApiError as error:
        raise _refused(method, error) from None
    except (TimeoutError, aiohttp.ClientError, SlackClientError, OSError) as error:
        never = isinstance(error, aiohttp.ClientConnectorError)
        raise SlackSaysNo(method, f"Slack does not answer ({type(error).__name__})", unsure=not never) from None
    except (AttributeError, TypeError, ValueError):  # the library expects nothing but Slack's own JSON
        raise _not_slack(method) from None


def _body(method: str, data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _not_slack(method)
    return data


def _not_slack(method: str) -> SlackSaysNo:
    return SlackSaysNo(method, "what answers is not Slack: a proxy, or another server", unsure=True)


def _refused(method: str, error: SlackApiError) -> SlackSaysNo:
    response = error.response
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    status, code = getattr(response, "status_code", 0), str(data.get("error") or "")
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return SlackSaysNo(method, "asks for a pause", after=_seconds(response.headers.get("Retry-After") or response.headers.get("retry-after")))
    if not code:
        return _not_slack(method)
    if status >= 500 or code in PASSING:
        return SlackSaysNo(method, code, unsure=True)
    why = "; ".join(map(str, (data.get("response_metadata") or {}).get("messages") or ()))
    needs = f" (it needs {data['needed']})" if "needed" in data else ""
    return SlackSaysNo(method, f"{code}{needs}{f': {why}' if why else ''}"[:600], code)


def _seconds(text: object) -> float:
    try:
        return min(max(float(str(text)), 1.0), 3600.0)
    except ValueError:
        return 1.0
