"""What the parameters of probes are made of: addresses, headers, labels, and units that follow from what is measured."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from activities import secrets
from activities.probes.probe import Unknown
from gameday.catalogue import ProbeParams
from gameday.model import Line
from gameday.units import UNITS, Unit

OK_WITHIN = timedelta(milliseconds=800)
"""How long `measure: ok` waits for an answer by default: less than the sampling's own time limit of 1 s, which would make it unknown."""


def _http(url: str) -> str:
    """An http or https address with a host. Messages do not repeat it: a password may be in it."""
    if url != url.strip() or not url.isprintable() or " " in url:
        raise ValueError("the URL contains blanks or control characters; expected one such as http://127.0.0.1:8080/health")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:
        raise ValueError("this is no http address; expected one such as http://127.0.0.1:8080/health") from None
    if "@" in parts.netloc:
        raise ValueError("the URL carries a user name or a password; expected none (name a secret under 'headers')")
    if not usable:
        raise ValueError("this is no http address; expected one such as http://127.0.0.1:8080/health")
    return url


def _is_host(name: str) -> bool:
    """A name in ASCII, or an address; whether it exists is asked when it is used."""
    if ":" in name:
        return bool(ipaddress.IPv6Address(name))
    return re.fullmatch(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?", name) is not None


def _base(url: str) -> str:
    if "?" in url or "#" in url:
        raise ValueError("a base URL has no query; expected one such as http://127.0.0.1:9090")
    return url.rstrip("/")


Url = Annotated[str, Field(max_length=2000), AfterValidator(_http)]
BaseUrl = Annotated[str, Field(max_length=2000), AfterValidator(_http), AfterValidator(_base)]
"""Where a server's own paths begin: without a query, kept without the slash at its end."""

_HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
Headers = Annotated[dict[_HeaderName, Annotated[Line, AfterValidator(secrets.check)]], Field(max_length=20)]
"""Headers of a request. A value may hold secret references, such as `Bearer secret://env/TOKEN`."""

Metric = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,149}$")]
_LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,79}$")]
Labels = Annotated[dict[_LabelName, Annotated[str, Field(max_length=200)]], Field(max_length=20)]
"""Labels that a series must have, each with exactly this value."""


class Answering(StrEnum):
    """What can be measured of something that answers."""

    LATENCY = "latency"
    OK = "ok"
    STATUS = "status"


def base_url(url: str) -> str:
    """A base URL that no parameter model has checked yet, such as that of a playbook's alert source.

    Raises:
        ValueError: as for a `BaseUrl`.
    """
    return _base(_http(url))


def measured_as(params: ProbeParams, name: str) -> Unit:
    """The unit `name`, or the one that the playbook writes, which must be of the same dimension.

    Raises:
        ValueError: the playbook names a unit that does not fit, or that there is not.
    """
    own = UNITS[name]
    if "unit" not in params.model_fields_set:
        return own
    written = UNITS.get(params.unit)
    if written is None or written.dimension is not own.dimension:
        fitting = [unit.name for unit in UNITS.values() if unit.dimension is own.dimension]
        raise ValueError(f"this is measured in {own.name!r}, not in {params.unit!r}; expected {' or '.join(fitting)}, or no unit")
    return written


def revealed(headers: dict[str, str]) -> dict[str, str]:
    """Headers with their secrets in place.

    Raises:
        Unknown: a secret is missing.
    """
    try:
        return {name: secrets.reveal(value) for name, value in headers.items()}
    except secrets.SecretMissing as error:
        raise Unknown(str(error)) from None
