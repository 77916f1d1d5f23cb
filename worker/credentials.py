"""When the credentials end by which a process talks to Temporal: without them a run could neither be watched nor ended, only its leases would."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from temporalio.service import ConnectConfig, TLSConfig

from activities.credentials import Credential


def of(config: ConnectConfig) -> tuple[Credential, ...]:
    """Those of a connection that are known to end, without their values."""
    return tuple(_known(config))


def _known(config: ConnectConfig) -> Iterator[Credential]:
    if isinstance(config.tls, TLSConfig) and config.tls.client_cert:
        from cryptography import x509  # only where there is a certificate

        chain = x509.load_pem_x509_certificates(config.tls.client_cert)
        yield Credential("the client certificate for Temporal", min(each.not_valid_after_utc for each in chain))
    ends = _token_ends(config.api_key or "")
    if ends is not None:
        yield Credential("the API key for Temporal", ends)


def _token_ends(token: str) -> datetime | None:
    """When a key that is a JSON Web Token ends; None where it is none, or does not say. Source: RFC 7519, 4.1.4."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError, binascii.Error):
        return None
