"""The notifiers that the settings name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from activities.notifiers.notifier import Notifier
from activities.notifiers.opsgenie import OpsgenieNotifier
from activities.notifiers.pagerduty import PagerDutyNotifier
from activities.notifiers.slack import SlackNotifier
from activities.notifiers.terminal import TerminalNotifier
from activities.notifiers.webhook import WebhookNotifier
from gameday.notify import NotifierSettings

if TYPE_CHECKING:
    import httpx


def named(settings: Mapping[str, NotifierSettings], http: httpx.AsyncClient, clock: Callable[[], float] = time.time) -> dict[str, Notifier]:
    """Each notifier by its name; `about` says what it is for."""
    found = {name: _built(each, http, clock) for name, each in settings.items()}
    for name, notifier in found.items():
        notifier.about = frozenset(settings[name].about)
    return found


def _built(settings: NotifierSettings, http: httpx.AsyncClient, clock: Callable[[], float]) -> Notifier:
    if settings.webhook is not None:
        return WebhookNotifier(settings.webhook, http, clock)
    if settings.pagerduty is not None:
        return PagerDutyNotifier(settings.pagerduty, http, clock)
    if settings.opsgenie is not None:
        return OpsgenieNotifier(settings.opsgenie, http, clock)
    if settings.slack is not None:
        return SlackNotifier(settings.slack, http, clock)
    return TerminalNotifier()
