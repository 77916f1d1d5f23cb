"""Servers that people are called by: a webhook that checks what is signed, and PagerDuty's and Opsgenie's own rules, as their documentation has them.

Each takes what the protocol allows and refuses the rest, as the real one does. `moods` has what it does first, one a request: a status,
a status with a `Retry-After`, `hang` or `close`; after them it takes everything that is right.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from tests.rigs.web import served

SECRET = "hush-9f3a61c2-webhook"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
API_KEY = "eb243592-faa2-4ba2-a551-1afdf565c889"
WINDOW = 300.0
"""Seconds that a signed time may be off."""

Mood = int | str | tuple[int, str]


@dataclass
class Pager:
    """What every rig shares: moods, and what was asked. `took` has what it accepted, in order."""

    secret: ClassVar[str]
    clock: Callable[[], float]
    moods: deque[Mood] = field(default_factory=deque)
    asked: int = 0
    took: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    url: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server goes away: what hangs ends then."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        body = await request.read()
        mood = self.moods.popleft() if self.moods else None
        if mood == "hang":
            await self.over.wait()
            return web.Response()  # nobody waits for it any more
        if mood == "close":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()  # nobody gets it
        if isinstance(mood, tuple):
            return web.Response(status=mood[0], headers={"Retry-After": mood[1]})
        if isinstance(mood, int):
            return web.Response(status=mood, headers={"Location": "/elsewhere"}, text=f"not now, whoever has {self.secret}")
        return self.judged(request, body)

    def judged(self, request: web.Request, body: bytes) -> web.Response:
        raise NotImplementedError

    def refuse(self, status: int, why: str) -> web.Response:
        self.refusals.append(why)
        return web.json_response({"message": why}, status=status)


class Hook(Pager):
    """A webhook's receiver: it checks the time and the signature before it believes anything."""

    secret = SECRET

    def judged(self, request: web.Request, body: bytes) -> web.Response:
        stamp = request.headers.get("X-Gameday-Timestamp", "")
        if not stamp.isdecimal() or abs(self.clock() - int(stamp)) > WINDOW:
            return self.refuse(401, f"the time {stamp} is not now")
        expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(request.headers.get("X-Gameday-Signature", ""), f"v1={expected}"):
            return self.refuse(401, "the signature does not fit")
        told = json.loads(body)
        if request.method != "POST" or request.headers["X-Gameday-Notice"] != told["id"] or request.content_type != "application/json":
            return self.refuse(400, "this is no notice")
        self.took.append(told)
        return web.Response(status=202)


class PagerDuty(Pager):
    """Source: Events API v2, `POST /v2/enqueue`; PD-CEF for what a payload must have."""

    secret = ROUTING_KEY

    @property
    def incidents(self) -> dict[str, list[str]]:
        """Summaries by the dedup key of each incident that is open."""
        found: dict[str, list[str]] = {}
        for event in self.took:
            if event["event_action"] == "trigger":
                found.setdefault(event["dedup_key"], []).append(event["payload"]["summary"])
            else:
                found.pop(event["dedup_key"], None)
        return found

    def judged(self, request: web.Request, body: bytes) -> web.Response:
        if (request.method, request.path) != ("POST", "/v2/enqueue"):
            return self.refuse(404, "there is nothing here")
        event = json.loads(body)
        errors = list(self.errors(event))
        if errors:
            self.refusals += errors
            return web.json_response({"status": "invalid event", "message": "Event object is invalid", "errors": errors}, status=400)
        self.took.append(event)
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}, status=202)

    def errors(self, event: dict[str, Any]) -> list[str]:
        action, payload = event.get("event_action"), event.get("payload", {})
        wrong = [] if event.get("routing_key") == ROUTING_KEY else [f"'routing_key' {event.get('routing_key')} is invalid"]
        wrong += [] if action in {"trigger", "acknowledge", "resolve"} else ["'event_action' is invalid"]
        wrong += [] if isinstance(event.get("dedup_key"), str) and 0 < len(event["dedup_key"]) <= 255 else ["'dedup_key' is missing or too long"]
        wrong += [f"there is no key {key}" for key in set(event) - {"routing_key", "event_action", "dedup_key", "payload", "client"}]
        if action != "trigger":
            return wrong
        wrong += [f"'payload.{key}' is missing or blank" for key in ("summary", "source", "severity") if not payload.get(key)]
        wrong += ["'payload.summary' is too long"] if len(payload.get("summary", "")) > 1024 else []
        wrong += [] if payload.get("severity") in {"critical", "error", "warning", "info"} else ["'payload.severity' is invalid"]
        with contextlib.suppress(ValueError):
            datetime.fromisoformat(payload.get("timestamp", ""))
            return wrong
        return [*wrong, "'payload.timestamp' is no ISO 8601"]


class Opsgenie(Pager):
    """Source: Alert API, create and close. `alerts` has the open ones by alias, each with how often it was sent."""

    secret = API_KEY

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.alerts: dict[str, int] = {}

    def judged(self, request: web.Request, body: bytes) -> web.Response:
        if request.headers.get("Authorization") != f"GenieKey {API_KEY}":
            return self.refuse(401, "Could not authenticate")
        alert = json.loads(body)
        alias = request.path.removeprefix("/v2/alerts/").removesuffix("/close")
        if request.method == "POST" and request.path == "/v2/alerts":
            wrong = self.errors(alert)
            if wrong:
                return self.refuse(422, wrong)
            self.alerts[alert["alias"]] = self.alerts.get(alert["alias"], 0) + 1
        elif request.method == "POST" and request.path.endswith("/close") and request.query.get("identifierType") == "alias":
            self.alerts.pop(alias, None)  # of one that there is not, the request fails later, and nobody is told
        else:
            return self.refuse(404, "there is nothing here")
        self.took.append(alert)
        return web.json_response({"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5c"}, status=202)

    def errors(self, alert: dict[str, Any]) -> str:
        limits = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}
        if not alert.get("message"):
            return "Message can not be empty."
        long = [key for key, most in limits.items() if len(alert.get(key, "")) > most]
        long += ["tags"] if len(alert["tags"]) > 20 or any(len(tag) > 50 for tag in alert["tags"]) else []
        long += ["details"] if sum(len(key) + len(value) for key, value in alert["details"].items()) > 8000 else []
        if long or alert["priority"] not in {"P1", "P2", "P3", "P4", "P5"}:
            return f"not valid: {long or 'priority'}"
        return ""


@contextlib.asynccontextmanager
async def paging(rig: Pager) -> AsyncIterator[Pager]:
    """The rig as a server on loopback."""
    async with served(rig.answer) as url:
        rig.url = url
        try:
            yield rig
        finally:
            rig.over.set()
