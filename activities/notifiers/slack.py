"""`slack`: a message in a channel for each notice, for those who have no pager; `gameday slack` need not run for it.

Source: Slack's Web API, `chat.postMessage`: 200 with `ok: false` and an error where it was not taken, 429 with `Retry-After`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from activities.notifiers.notifier import Notifier, NotSent
from activities.notifiers.posting import post, revealed
from gameday.model import one_line
from gameday.notice import Notice, Severity
from gameday.notify import SlackChannelSettings

if TYPE_CHECKING:
    import httpx

SIGNS = {Severity.CRITICAL: "🔴", Severity.ERROR: "🟠", Severity.WARNING: "🟡", Severity.INFO: "🟢"}
PAUSE = 30.0
"""Seconds until the next try where Slack says no: whoever looks after the app can mend it meanwhile."""


class SlackNotifier(Notifier):
    """Posts. A retry that follows a lost answer posts twice: Slack knows no id of ours."""

    kind = "slack"

    def __init__(self, settings: SlackChannelSettings, http: httpx.AsyncClient, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._http, self._clock = settings, http, clock

    async def send(self, notice: Notice) -> None:
        token = revealed(self._settings.bot_token)
        url, headers = f"{self._settings.base_url}/chat.postMessage", {"Authorization": f"Bearer {token}"}
        body = json.dumps({"channel": self._settings.channel, "text": _text(notice), "unfurl_links": False})
        answer = await post(self._http, url, body, headers, self._clock(), token)
        try:
            said = json.loads(answer.body)
        except ValueError:
            raise NotSent("Slack's answer cannot be read", after=PAUSE) from None
        if not isinstance(said, dict) or said.get("ok") is not True:
            error = one_line(str(said.get("error")) if isinstance(said, dict) else "no answer", 60).replace(token, "…")
            raise NotSent(f"Slack says {error}", after=PAUSE, final=error in ("msg_too_long", "no_text"))


def _text(notice: Notice) -> str:
    """As text of others: nothing in it is a mention or a link."""
    called = [f"Called: {', '.join(notice.to)}"] if notice.to else []
    text = "\n".join([f"{SIGNS[notice.severity]} {notice.text}", *(f"• {each}" for each in notice.details), *called])
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
