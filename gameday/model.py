"""The base of every model, and the names, texts and times that models are made of."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

from gameday.units import DURATION_PATTERN, format_duration, parse_duration


class Model(BaseModel):
    """Frozen, closed to unknown keys, finite numbers only. The docstring below a field is its description (gameday/described.py)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=False,
        populate_by_name=True,
        defer_build=True,
    )


def _printable(text: str) -> str:
    """Refuses control characters: they can rewrite a terminal or hide text in a report."""
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text):
        raise ValueError("control characters are not allowed in text; expected text that prints as it reads")
    return text


def one_line(text: str, limit: int = 200) -> str:
    """Any text as a `Line`: what others wrote (a server's answer, an exception) must not break the model that carries it."""
    return "".join(each if each.isprintable() else " " for each in " ".join(text.split()))[:limit].strip() or "?"


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    says = f"{value} has no unit" if isinstance(value, (int, float)) and not isinstance(value, bool) else "this is not a duration"
    raise ValueError(f"{says}; expected a number with its unit: ms, s, m or h, such as '90s' or '5m'")


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
"""A name that may become part of an id or a file name: lower-case letters, digits and dashes."""

ProbeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")]
ThingName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_](?:[A-Za-z0-9_.@:-]{0,126}[A-Za-z0-9_])?$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_printable)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=900), AfterValidator(_printable)]
"""Why somebody did something: short enough for everything that repeats it."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\n\r]*$"), AfterValidator(_printable)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "description": "a duration", "examples": ["90s", "5m"]}),
]
PositiveDuration = Annotated[Duration, Field(gt=timedelta(0), le=timedelta(days=7))]
