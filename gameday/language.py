"""The small language of a playbook: tolerances, guardrails, expectations, predictions. Grammar: docs/language.md.

Each phrase is a frozen value that prints itself back as it was meant (`parse(str(x)) == x`), so a plan carries text and nothing is lost.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from gameday.errors import LanguageError
from gameday.phrase import Phrase, Reader, refuse_too_long, whole
from gameday.units import UNITS, Unit, format_duration, plain_number

KEYWORDS = frozenset({"alert", "within", "is", "unknown", "in", "of", "samples", "total", "for", "x", "baseline", "first", "after", "worst"})
KEYWORDS |= {"detected", "mitigated", "recovered"}

NEVER = "never"
"""The answer of whoever thinks that no alert will fire."""
_MAX_PROBE, _MAX_ALERT = 63, 128

_WRITTEN_UNITS = [name for name in UNITS if name not in {"ratio", "count"}]


class Op(StrEnum):
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    EQUAL = "="


class Clock(StrEnum):
    """The three clocks, by the word a playbook uses for their end."""

    DETECT = "detected"
    MITIGATE = "mitigated"
    RECOVER = "recovered"


@dataclass(frozen=True)
class Bound:
    """The right side of a tolerance: a number in a unit, or a multiple of the measured baseline."""

    number: float
    unit: str | None = None
    times_baseline: bool = False

    def __str__(self) -> str:
        number = plain_number(self.number)
        return f"{number} x baseline" if self.times_baseline else f"{number} {self.unit}" if self.unit else number


@dataclass(frozen=True)
class Tolerance(Phrase):
    """What a sample must satisfy: `errors < 1 %`, or `latency_p99 < 1.5 x baseline`."""

    probe: str
    op: Op
    bound: Bound

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        return whole(text, _tolerance)

    def __str__(self) -> str:
        return f"{self.probe} {self.op} {self.bound}"

    def limit(self, unit: Unit, baseline: float | None) -> float | None:
        """The bound in the base unit of the probe; None when it needs a baseline that was not measured."""
        if self.bound.times_baseline:
            return None if baseline is None else self.bound.number * baseline
        return self.bound.number * (UNITS[self.bound.unit] if self.bound.unit else unit).scale

    def holds(self, value: float, unit: Unit, baseline: float | None) -> bool | None:
        """Judges one known value (base unit). None when it cannot be judged: the baseline is missing, or the value is not a number."""
        limit = self.limit(unit, baseline)
        if limit is None or math.isnan(value):
            return None
        match self.op:
            case Op.BELOW:
                return value < limit
            case Op.AT_MOST:
                return value <= limit
            case Op.ABOVE:
                return value > limit
            case Op.AT_LEAST:
                return value >= limit
            case Op.EQUAL:
                return math.isclose(value, limit, rel_tol=1e-9, abs_tol=1e-12)


@dataclass(frozen=True)
class Guardrail(Phrase):
    """A condition under which the run aborts: `errors > 5 % in 3 of 5 samples`, `failed > 500 in total`, `errors is unknown for 30s`.

    `tolerance` is None for `is unknown`. Without a qualifier one sample is enough (1 of 1).
    """

    probe: str
    tolerance: Tolerance | None
    hits: int = 1
    window: int = 1
    in_total: bool = False
    lasting: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> Guardrail:
        return whole(text, _guardrail)

    def __str__(self) -> str:
        condition = str(self.tolerance) if self.tolerance else f"{self.probe} is unknown"
        if self.in_total:
            return f"{condition} in total"
        if self.lasting is not None:
            return f"{condition} for {format_duration(self.lasting)}"
        return condition if self.window == 1 else f"{condition} in {self.hits} of {self.window} samples"

    @classmethod
    def example(cls) -> str:
        return "errors > 5 % in 3 of 5 samples"


@dataclass(frozen=True)
class Expectation(Phrase):
    """What the hypothesis claims: a tolerance throughout, `alert NAME within 60s`, or `mitigated within 5m`."""

    tolerance: Tolerance | None = None
    alert: str | None = None
    clock: Clock | None = None
    within: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> Expectation:
        return whole(text, _expectation)

    def __str__(self) -> str:
        if self.tolerance:
            return str(self.tolerance)
        assert self.within is not None  # only a tolerance has no time
        subject = f"alert {self.alert}" if self.alert else str(self.clock)
        return f"{subject} within {format_duration(self.within)}"

    @classmethod
    def example(cls) -> str:
        return "mitigated within 5m"


class Question(StrEnum):
    FIRST_ALERT = "first alert after"
    WORST = "worst"
    FREE = "free"


@dataclass(frozen=True)
class Prediction(Phrase):
    """A question that people answer before go: `first alert after`, `worst errors`, or free text, which is kept and not scored."""

    question: Question
    text: str
    probe: str | None = None

    @classmethod
    def parse(cls, text: str) -> Prediction:
        refuse_too_long(text)
        words = text.split()
        if words == ["first", "alert", "after"]:
            return cls(Question.FIRST_ALERT, text)
        if len(words) == 2 and words[0] == "worst" and re.fullmatch(r"[a-z][a-z0-9_]*", words[1]):
            return cls(Question.WORST, text, words[1])
        if not words or not text.isprintable():
            raise LanguageError("a prediction is a question in plain text", 0, "text, such as 'first alert after' or 'worst errors'")
        return cls(Question.FREE, text)

    def __str__(self) -> str:
        return self.text

    def read(self, answer: str, unit: Unit | None) -> float | None:
        """An answer in seconds, or in the base unit of the probe; None for one that is no number: `never`, or one to a free question.

        Args:
            unit: of the probe that the question is about.

        Raises:
            LanguageError: it is no answer to this question.
        """
        if self.question is Question.FIRST_ALERT:
            return None if answer.split() == [NEVER] else whole(answer, Reader.duration).total_seconds()
        if self.question is Question.WORST and unit is not None:
            return whole(answer, lambda reader: _amount(reader, unit))
        refuse_too_long(answer)
        if not answer.strip() or not answer.isprintable():
            raise LanguageError("an answer is plain text", 0, "a few words")
        return None

    @classmethod
    def example(cls) -> str:
        return "first alert after"


def _probe(reader: Reader) -> str:
    column = reader.peek()[2]
    name = reader.take("word", "the name of a probe")
    if name in KEYWORDS:
        raise LanguageError(f"{name!r} is a word of the language", column, "the name of a probe")
    if len(name) > _MAX_PROBE:
        raise LanguageError("the name is too long", column, f"the name of a probe, at most {_MAX_PROBE} characters")
    return name


def _tolerance(reader: Reader) -> Tolerance:
    return _comparison(reader, _probe(reader))


def _comparison(reader: Reader, probe: str, otherwise: str = "") -> Tolerance:
    column = reader.peek()[2]
    written = reader.take("op", f"<, <=, >, >= or ={otherwise}")
    if written not in set(Op):
        raise LanguageError(f"{written!r} is not a comparison here", column, "<, <=, >, >= or =")
    number, text = reader.number("a number, 0 or more")
    return Tolerance(probe, Op(written), _bound(reader, number, text))


def _bound(reader: Reader, number: float, text: str) -> Bound:
    kind, value, column = reader.peek()
    if value == "x":
        reader.word("x")
        reader.word("baseline")
        return Bound(number, times_baseline=True)
    if value == "baseline":
        raise LanguageError("the 'x' is missing", column, f"'{text} x baseline'")
    if kind == "unit" or (kind == "word" and value not in KEYWORDS):
        if value not in _WRITTEN_UNITS:
            raise LanguageError(f"{value!r} is not a unit", column, f"one of {', '.join(_WRITTEN_UNITS)}, or 'x baseline'")
        reader.take(kind, "a unit")
        return Bound(number, value)
    return Bound(number)


def _amount(reader: Reader, unit: Unit) -> float:
    """A number in a unit of the same dimension; a bare number takes the unit itself."""
    column = reader.peek()[2]
    number, text = reader.number(f"a number, such as '2 {unit.name}'")
    bound = _bound(reader, number, text)
    written = UNITS[bound.unit] if bound.unit else unit
    if bound.times_baseline or written.dimension is not unit.dimension:
        like = ", ".join(name for name in _WRITTEN_UNITS if UNITS[name].dimension is unit.dimension) or "no unit"
        raise LanguageError(f"{str(bound)!r} is not measured as the probe is", column, f"a number in {like}")
    return number * written.scale


def _guardrail(reader: Reader) -> Guardrail:
    probe, tolerance = _probe(reader), None
    if reader.next_is("is"):
        reader.word("is")
        reader.word("unknown")
    else:
        tolerance = _comparison(reader, probe, ", or 'is unknown'")
    if reader.next_is("for"):
        reader.word("for")
        return Guardrail(probe, tolerance, lasting=reader.duration())
    if not reader.next_is("in"):
        return Guardrail(probe, tolerance)
    reader.word("in")
    column = reader.peek()[2]
    if reader.next_is("total"):
        if tolerance is None:
            raise LanguageError("unknown is never counted in a total", column, "'in 3 of 5 samples' or 'for 30s'")
        if tolerance.bound.times_baseline:
            raise LanguageError("a total has no baseline: it begins at 0 when the day opens", column, "a plain number as the bound")
        reader.word("total")
        return Guardrail(probe, tolerance, in_total=True)
    hits = reader.count("'total', or how many samples, such as '3 of 5 samples'")
    reader.word("of")
    window = reader.count("the number of samples looked at")
    reader.word("samples")
    if hits > window:
        raise LanguageError(f"{hits} of {window} samples can never be", column, f"at most {window} of {window}")
    return Guardrail(probe, tolerance, hits, window)


def _expectation(reader: Reader) -> Expectation:
    if reader.next_is("alert"):
        reader.word("alert")
        column = reader.peek()[2]
        name = reader.take("word", "the name of an alert, as in Prometheus")
        if len(name) > _MAX_ALERT:
            raise LanguageError("the name is too long", column, f"the name of an alert, at most {_MAX_ALERT} characters")
        reader.word("within")
        return Expectation(alert=name, within=reader.duration())
    if reader.next_is(*Clock):
        clock = Clock(reader.word(*Clock))
        reader.word("within")
        return Expectation(clock=clock, within=reader.duration())
    tolerance, column = _tolerance(reader), reader.peek()[2]
    if reader.next_is("within"):
        raise LanguageError("a tolerance must hold throughout, so it has no time", column, "the end of the phrase, or 'recovered within …'")
    if reader.next_is("in", "for"):
        raise LanguageError("a tolerance must hold in every sample", column, "the end of the phrase (counting samples is for abort_when)")
    return Expectation(tolerance=tolerance)
