"""What the checks are made of: findings, and ways to walk plain data whose shape nobody has promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gameday.catalogue import Catalogue
from gameday.errors import LanguageError
from gameday.language import Expectation, Guardrail, Prediction, Question, Tolerance
from gameday.phrase import Phrase
from gameday.units import parse_duration
from gameday.yaml_tree import Path

P = TypeVar("P", bound=Phrase)
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """Something wrong (or doubtful) at a path. With `params` and `detail` it is one of pydantic's errors below that path."""

    path: Path
    message: str = ""
    expected: str = ""
    warning: bool = False
    at_key: bool = False
    params: type[BaseModel] | None = None
    detail: ErrorDetails | None = None


def walk(value: Any, *parts: str, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything at `parts` below `value`, where `*` is any item; silent where the shape is another."""
    if not parts:
        yield at, value
    elif parts[0] == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, *parts[1:], at=(*at, index))
    elif parts[0] == "*" and isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, *parts[1:], at=(*at, key))
    elif isinstance(value, dict) and parts[0] in value:
        yield from walk(value[parts[0]], *parts[1:], at=(*at, parts[0]))


def texts(value: Any, *parts: str) -> Iterator[tuple[Path, str]]:
    """As `walk`, but only what is text: safe to hash and to compare."""
    return ((path, found) for path, found in walk(value, *parts) if isinstance(found, str))


def mappings(value: Any, *parts: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """As `walk`, but only what is a mapping."""
    return ((path, found) for path, found in walk(value, *parts) if isinstance(found, dict))


def phrases(data: Any, kind: type[P], *parts: str) -> Iterator[tuple[Path, P]]:
    """The phrases of a kind at `parts`; what does not parse is for the schema to report."""
    for path, text in texts(data, *parts):
        try:
            yield path, kind.parse(text)
        except LanguageError:
            continue


def tolerances(data: Data) -> Iterator[tuple[Path, str, Tolerance | None]]:
    """Every place where the playbook names a probe, with the tolerance if there is one."""
    for path, tolerance in phrases(data, Tolerance, "steady_state", "*"):
        yield path, tolerance.probe, tolerance
    for path, guardrail in phrases(data, Guardrail, "abort_when", "*"):
        yield path, guardrail.probe, guardrail.tolerance
    for path, expectation in phrases(data, Expectation, "scenarios", "*", "expect", "*"):
        if expectation.tolerance:
            yield path, expectation.tolerance.probe, expectation.tolerance
    for path, prediction in phrases(data, Prediction, "scenarios", "*", "predict", "*"):
        if prediction.question is Question.WORST and prediction.probe:
            yield path, prediction.probe, None


def duration_at(data: Any, *parts: str, default: timedelta) -> timedelta:
    """The duration at `parts`; the default where there is none that can be read."""
    try:
        return parse_duration(next((text for _, text in texts(data, *parts)), ""))
    except LanguageError:
        return default


def minutes_at(data: Any, *parts: str) -> Iterator[tuple[Path, str, int]]:
    """Times of day at `parts`, as written and in minutes since midnight."""
    for path, text in texts(data, *parts):
        if len(text) == 5 and text[2] == ":" and text.isascii() and (text[:2] + text[3:]).isdecimal():
            yield path, text, int(text[:2]) * 60 + int(text[3:])


def probe_kinds(data: Data) -> Iterator[tuple[str, str, Any]]:
    """Name, kind and parameters of each probe that has one kind."""
    for path, spec in mappings(data, "probes", "*"):
        if len(spec) == 1:
            kind, params = next(iter(spec.items()))
            yield str(path[1]), kind, params


def by_hand(fault: Data, catalogue: Catalogue) -> bool:
    """Whether this fault is asked of somebody, and carried out by no host."""
    kind = fault.get("inject")
    return isinstance(kind, str) and kind in catalogue.injectors and catalogue.injectors[kind].by_hand


def momentary(fault: Data, catalogue: Catalogue) -> bool:
    """Whether this fault, as it is written, is over in a moment."""
    kind = fault.get("inject")
    if not isinstance(kind, str) or kind not in catalogue.injectors:
        return False
    injector = catalogue.injectors[kind]
    try:
        return injector.is_momentary(injector.Params.model_validate(fault.get("with") or {}))
    except ValidationError:  # said elsewhere
        return injector.momentary
