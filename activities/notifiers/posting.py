"""One POST of JSON to a server that people are called by, and what its answer means for trying again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from activities import secrets
from activities.notifiers.notifier import NotSent
from activities.probes.probe import Unknown
from activities.probes.reading.web import Answer, ask, place
from gameday.model import one_line

if TYPE_CHECKING:
    import httpx

_REFUSED = frozenset({400, 413, 422})
"""What is wrong with the call itself, and stays so. A key that is refused (401, 403) may be put right, and it is made then. Source: RFC 9110."""
LONGEST_AFTER = 900.0
"""Seconds that a server may ask to be left alone, when people are to be called."""
_MOST_BYTES = 16 * 1024
_MOST_TOLD = 160


async def post(http: httpx.AsyncClient, url: str, body: str, headers: Mapping[str, str], now: float, secret: str) -> Answer:
    """Posts once, and returns the answer. Redirects are not followed: what is sent is for this server alone.

    Args:
        now: the time of day in seconds since 1970, for a `Retry-After` that is a date.
        secret: what must not appear in any message, also where the server repeats it.

    Raises:
        NotSent: there was no answer, or another than 200 to 299.
    """
    try:
        answer = await ask(http, url, most_bytes=_MOST_BYTES, method="POST", headers={"Content-Type": "application/json", **headers}, content=body)
    except Unknown as unknown:
        raise NotSent(str(unknown)) from None
    if answer.status in range(200, 300):
        return answer
    message = f"{place(url)} answered {answer.status}{_told(answer, secret)}"
    after = _after(answer.retry_after, now)
    raise NotSent(message, after=None if after is None else min(after, LONGEST_AFTER), final=answer.status in _REFUSED)


def revealed(reference: str) -> str:
    """The secret behind a reference, looked up anew for each call, so that it may be changed.

    Raises:
        NotSent: it is not there now.
    """
    try:
        return secrets.reveal(reference, own=True)  # the operator's own words, not a playbook's
    except secrets.SecretMissing as error:
        raise NotSent(str(error)) from None


def _told(answer: Answer, secret: str) -> str:
    """A piece of what the server says, without the secret, plain or as JSON has it."""
    text = answer.body.decode(errors="replace")
    for form in (secret, json.dumps(secret)[1:-1]):
        text = text.replace(form, "…")
    return f": {one_line(text, _MOST_TOLD)}" if text.strip() else ""


def _after(header: str, now: float) -> float | None:
    """Seconds from now: the header has them, or a date. Source: RFC 9110, 10.2.3."""
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now, 0.0)
