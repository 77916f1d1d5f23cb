"""What seals a guess until it can help nobody any more."""

from __future__ import annotations

import hashlib

import pytest

from gameday.errors import LanguageError
from gameday.guess import Commitment, Guess
from gameday.language import Prediction
from gameday.units import UNITS

MADE = Commitment(
    name="Grace", salt="5a17", guesses=(Guess(question="first alert after", answer="10s"), Guess(question="who is paged", answer="Lünus"))
)


def test_the_digest_is_of_everything_that_was_committed() -> None:
    said = '["7kq2-day",0,"Grace","5a17",[["first alert after","10s"],["who is paged","Lünus"]]]'
    assert MADE.digest("7kq2-day", 0) == hashlib.sha256(said.encode()).hexdigest()


@pytest.mark.parametrize(
    "edited",
    [
        MADE.model_copy(update={"name": "Linus"}),
        MADE.model_copy(update={"salt": "5a18"}),
        MADE.model_copy(update={"guesses": (Guess(question="first alert after", answer="11s"), MADE.guesses[1])}),
        MADE.model_copy(update={"guesses": MADE.guesses[:1]}),
    ],
    ids=["name", "salt", "answer", "fewer"],
)
def test_nothing_of_it_can_be_edited(edited: Commitment) -> None:
    assert edited.digest("7kq2-day", 0) != MADE.digest("7kq2-day", 0)
    assert MADE.digest("7kq2-day", 1) != MADE.digest("7kq2-day", 0) != MADE.digest("8kq2-day", 0)


@pytest.mark.parametrize(
    ("question", "answer", "unit", "value"),
    [
        ("first alert after", "10s", None, 10.0),
        ("first alert after", " 2m ", None, 120.0),
        ("first alert after", "never", None, None),
        ("worst errors", "2 %", "ratio", 0.02),
        ("worst errors", "2%", "ratio", 0.02),
        ("worst latency_p99", "1.5 s", "ms", 1.5),
        ("worst latency_p99", "250", "ms", 0.25),
        ("who is paged", "whoever is on call", None, None),
    ],
)
def test_an_answer_is_read_in_its_base_unit(question: str, answer: str, unit: str | None, value: float | None) -> None:
    assert Prediction.parse(question).read(answer, UNITS[unit] if unit else None) == (pytest.approx(value) if value is not None else None)


@pytest.mark.parametrize(
    ("question", "answer", "unit", "says"),
    [
        ("first alert after", "10", None, "right after the number"),
        ("first alert after", "soon", None, "a duration such as 60s"),
        ("first alert after", "10s to 20s", None, "did not expect 'to' here"),
        ("worst errors", "2 ms", "ratio", "'2 ms' is not measured as the probe is; expected a number in %"),
        ("worst errors", "2 x baseline", "ratio", "is not measured as the probe is"),
        ("worst errors", "many", "ratio", "expected a number, such as '2 ratio'"),
        ("worst errors", "never", "ratio", "expected a number"),
        ("who is paged", "  ", None, "an answer is plain text"),
        ("who is paged", "x" * 201, None, "too long"),
    ],
)
def test_what_is_no_answer_is_refused_and_says_what_one_is(question: str, answer: str, unit: str | None, says: str) -> None:
    with pytest.raises(LanguageError, match=says):
        Prediction.parse(question).read(answer, UNITS[unit] if unit else None)
