"""Durations and units: how a playbook writes quantities, and how people read them.

Values are kept in the base unit of their dimension: ratio (0 to 1), seconds, bytes, per second, or a plain count.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from gameday.errors import LanguageError

DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


class Dimension(StrEnum):
    RATIO = "ratio"
    TIME = "time"
    SIZE = "size"
    RATE = "rate"
    COUNT = "count"


@dataclass(frozen=True)
class Unit:
    """A unit as written, and what one of it is in the base unit of its dimension."""

    name: str
    dimension: Dimension
    scale: float


UNITS = {
    unit.name: unit
    for unit in (
        Unit("ratio", Dimension.RATIO, 1.0),
        Unit("%", Dimension.RATIO, 0.01),
        Unit("ms", Dimension.TIME, 0.001),
        Unit("s", Dimension.TIME, 1.0),
        Unit("m", Dimension.TIME, 60.0),
        Unit("h", Dimension.TIME, 3600.0),
        Unit("B", Dimension.SIZE, 1.0),
        Unit("KiB", Dimension.SIZE, 1024.0),
        Unit("MiB", Dimension.SIZE, 1024.0**2),
        Unit("GiB", Dimension.SIZE, 1024.0**3),
        Unit("/s", Dimension.RATE, 1.0),
        Unit("count", Dimension.COUNT, 1.0),
    )
}


def parse_duration(text: str) -> timedelta:
    """Reads `90s`, `5m`, `1.5h` or `250ms`.

    Raises:
        LanguageError: the text is not a number with one of the four units, or is longer than a week.
    """
    if not re.fullmatch(DURATION_PATTERN[1:-1], text.strip(), re.ASCII):
        raise LanguageError(f"{text!r} is not a duration", 0, "a number with its unit: ms, s, m or h, such as '90s' or '5m'")
    number, unit = re.match(r"([0-9.]+)(\w+)", text.strip()).groups()  # type: ignore[union-attr]  # fullmatch above
    milliseconds = float(number) * _MILLISECONDS[unit]
    if milliseconds > 7 * 24 * 3_600_000:
        raise LanguageError(f"{text!r} is longer than a week", 0, "at most 168h")
    return timedelta(milliseconds=round(milliseconds))


def format_duration(value: timedelta) -> str:
    """Writes a duration as a playbook would: the largest unit that keeps it whole, but `90s` and `60s` rather than minutes."""
    milliseconds = round(value / timedelta(milliseconds=1))
    for unit, least in (("h", 2), ("m", 2), ("s", 1)):
        if milliseconds >= least * _MILLISECONDS[unit] and milliseconds % _MILLISECONDS[unit] == 0:
            return f"{milliseconds // _MILLISECONDS[unit]}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def clock(value: timedelta | None) -> str:
    """Minutes and seconds, as on a stopwatch: `1:12`, `0:05`, `1:02:03`; `–` for what has not happened."""
    if value is None:
        return "–"
    total = int(max(value.total_seconds(), 0))
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def spoken(value: timedelta) -> str:
    """A duration for a sentence: `41 ms`, `4.2 s`, `18.4 s`, `3 min 5 s`, `2 h 10 min`."""
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:  # a tenth: a limit that was passed by less than a second was passed
        return f"{int(seconds * 10) / 10:.1f}".removesuffix(".0") + " s"
    whole = int(seconds)  # as on the stopwatch beside it
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = ([f"{hours} h"] if hours else []) + ([f"{minutes} min"] if minutes else []) + ([f"{rest} s"] if rest and not hours else [])
    return " ".join(parts)


def format_value(value: float | None, unit: Unit) -> str:
    """A measurement for people, in the unit that reads best; `?` when it is not known."""
    if value is None or math.isnan(value):
        return "?"
    match unit.dimension:
        case Dimension.RATIO:
            return f"{_short(value * 100)} %"
        case Dimension.TIME:
            return f"{_short(value * 1000)} ms" if value < 1 else spoken(timedelta(seconds=value)) if value < 1e9 else f"{_short(value)} s"
        case Dimension.SIZE:
            for name in ("GiB", "MiB", "KiB"):
                if abs(value) >= UNITS[name].scale:
                    return f"{_short(value / UNITS[name].scale)} {name}"
            return f"{_short(value)} B"
        case Dimension.RATE:
            return f"{_short(value)} /s"
        case _:
            return _short(value)


def plain_number(value: float) -> str:
    """A number with all its digits and no exponent: `float` reads the same number back."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _short(value: float) -> str:
    """About three digits, and never `0` for what is not zero."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e15 or size < 1e-9:
        return f"{value:.2g}"
    if size >= 1000:
        return f"{value:,.0f}"
    if size < 0.01:
        return plain_number(float(f"{value:.1g}"))
    return plain_number(round(value, 0 if size >= 100 else 1 if size >= 10 else 2))
