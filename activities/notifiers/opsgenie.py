"""`opsgenie`: an alert for each notice, by its key as the alias; a fault that is proven gone at last closes its own.

Source: Opsgenie's Alert API, `POST /v2/alerts` and `POST /v2/alerts/{alias}/close?identifierType=alias`: 202 accepted, 422 an invalid alert,
429 and 5xx to be tried again; a message has at most 130 characters, an alias 512, a description 15,000, at most 20 tags of 50, details
8,000 in all, a source 100. An open alert with the same alias is counted up. Its makers end Opsgenie in April 2027.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from activities.notifiers.notifier import Notifier
from activities.notifiers.posting import post, revealed
from gameday.notice import Notice, Severity
from gameday.notify import About, OpsgenieSettings

if TYPE_CHECKING:
    import httpx

LONGEST_MESSAGE = 130
LONGEST_TAG = 50
_PRIORITY = {Severity.CRITICAL: "P1", Severity.ERROR: "P2", Severity.WARNING: "P3", Severity.INFO: "P5"}


class OpsgenieNotifier(Notifier):
    """Creates and closes."""

    kind = "opsgenie"

    def __init__(self, settings: OpsgenieSettings, http: httpx.AsyncClient, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._http, self._clock = settings, http, clock

    async def send(self, notice: Notice) -> None:
        key, url = revealed(self._settings.api_key), f"{self._settings.url}/v2/alerts"
        headers = {"Authorization": f"GenieKey {key}"}
        if notice.about is About.CLEAN:
            url, body = f"{url}/{quote(notice.key, safe='')}/close?identifierType=alias", {"source": "gameday", "note": notice.text}
        else:
            body = _alert(notice)
        await post(self._http, url, json.dumps(body), headers, self._clock(), key)


def _alert(notice: Notice) -> dict[str, Any]:
    described = [notice.text, *(f"- {each}" for each in notice.details)]
    shortened = notice.text if len(notice.text) <= LONGEST_MESSAGE else notice.text[: LONGEST_MESSAGE - 1] + "…"
    return {
        "message": shortened,
        "alias": notice.key,
        "description": "\n".join(described)[:15_000],
        "priority": _PRIORITY[notice.severity],
        "tags": [each[:LONGEST_TAG] for each in ("gameday", notice.about, notice.environment) if each],
        "details": {"run": notice.run_id, "call": ", ".join(notice.to)[:2000], "notice": notice.id, "at": notice.at.isoformat()},
        "entity": notice.playbook or "gameday",
        "source": "gameday",
    }
