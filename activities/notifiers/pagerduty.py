"""`pagerduty`: an incident for each notice, by its key; a fault that is proven gone at last resolves its own.

Source: PagerDuty's Events API v2, `POST /v2/enqueue`: 202 accepted, 400 an invalid event, 429 and 5xx to be tried again; a routing key
has 32 characters, a summary at most 1,024, a dedup key at most 255. A resolve whose incident there is not is passed over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from activities.notifiers.notifier import Notifier
from activities.notifiers.posting import post, revealed
from gameday.notice import Notice
from gameday.notify import About, PagerDutySettings

if TYPE_CHECKING:
    import httpx

LONGEST_SUMMARY = 1024


class PagerDutyNotifier(Notifier):
    """Triggers and resolves."""

    kind = "pagerduty"

    def __init__(self, settings: PagerDutySettings, http: httpx.AsyncClient, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._http, self._clock = settings, http, clock

    async def send(self, notice: Notice) -> None:
        key = revealed(self._settings.routing_key)
        event: dict[str, Any] = {"routing_key": key, "dedup_key": notice.key}
        event |= {"event_action": "resolve"} if notice.about is About.CLEAN else {"event_action": "trigger", **_trigger(notice)}
        await post(self._http, f"{self._settings.url}/v2/enqueue", json.dumps(event), {}, self._clock(), key)


def _trigger(notice: Notice) -> dict[str, Any]:
    details = {"run": notice.run_id, "call": list(notice.to), "details": list(notice.details), "notice": notice.id}
    payload = {
        "summary": notice.text[:LONGEST_SUMMARY],
        "source": notice.environment or "gameday",
        "severity": notice.severity,
        "timestamp": notice.at.isoformat(),
        "component": notice.playbook or "gameday",
        "group": notice.run_id,
        "class": notice.about,
        "custom_details": details,
    }
    return {"client": "gameday", "payload": payload}
