"""Signed HTTP callbacks, as Slack sends them to an app without Socket Mode.

Source: docs.slack.dev, *Verifying requests from Slack*, *Slash commands*, *Interaction payloads*, *Events API*.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from tests.rigs.slack.delivery import COMMANDS, EVENTS, Delivery, Taken
from tests.rigs.slack.things import Json

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


def signed(secret: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """The headers that prove that a body is Slack's."""
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}


def request_of(delivery: Delivery) -> tuple[str, str, bytes]:
    """Path, content type and raw body."""
    if delivery.kind == COMMANDS:
        return "/slack/commands", FORM, urlencode(delivery.payload).encode()
    if delivery.kind == EVENTS:
        return "/slack/events", JSON, json.dumps(delivery.payload).encode()
    return "/slack/interactive", FORM, urlencode({"payload": json.dumps(delivery.payload)}).encode()


class Callbacks:
    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret
        self.patience = 3.0
        self.base: str | None = None

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Taken:
        path, kind, body = request_of(delivery)
        headers = {"Content-Type": kind, "User-Agent": AGENT, "Accept": "application/json,*/*", **signed(self._secret, body)}
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        sent = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.patience)) as session,
                session.post(f"{self.base}{path}", data=body, headers=headers, allow_redirects=False) as response,
            ):
                answer, took = _answer(await response.read()), time.monotonic() - sent
                if not 200 <= response.status < 300:
                    final = response.headers.get("X-Slack-No-Retry") == "1"
                    return Taken(status=response.status, answer=answer, failed="http_error", final=final)
                return Taken(took, response.status, answer)
        except TimeoutError:
            return Taken(failed="http_timeout")
        except (aiohttp.ClientError, OSError):
            return Taken(failed="connection_failed")


def _answer(body: bytes) -> Json | None:
    """A JSON object, or text, which is a message's."""
    if not body.strip():
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return {"text": body.decode(errors="replace")}
    return found if isinstance(found, dict) else {"text": str(found)}
