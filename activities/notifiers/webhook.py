"""`webhook`: an HTTP server of your own gets each notice as JSON, signed.

    X-Gameday-Timestamp: 1781784000
    X-Gameday-Signature: v1=<hex of HMAC-SHA256, keyed with the secret, of "1781784000." and the body>
    X-Gameday-Notice: <id>    the same when it comes twice

The time is signed too, so that an old call cannot be played again: refuse what is older than a few minutes. docs/settings.md shows the check.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from activities.notifiers.notifier import Notifier
from activities.notifiers.posting import post, revealed
from gameday.notice import Notice
from gameday.notify import WebhookSettings

if TYPE_CHECKING:
    import httpx


def signature(secret: str, timestamp: str, body: str) -> str:
    """What the header must say. Source: RFC 2104; the form is that of Slack's signed requests."""
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()


class WebhookNotifier(Notifier):
    """Posts the notice as it is."""

    kind = "webhook"

    def __init__(self, settings: WebhookSettings, http: httpx.AsyncClient, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._http, self._clock = settings, http, clock

    async def send(self, notice: Notice) -> None:
        secret, now, body = revealed(self._settings.secret), self._clock(), notice.model_dump_json()
        timestamp = str(int(now))
        headers = {
            "X-Gameday-Timestamp": timestamp,
            "X-Gameday-Signature": signature(secret, timestamp, body),
            "X-Gameday-Notice": notice.id.encode("ascii", "replace").decode(),
        }
        await post(self._http, self._settings.url, body, headers, now, secret)
