"""Durations and units: what is written is read, and what is measured is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.errors import LanguageError
from gameday.units import UNITS, clock, format_duration, format_value, parse_duration, plain_number, spoken

WEEK_MS = 7 * 24 * 3_600_000
milliseconds = st.integers(0, WEEK_MS).map(lambda ms: timedelta(milliseconds=ms))


@given(milliseconds)
def test_every_duration_that_is_written_reads_back_as_itself(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@given(st.text())
def test_text_is_a_duration_or_a_language_error(text: str) -> None:
    try:
        assert timedelta() <= parse_duration(text) <= timedelta(days=7)
    except LanguageError as error:
        assert error.expected and 0 <= error.column <= len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("1.5h", timedelta(minutes=90)),
        ("0s", timedelta()),
        (" 5m ", timedelta(minutes=5)),
        ("168h", timedelta(days=7)),
    ],
)
def test_a_duration_is_a_number_with_its_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5min", "5M", "-5m", "+5m", "1e3s", ".5s", "5.m", "5m30s", "٥m", "nan s", "1,5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(LanguageError, match="is not a duration; expected a number with its unit"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["168.1h", "1000h", "9" * 400 + "s"])
def test_a_duration_longer_than_a_week_is_refused(text: str) -> None:
    with pytest.raises(LanguageError, match="longer than a week; expected at most 168h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (timedelta(), "0s"),
        (timedelta(milliseconds=250), "250ms"),
        (timedelta(seconds=60), "60s"),
        (timedelta(seconds=90), "90s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=60), "60m"),
        (timedelta(hours=2), "2h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=1, milliseconds=500), "1500ms"),
    ],
)
def test_a_duration_is_written_as_a_playbook_would(value: timedelta, expected: str) -> None:
    assert format_duration(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (timedelta(), "0:00"),
        (timedelta(seconds=5.9), "0:05"),
        (timedelta(seconds=72), "1:12"),
        (timedelta(hours=1, minutes=2, seconds=3), "1:02:03"),
        (timedelta(seconds=-3), "0:00"),
    ],
)
def test_a_stopwatch_shows_minutes_and_seconds(value: timedelta | None, expected: str) -> None:
    assert clock(value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.041, "41 ms"), (4.2, "4.2 s"), (4.0, "4 s"), (9.96, "9.9 s"), (18, "18 s"), (59.7, "59.7 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_a_duration_in_a_sentence_reads_well(seconds: float, expected: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "%", "?"),
        (float("nan"), "s", "?"),
        (0.0, "%", "0 %"),
        (0.0062, "ratio", "0.62 %"),
        (0.00001, "%", "0.001 %"),
        (1.0, "%", "100 %"),
        (0.112, "s", "112 ms"),
        (0.0384, "ms", "38.4 ms"),
        (4.2, "s", "4.2 s"),
        (185.0, "s", "3 min 5 s"),
        (48.0, "/s", "48 /s"),
        (1536.0, "B", "1.5 KiB"),
        (3.0 * 1024**3, "B", "3 GiB"),
        (41.0, "count", "41"),
        (9104.0, "count", "9,104"),
        (1234567.0, "count", "1,234,567"),
        (-0.001, "count", "-0.001"),
        (1e18, "count", "1e+18"),
        (1e300, "s", "1e+300 s"),
        (-5.0, "s", "-5,000 ms"),
    ],
)
def test_a_measurement_is_shown_in_the_unit_that_reads_best(value: float | None, unit: str, expected: str) -> None:
    assert format_value(value, UNITS[unit]) == expected


@given(st.floats(), st.sampled_from(sorted(UNITS)))
def test_any_number_can_be_shown_and_only_zero_looks_like_zero(value: float, unit: str) -> None:
    text = format_value(value, UNITS[unit])
    assert text
    if value and abs(value) > 1e-300:
        assert not text.startswith(("0 ", "-0 ")) and text not in {"0", "-0"}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_plain_number_keeps_every_digit(value: float) -> None:
    text = plain_number(value)
    assert float(text) == value and "e" not in text.lower()
