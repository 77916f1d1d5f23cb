"""The small language of a playbook: tolerances, guardrails, expectations, predictions. Grammar: docs/language.md.

Each phrase is a frozen value that prints itself back as it was meant (`parse(str(x)) == x`), so a plan carries text and nothing is lost.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from gameday.errors import LanguageError
from gameday.units import UNITS, Unit, format_duration, parse_duration, plain_number

KEYWORDS = frozenset({"alert", "within", "is", "unknown", "in", "of", "samples", "total", "for", "x", "baseline", "first", "after", "worst"})
KEYWORDS |= {"detected", "mitigated", "recovered"}

MAX_LENGTH = 200
"""Of a phrase, in characters."""

_MAX_PROBE, _MAX_ALERT, _MAX_NUMBER = 63, 128, 24
_MAX_WINDOW = 1000

_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<op>[<>=!]=|=[<>]|<|>|=|[≤≥≠])|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<unit>%|/s))")
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


class Phrase(ABC):
    """A phrase that validates from text and serialises to text, wherever a model holds one."""

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Any:
        """Reads the whole text as one phrase, or raises LanguageError with the column."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> object:
            if isinstance(value, cls):
                return value
            if not isinstance(value, str):
                raise LanguageError("a phrase is text", 0, f"text, such as {cls.example()!r}")
            return cls.parse(value)

        return core_schema.no_info_plain_validator_function(read, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "maxLength": MAX_LENGTH, "description": (cls.__doc__ or "").split("\n")[0], "examples": [cls.example()]}

    @classmethod
    def example(cls) -> str:
        return "errors < 1 %"


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
        return _whole(text, _tolerance)

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
        return _whole(text, _guardrail)

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
        return _whole(text, _expectation)

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
        _refuse_too_long(text)
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

    @classmethod
    def example(cls) -> str:
        return "first alert after"


class _Reader:
    """Walks the tokens of a phrase, so that each error has its column and says what could have stood there."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> tuple[str, str, int]:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            rest = self.text[self.at :]
            return ("end", "", len(self.text)) if not rest.strip() else ("junk", rest.strip()[0], self.at + len(rest) - len(rest.lstrip()))
        return match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)

    def take(self, group: str, expected: str, only: frozenset[str] | None = None) -> str:
        found, value, column = self.peek()
        if found != group or (only is not None and value not in only):
            raise LanguageError(f"found {value!r}" if value else "the phrase ends too early", column, expected)
        self.at = column + len(value)
        return value

    def word(self, *words: str) -> str:
        return self.take("word", " or ".join(repr(word) for word in words), frozenset(words))

    def next_is(self, *words: str) -> bool:
        return self.peek()[1] in words

    def number(self, expected: str) -> tuple[float, str]:
        column, text = self.peek()[2], self.take("number", expected)
        if len(text) > _MAX_NUMBER or float(text) > 1e15:
            raise LanguageError("the number is too long", column, f"at most {_MAX_NUMBER} characters, and at most 1e15")
        return float(text), text

    def count(self, expected: str) -> int:
        column, (value, text) = self.peek()[2], self.number(expected)
        if "." in text or not 1 <= value <= _MAX_WINDOW:
            raise LanguageError(f"{text} is not a whole number from 1 to {_MAX_WINDOW}", column, expected)
        return int(value)

    def duration(self) -> timedelta:
        column, (_, number) = self.peek()[2], self.number("a duration such as 60s")
        unit = self.take("word", "ms, s, m or h right after the number", frozenset({"ms", "s", "m", "h"}))
        if self.text[column + len(number) : self.at] != unit:
            raise LanguageError("a duration is written without a space", column, f"{number}{unit}")
        try:
            duration = parse_duration(number + unit)
        except LanguageError as error:
            raise LanguageError(error.message, column, error.expected) from None
        if not duration:
            raise LanguageError(f"{number}{unit} is no time at all", column, "at least 1ms")
        return duration


_T = TypeVar("_T")


def _refuse_too_long(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise LanguageError("the phrase is too long", MAX_LENGTH, f"at most {MAX_LENGTH} characters")


def _whole(text: str, rule: Callable[[_Reader], _T]) -> _T:
    _refuse_too_long(text)
    reader = _Reader(text)
    parsed = rule(reader)
    kind, value, column = reader.peek()
    if kind != "end":
        raise LanguageError(f"did not expect {value!r} here", column, "the end of the phrase")
    return parsed


def _probe(reader: _Reader) -> str:
    column = reader.peek()[2]
    name = reader.take("word", "the name of a probe")
    if name in KEYWORDS:
        raise LanguageError(f"{name!r} is a word of the language", column, "the name of a probe")
    if len(name) > _MAX_PROBE:
        raise LanguageError("the name is too long", column, f"the name of a probe, at most {_MAX_PROBE} characters")
    return name


def _tolerance(reader: _Reader) -> Tolerance:
    return _comparison(reader, _probe(reader))


def _comparison(reader: _Reader, probe: str, otherwise: str = "") -> Tolerance:
    column = reader.peek()[2]
    written = reader.take("op", f"<, <=, >, >= or ={otherwise}")
    if written not in set(Op):
        raise LanguageError(f"{written!r} is not a comparison here", column, "<, <=, >, >= or =")
    number, text = reader.number("a number, 0 or more")
    return Tolerance(probe, Op(written), _bound(reader, number, text))


def _bound(reader: _Reader, number: float, text: str) -> Bound:
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


def _guardrail(reader: _Reader) -> Guardrail:
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


def _expectation(reader: _Reader) -> Expectation:
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
