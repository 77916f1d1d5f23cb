"""`[notify.NAME]` of the settings: how people are called, and about what. Secrets are references; no message repeats what was written instead."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gameday.model import Model, Name
from gameday.rooms import SlackChannel

_SECRET = re.compile(r"secret://(env/[A-Za-z_][A-Za-z0-9_]*|file/[^\s\x00-\x1f]{1,400})")
_URL = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[!-~]*)?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?(/[!-~]*)?")
_LONGEST_URL = 1900


class About(StrEnum):
    """What people are called about."""

    DIRTY = "dirty"
    CLEAN = "clean"
    ABORTED = "aborted"
    BREACH = "breach"
    PRESENCE = "presence"
    REAL = "real"
    ALERT = "alert"


def _secret(value: object) -> object:
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        raise ValueError("a secret is never written here, only where it is; expected secret://env/NAME or secret://file/PATH")
    return value


def _url(value: object) -> object:
    """An address that may itself be a secret, as many a webhook's is: it is not repeated."""
    if not isinstance(value, str) or len(value) > _LONGEST_URL or not _URL.fullmatch(value):
        raise ValueError("this is no http address, or has a user name or a password in it; expected one such as https://hooks.example/gameday")
    return value


def _base(value: object) -> object:
    if not isinstance(value, str) or "?" in value:
        raise ValueError("a base URL has no query; expected one such as https://events.eu.pagerduty.com")
    return value.rstrip("/")


SecretReference = Annotated[str, BeforeValidator(_secret)]
"""Where a secret is: `secret://env/NAME` or `secret://file/PATH`. Never the secret."""
Address = Annotated[str, BeforeValidator(_url)]
BaseAddress = Annotated[str, BeforeValidator(_url), BeforeValidator(_base)]
"""Where a server's own paths begin, kept without the slash at its end."""


class _Way(Model):
    """One way of calling. What should be a table and is not may be the secret itself, so it is not repeated."""

    @model_validator(mode="before")
    @classmethod
    def _table(cls, given: Any) -> Any:
        if not isinstance(given, (dict, cls)):
            raise ValueError(f"this is no table; expected {{{', '.join(f'{key} = …' for key in cls.model_fields)}}}")
        return given


class TerminalSettings(_Way):
    """The conductor's own terminal, or its log. It needs nothing: `terminal = {}`."""


class WebhookSettings(_Way):
    """Any HTTP server of your own: each call is a POST, signed with the secret."""

    url: Address
    secret: SecretReference


class PagerDutySettings(_Way):
    """A service at PagerDuty with an integration of the kind Events API v2."""

    routing_key: SecretReference
    url: BaseAddress = "https://events.pagerduty.com"


class OpsgenieSettings(_Way):
    """An API integration at Opsgenie."""

    api_key: SecretReference
    url: BaseAddress = "https://api.opsgenie.com"


class SlackChannelSettings(_Way):
    """A channel of Slack that the app is in."""

    bot_token: SecretReference
    channel: SlackChannel
    base_url: BaseAddress = "https://slack.com/api"


class NotifierSettings(_Way):
    """Exactly one way of calling, and what it is for."""

    terminal: TerminalSettings | None = None
    webhook: WebhookSettings | None = None
    pagerduty: PagerDutySettings | None = None
    opsgenie: OpsgenieSettings | None = None
    slack: SlackChannelSettings | None = None
    about: Annotated[tuple[About, ...], Field(min_length=1, max_length=20)] = tuple(About)

    @model_validator(mode="after")
    def _exactly_one(self) -> NotifierSettings:
        if sum(way is not None for way in (self.terminal, self.webhook, self.pagerduty, self.opsgenie, self.slack)) != 1:
            raise ValueError("people are called in exactly one way; expected one of terminal, webhook, pagerduty, opsgenie and slack")
        return self


def _named(given: object) -> object:
    if not isinstance(given, dict):
        raise ValueError("this is no table; expected a section [notify.NAME] for each way of calling people")
    return given


Notifiers = Annotated[dict[Name, NotifierSettings], Field(max_length=50), BeforeValidator(_named)]
