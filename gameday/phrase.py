"""A phrase of the playbook's language as a value that validates from text, and the reader that its rules walk over the text with."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from gameday.errors import LanguageError
from gameday.units import parse_duration

MAX_LENGTH = 200
"""Of a phrase, in characters."""
_MAX_COUNT, _MAX_NUMBER = 1000, 24
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<op>[<>=!]=|=[<>]|<|>|=|[≤≥≠])|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<unit>%|/s))")

_T = TypeVar("_T")


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


class Reader:
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
        if "." in text or not 1 <= value <= _MAX_COUNT:
            raise LanguageError(f"{text} is not a whole number from 1 to {_MAX_COUNT}", column, expected)
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


def refuse_too_long(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise LanguageError("the phrase is too long", MAX_LENGTH, f"at most {MAX_LENGTH} characters")


def whole(text: str, rule: Callable[[Reader], _T]) -> _T:
    refuse_too_long(text)
    reader = Reader(text)
    parsed = rule(reader)
    kind, value, column = reader.peek()
    if kind != "end":
        raise LanguageError(f"did not expect {value!r} here", column, "the end of the phrase")
    return parsed
