"""Trying how people are called: is the secret there, does the server answer? Nobody is called, and nothing is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gameday.cli.diagnosis import Finding, Look

if TYPE_CHECKING:
    from gameday.notify import NotifierSettings
    from gameday.settings import Settings

PATIENCE = 3.0
"""Seconds that a server gets to answer; all are tried at once."""


def notifiers(known: Settings) -> Iterator[Finding]:
    """Every notifier that the settings name."""
    if not known.notify:
        yield Finding("ok", "notify", "the settings name nobody to call: [notify.NAME]")
    looks = [Look(partial(_notifier, name, each), partial(_silent, name), PATIENCE) for name, each in known.notify.items()]
    for look in looks:
        yield look.found()


def _silent(name: str, why: str) -> Finding:
    return Finding("no", "notify", f"{name}: {why}", f"see what stands in the way from here, or correct [notify.{name}]")


def _notifier(name: str, settings: NotifierSettings) -> Finding:
    kind, url, secret = _way(settings)
    if not url:
        return Finding("ok", "notify", f"{name}: the conductor's terminal or log")
    trouble = _missing(secret)
    if trouble:
        return Finding("part", "notify", f"{name}: {trouble} here; {kind} could call nobody", "it must be there for the conductor, `gameday worker`")
    if _proxied(url):
        return Finding("part", "notify", f"{name}: its secret is there; {kind} is reached by the proxy of this environment, which was not tried")
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    where = f"{parts.hostname}:{port}"
    try:
        socket.create_connection((parts.hostname or "", port), PATIENCE).close()
    except socket.gaierror:
        return _silent(name, f"the name of {where} does not resolve")
    except OSError as error:
        return _silent(name, f"{where} does not answer ({error.strerror or error})")
    return Finding("ok", "notify", f"{name}: its secret is there, and {kind} answers at {where}; nothing was sent")


def _way(settings: NotifierSettings) -> tuple[str, str, str]:
    """Of a notifier: what it is, where it is, and the reference to its secret."""
    if settings.webhook:
        return "webhook", settings.webhook.url, settings.webhook.secret
    if settings.pagerduty:
        return "PagerDuty", settings.pagerduty.url, settings.pagerduty.routing_key
    if settings.opsgenie:
        return "Opsgenie", settings.opsgenie.url, settings.opsgenie.api_key
    if settings.slack:
        return "Slack", settings.slack.base_url, settings.slack.bot_token
    return "terminal", "", ""


def _missing(reference: str) -> str:
    """Why a secret cannot be used; empty when it can. The secret itself is let go at once."""
    from activities.secrets import SecretMissing, reveal

    try:
        reveal(reference)
    except SecretMissing as error:
        return str(error)
    return ""


def _proxied(url: str) -> bool:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    return bool({"all", parts.scheme} & set(getproxies())) and not proxy_bypass(parts.hostname or "")
