"""The shop's monitor: watches it, and tells of alerts the way Alertmanager does.

    GET /api/v2/alerts   the alerts that fire now
    GET /-/ready         200 once it has looked at the shop

It stands in for a Prometheus with two alerting rules and an Alertmanager behind it. The real ones come as Debian
packages, which only root can install, and the shop is for a plain user. What a client sees is Alertmanager's own API,
with its names and its shapes; silences, grouping and the rest of that API are not here.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from demo.service import arguments, serve

POLL_EVERY = 0.5
POLL_TIMEOUT = aiohttp.ClientTimeout(total=0.5)

DOWN_AFTER = 3.0
"""Seconds without an answer from the primary ledger until LedgerDown fires."""

ERROR_WINDOW = 5.0
ERROR_SHARE = 0.2
"""Share of 5xx answers over the window above which CheckoutErrors fires."""


@dataclass
class Alert:
    """One alerting rule, and since when it fires."""

    name: str
    severity: str
    summary: str
    fires_since: datetime | None = None

    def update(self, fires: bool) -> None:
        """Takes the rule's latest outcome."""
        if not fires:
            self.fires_since = None
        elif self.fires_since is None:
            self.fires_since = datetime.now(UTC)

    def as_json(self, generator: str) -> dict[str, Any]:
        """The alert as Alertmanager shows it. Only for one that fires."""
        assert self.fires_since is not None
        now = datetime.now(UTC)
        labels = {"alertname": self.name, "severity": self.severity}
        return {
            "labels": labels,
            "annotations": {"summary": self.summary},
            "startsAt": _timestamp(self.fires_since),
            # Prometheus promises each alert for a little while at a time, and renews the promise while it fires.
            "endsAt": _timestamp(now + timedelta(seconds=4 * POLL_EVERY)),
            "updatedAt": _timestamp(now),
            "status": {"state": "active", "inhibitedBy": [], "silencedBy": []},
            "fingerprint": hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16],
            "receivers": [{"name": "shop"}],
            "generatorURL": generator,
        }


class ErrorShare:
    """The share of 5xx answers over the last few seconds, from two counters read now and then."""

    def __init__(self, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts with nothing read."""
        self._window = window
        self._clock = clock
        self._readings: deque[tuple[float, float, float]] = deque()

    def add(self, requests: float, errors: float) -> None:
        """Takes a reading, and forgets those that are no longer needed."""
        now = self._clock()
        self._readings.append((now, requests, errors))
        while len(self._readings) > 2 and self._readings[1][0] <= now - self._window:
            self._readings.popleft()

    @property
    def value(self) -> float:
        """Between 0 and 1; 0 if there was no request."""
        if not self._readings:
            return 0.0
        (_, requests, errors), (_, requests_now, errors_now) = self._readings[0], self._readings[-1]
        return (errors_now - errors) / max(1.0, requests_now - requests)


class Monitor:
    """Polls the shop, and keeps the two alerts."""

    def __init__(self, ledger: str, checkout: str) -> None:
        """Sets up a monitor of the primary ledger (asked directly, not through the proxy) and of checkout."""
        self._ledger = ledger
        self._checkout = checkout
        self._answered_at = time.monotonic()
        self._errors = ErrorShare(ERROR_WINDOW)
        self._ready = False
        self._down = Alert("LedgerDown", "critical", f"The primary ledger has not answered for {DOWN_AFTER:.0f} s")
        self._failing = Alert("CheckoutErrors", "critical", f"More than {ERROR_SHARE:.0%} of checkouts fail")

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Polls while the application runs."""
        task = asyncio.create_task(self._keep_polling())
        yield
        task.cancel()

    async def alerts(self, request: web.Request) -> web.Response:
        """Answers GET /api/v2/alerts."""
        firing = [alert for alert in (self._down, self._failing) if alert.fires_since is not None]
        return web.json_response([alert.as_json(str(request.url.origin())) for alert in firing])

    async def ready(self, _request: web.Request) -> web.Response:
        """Answers GET /-/ready."""
        return web.Response(text="ready\n" if self._ready else "not yet\n", status=200 if self._ready else 503)

    async def _keep_polling(self) -> None:
        async with aiohttp.ClientSession(timeout=POLL_TIMEOUT) as session:
            while True:
                await asyncio.gather(self._poll_ledger(session), self._poll_checkout(session))
                self._ready = True
                await asyncio.sleep(POLL_EVERY)

    async def _poll_ledger(self, session: aiohttp.ClientSession) -> None:
        if await _get(session, f"{self._ledger}/health") is not None:
            self._answered_at = time.monotonic()
        self._down.update(time.monotonic() - self._answered_at >= DOWN_AFTER)

    async def _poll_checkout(self, session: aiohttp.ClientSession) -> None:
        text = await _get(session, f"{self._checkout}/metrics")
        if text is not None:
            self._errors.add(_total(text, "http_requests"), _total(text, "http_errors"))
        self._failing.update(self._errors.value > ERROR_SHARE)


async def _get(session: aiohttp.ClientSession, url: str) -> str | None:
    try:
        async with session.get(url) as answer:
            return await answer.text() if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


def _total(text: str, name: str) -> float:
    """The sum over all labels of the counter `name` in the exposition `text`."""
    families = text_string_to_metric_families(text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == f"{name}_total")


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def main() -> None:
    """Runs the monitor."""
    parser = arguments("monitor", __doc__)
    parser.add_argument("--ledger", required=True, help="the primary ledger's own URL")
    parser.add_argument("--checkout", required=True, help="checkout's URL")
    options = parser.parse_args()
    monitor = Monitor(options.ledger, options.checkout)
    app = web.Application()
    app.cleanup_ctx.append(monitor.running)
    app.add_routes([web.get("/api/v2/alerts", monitor.alerts), web.get("/-/ready", monitor.ready)])
    serve(app, options.name, options.announce)


if __name__ == "__main__":
    main()
