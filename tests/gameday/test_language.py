"""The small language: what each phrase means, and what is said of a phrase that is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.errors import LanguageError
from gameday.language import KEYWORDS, Bound, Clock, Expectation, Guardrail, Op, Prediction, Question, Tolerance
from gameday.phrase import Phrase
from gameday.units import UNITS

WRITTEN_UNITS = [name for name in UNITS if name not in {"ratio", "count"}]
PHRASES: list[type[Phrase]] = [Tolerance, Guardrail, Expectation, Prediction]

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,40}", fullmatch=True).filter(lambda name: name not in KEYWORDS)
numbers = st.integers(0, 10**9) | st.floats(0, 1e9).map(lambda number: round(number, 6)) | st.sampled_from([0.1, 1e15, 1e-7, 0.1234567890123456])
bounds = st.builds(Bound, numbers.map(float), st.sampled_from([None, *WRITTEN_UNITS])) | st.builds(
    Bound, numbers.map(float), times_baseline=st.just(True)
)
tolerances = st.builds(Tolerance, names, st.sampled_from(Op), bounds)
durations = st.integers(1, 7 * 24 * 3_600_000).map(lambda ms: timedelta(milliseconds=ms))
windows = st.integers(1, 1000).flatmap(lambda window: st.tuples(st.integers(1, window), st.just(window)))


@st.composite
def guardrails(draw: st.DrawFn) -> Guardrail:
    tolerance = draw(st.none() | tolerances)
    probe = tolerance.probe if tolerance else draw(names)
    if tolerance and not tolerance.bound.times_baseline and draw(st.booleans()):
        return Guardrail(probe, tolerance, in_total=True)
    if draw(st.booleans()):
        return Guardrail(probe, tolerance, lasting=draw(durations))
    hits, window = draw(windows)
    return Guardrail(probe, tolerance, hits, window)


alerts = st.builds(Expectation, alert=st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,127}", fullmatch=True), within=durations)
clocked = st.builds(Expectation, clock=st.sampled_from(Clock), within=durations)
expectations = st.builds(Expectation, tolerances) | alerts | clocked


@given(tolerances | guardrails() | expectations)
def test_every_phrase_that_is_printed_reads_back_as_itself(phrase: Phrase) -> None:
    assert type(phrase).parse(str(phrase)) == phrase


_word_soup = st.lists(
    st.sampled_from([*sorted(KEYWORDS), *WRITTEN_UNITS, *Op, "errors", "5", "0.1", "60s", "99999999", "0", "-", "==", "\u202e", "\n", "٣"]),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize("kind", PHRASES)
@given(text=st.text(max_size=250) | _word_soup)
def test_text_is_a_phrase_or_a_language_error_with_a_place_in_it(kind: type[Phrase], text: str) -> None:
    try:
        phrase = kind.parse(text)
    except LanguageError as error:
        assert error.message and 0 <= error.column <= len(text)
    else:
        assert kind.parse(str(phrase)) == phrase and len(str(phrase)) <= 200


@given(st.lists(tolerances | guardrails() | expectations, min_size=1, max_size=1), st.text(" \t", max_size=3))
def test_spaces_around_words_do_not_matter(phrases: list[Phrase], space: str) -> None:
    (phrase,) = phrases
    spaced = space + f" {space}".join(str(phrase).split()) + space
    assert type(phrase).parse(spaced) == phrase


GOOD: list[tuple[Any, str, Any]] = [
    (Tolerance, "errors < 1 %", Tolerance("errors", Op.BELOW, Bound(1, "%"))),
    (Tolerance, "errors<1%", Tolerance("errors", Op.BELOW, Bound(1, "%"))),
    (Tolerance, "errors <= 0.01", Tolerance("errors", Op.AT_MOST, Bound(0.01))),
    (Tolerance, "orders > 40 /s", Tolerance("orders", Op.ABOVE, Bound(40, "/s"))),
    (Tolerance, "memory >= 1.5 GiB", Tolerance("memory", Op.AT_LEAST, Bound(1.5, "GiB"))),
    (Tolerance, "replicas = 3", Tolerance("replicas", Op.EQUAL, Bound(3))),
    (Tolerance, "latency_p99 < 1.5 x baseline", Tolerance("latency_p99", Op.BELOW, Bound(1.5, times_baseline=True))),
    (Tolerance, "latency_p99 < 2x baseline", Tolerance("latency_p99", Op.BELOW, Bound(2, times_baseline=True))),
    (Guardrail, "errors > 5 %", Guardrail("errors", Tolerance("errors", Op.ABOVE, Bound(5, "%")))),
    (Guardrail, "errors > 5 % in 1 of 1 samples", Guardrail("errors", Tolerance("errors", Op.ABOVE, Bound(5, "%")))),
    (Guardrail, "errors > 5 % in 3 of 5 samples", Guardrail("errors", Tolerance("errors", Op.ABOVE, Bound(5, "%")), 3, 5)),
    (Guardrail, "failed > 500 in total", Guardrail("failed", Tolerance("failed", Op.ABOVE, Bound(500)), in_total=True)),
    (Guardrail, "errors > 5 % for 30s", Guardrail("errors", Tolerance("errors", Op.ABOVE, Bound(5, "%")), lasting=timedelta(seconds=30))),
    (Guardrail, "lag > 3 x baseline for 1m", Guardrail("lag", Tolerance("lag", Op.ABOVE, Bound(3, None, True)), lasting=timedelta(minutes=1))),
    (Guardrail, "errors is unknown", Guardrail("errors", None)),
    (Guardrail, "errors is unknown in 4 of 10 samples", Guardrail("errors", None, 4, 10)),
    (Guardrail, "errors is unknown for 30s", Guardrail("errors", None, lasting=timedelta(seconds=30))),
    (Expectation, "errors < 1 %", Expectation(Tolerance("errors", Op.BELOW, Bound(1, "%")))),
    (Expectation, "alert LedgerDown within 60s", Expectation(alert="LedgerDown", within=timedelta(seconds=60))),
    (Expectation, "detected within 1.5m", Expectation(clock=Clock.DETECT, within=timedelta(seconds=90))),
    (Expectation, "mitigated within 5m", Expectation(clock=Clock.MITIGATE, within=timedelta(minutes=5))),
    (Expectation, "recovered within 500ms", Expectation(clock=Clock.RECOVER, within=timedelta(milliseconds=500))),
    (Prediction, "first alert after", Prediction(Question.FIRST_ALERT, "first alert after")),
    (Prediction, "worst errors", Prediction(Question.WORST, "worst errors", "errors")),
    (Prediction, "who is paged", Prediction(Question.FREE, "who is paged")),
    (Prediction, "worst case, who is paged?", Prediction(Question.FREE, "worst case, who is paged?")),
]


@pytest.mark.parametrize(("kind", "text", "meaning"), GOOD, ids=[text for _, text, _ in GOOD])
def test_each_production_of_the_grammar_means_this(kind: type[Phrase], text: str, meaning: Phrase) -> None:
    assert kind.parse(text) == meaning


UNITS_SAID = "one of %, ms, s, m, h, B, KiB, MiB, GiB, /s, or 'x baseline'"
OPS = "<, <=, >, >= or ="
BAD: list[tuple[Any, str, str, int, str]] = [
    (Guardrail, "errors > 5 % in 4 of 3 samples", "4 of 3 samples can never be", 16, "at most 3 of 3"),
    (Tolerance, "", "the phrase ends too early", 0, "the name of a probe"),
    (Tolerance, "errors", "the phrase ends too early", 6, OPS),
    (Tolerance, "5 % > errors", "found '5'", 0, "the name of a probe"),
    (Tolerance, "errors < ", "the phrase ends too early", 9, "a number, 0 or more"),
    (Tolerance, "errors < -1", "found '-'", 9, "a number, 0 or more"),
    (Tolerance, "errors < .5", "found '.'", 9, "a number, 0 or more"),
    (Tolerance, "errors == 1", "'==' is not a comparison here", 7, OPS),
    (Tolerance, "errors != 1", "'!=' is not a comparison here", 7, OPS),
    (Tolerance, "errors ≤ 1", "'≤' is not a comparison here", 7, OPS),
    (Tolerance, "errors < 1 pct", "'pct' is not a unit", 11, UNITS_SAID),
    (Tolerance, "errors < 1e3", "'e3' is not a unit", 10, UNITS_SAID),
    (Tolerance, "errors < 1 ratio", "'ratio' is not a unit", 11, UNITS_SAID),
    (Tolerance, "lag < 2 baseline", "the 'x' is missing", 8, "'2 x baseline'"),
    (Tolerance, "lag < 2 x", "the phrase ends too early", 9, "'baseline'"),
    (Tolerance, "lag < 2 x basline", "found 'basline'", 10, "'baseline'"),
    (Tolerance, "errors < 1 % please", "did not expect 'please' here", 13, "the end of the phrase"),
    (Tolerance, "error rate < 1 %", "found 'rate'", 6, OPS),
    (Tolerance, "total < 1 %", "'total' is a word of the language", 0, "the name of a probe"),
    (Tolerance, "errors < 1 %; rm -rf", "did not expect ';' here", 12, "the end of the phrase"),
    (Tolerance, "errors < 9999999999999999", "the number is too long", 9, "at most 24 characters, and at most 1e15"),
    (Tolerance, "e" * 64 + " < 1", "the name is too long", 0, "the name of a probe, at most 63 characters"),
    (Tolerance, "errors < 1" + " " * 200, "the phrase is too long", 200, "at most 200 characters"),
    (Guardrail, "errors unknown", "found 'unknown'", 7, f"{OPS}, or 'is unknown'"),
    (Guardrail, "errors is broken", "found 'broken'", 10, "'unknown'"),
    (Guardrail, "errors > 5 % in", "the phrase ends too early", 15, "'total', or how many samples, such as '3 of 5 samples'"),
    (Guardrail, "errors > 5 % in 3 of 5", "the phrase ends too early", 22, "'samples'"),
    (Guardrail, "errors > 5 % in 5 of 3 samples", "5 of 3 samples can never be", 16, "at most 3 of 3"),
    (
        Guardrail,
        "errors > 5 % in 0 of 3 samples",
        "0 is not a whole number from 1 to 1000",
        16,
        "'total', or how many samples, such as '3 of 5 samples'",
    ),
    (Guardrail, "errors > 5 % in 1 of 1.5 samples", "1.5 is not a whole number from 1 to 1000", 21, "the number of samples looked at"),
    (Guardrail, "errors > 5 % in 1 of 1001 samples", "1001 is not a whole number from 1 to 1000", 21, "the number of samples looked at"),
    (Guardrail, "errors is unknown in total", "unknown is never counted in a total", 21, "'in 3 of 5 samples' or 'for 30s'"),
    (Guardrail, "failed > 2 x baseline in total", "a total has no baseline: it begins at 0 when the day opens", 25, "a plain number as the bound"),
    (Guardrail, "errors > 5 % for 30", "the phrase ends too early", 19, "ms, s, m or h right after the number"),
    (Guardrail, "errors > 5 % for 0s", "0s is no time at all", 17, "at least 1ms"),
    (Expectation, "alert within 60s", "found '60'", 13, "'within'"),
    (Expectation, "alert 5 within 60s", "found '5'", 6, "the name of an alert, as in Prometheus"),
    (Expectation, "alert LedgerDown in 60s", "found 'in'", 17, "'within'"),
    (Expectation, "alert LedgerDown within 60 s", "a duration is written without a space", 24, "60s"),
    (Expectation, "alert LedgerDown within 1min", "found 'min'", 25, "ms, s, m or h right after the number"),
    (Expectation, "alert LedgerDown within 1000h", "'1000h' is longer than a week", 24, "at most 168h"),
    (Expectation, f"alert {'A' * 129} within 1s", "the name is too long", 6, "the name of an alert, at most 128 characters"),
    (Expectation, "mitigated in 5m", "found 'in'", 10, "'within'"),
    (Expectation, "repaired within 5m", "found 'within'", 9, OPS),
    (
        Expectation,
        "errors < 1 % within 5m",
        "a tolerance must hold throughout, so it has no time",
        13,
        "the end of the phrase, or 'recovered within …'",
    ),
    (
        Expectation,
        "errors < 1 in 3 of 5 samples",
        "a tolerance must hold in every sample",
        11,
        "the end of the phrase (counting samples is for abort_when)",
    ),
    (Prediction, " ", "a prediction is a question in plain text", 0, "text, such as 'first alert after' or 'worst errors'"),
    (Prediction, "who\u202e is paged", "a prediction is a question in plain text", 0, "text, such as 'first alert after' or 'worst errors'"),
]


@pytest.mark.parametrize(("kind", "text", "message", "column", "expected"), BAD, ids=[text[:40] for _, text, *_ in BAD])
def test_a_wrong_phrase_says_what_where_and_what_instead(kind: type[Phrase], text: str, message: str, column: int, expected: str) -> None:
    with pytest.raises(LanguageError) as caught:
        kind.parse(text)
    assert (caught.value.message, caught.value.column, caught.value.expected) == (message, column, expected)


@pytest.mark.parametrize(
    ("text", "value", "baseline", "holds"),
    [
        ("errors < 1 %", 0.0099, None, True),
        ("errors < 1 %", 0.01, None, False),
        ("errors <= 1 %", 0.01, None, True),
        ("errors > 1 %", 0.01, None, False),
        ("errors >= 1 %", 0.01, None, True),
        ("errors = 1 %", 0.01, None, True),
        ("errors < 0.01", 0.0099, None, True),
        ("errors < 1.5 x baseline", 0.14, 0.1, True),
        ("errors < 1.5 x baseline", 0.16, 0.1, False),
        ("errors < 1.5 x baseline", 0.0, 0.0, False),
        ("errors < 1.5 x baseline", 0.14, None, None),
        ("errors < 1 %", float("nan"), None, None),
    ],
)
def test_a_tolerance_judges_a_value_in_the_base_unit(text: str, value: float, baseline: float | None, holds: bool | None) -> None:
    assert Tolerance.parse(text).holds(value, UNITS["ratio"], baseline) is holds


def test_a_bare_number_takes_the_unit_of_its_probe() -> None:
    tolerance = Tolerance.parse("latency < 250")
    assert tolerance.limit(UNITS["ms"], None) == 0.25
    assert tolerance.limit(UNITS["s"], None) == 250.0
