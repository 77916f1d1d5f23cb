"""Predictions: what people committed to before the go, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gameday.event import EventKind
from gameday.guess import Commitment
from gameday.language import Prediction, Question
from gameday.model import Line, Model
from gameday.playbook import Scenario
from gameday.record import RunRecord
from gameday.units import UNITS, clock, format_value, spoken
from gameday.worse import worst_during


class Measured(Model):
    """What was measured of a question: in seconds or in the base unit of its probe, and in words. `value` is None where there is no number."""

    question: Line
    value: float | None
    said: Line


def number(question: Prediction, answer: str, units: Mapping[str, str]) -> float | None:
    """An answer in seconds, or in the base unit of the question's probe; None for one that is no number.

    Raises:
        LanguageError: it is no answer to this question.
    """
    unit = units.get(question.probe or "")
    return question.read(answer, UNITS[unit] if unit else None)


def asked(scenario: Scenario, question: str) -> Prediction | None:
    """The question of a scenario with this text."""
    words = question.split()
    return next((each for each in scenario.predict if each.text.split() == words), None)


def measure(record: RunRecord, scenario: int) -> tuple[Measured, ...]:
    """What the record says of each question that has a measured answer; nothing where nothing was injected."""
    injected = record.injected_at(scenario)
    questions = record.plan.playbook.scenarios[scenario].predict if injected else ()
    return tuple(_measure(record, scenario, each) for each in questions if each.question is not Question.FREE)


def _measure(record: RunRecord, scenario: int, question: Prediction) -> Measured:
    injected = record.injected_at(scenario)
    assert injected is not None  # the caller looked
    if question.question is Question.FIRST_ALERT:
        fired = [event for event in record.of(EventKind.ALERT_FIRING, scenario=scenario) if event.at >= injected]
        first = min(fired, key=lambda event: event.at, default=None)
        if first is None:
            return Measured(question=question.text, value=None, said="no alert fired")
        return Measured(
            question=question.text,
            value=(first.at - injected).total_seconds(),
            said=f"{spoken(first.at - injected)} ({first.text('alert')})",
        )
    probe = question.probe or ""
    worst = worst_during(record, scenario, probe)
    if worst is None:
        return Measured(question=question.text, value=None, said="no sample was known")
    shown = format_value(worst.value, UNITS[record.plan.units[probe]])
    return Measured(question=question.text, value=worst.value, said=f"{shown} at +{clock(worst.at - injected)}")


def measured(record: RunRecord, scenario: int) -> dict[str, Measured]:
    """By question: as it was when the predictions were opened; where nobody had predicted anything, as the record has it."""
    opened = record.last(EventKind.PREDICTIONS_OPENED, scenario=scenario)
    told = opened.data.get("measured") if opened else None
    found = [Measured.model_validate(each) for each in told] if isinstance(told, list) else measure(record, scenario)
    return {each.question: each for each in found}


def commitments(record: RunRecord, scenario: int) -> Iterator[tuple[Commitment, bool]]:
    """What people had committed to, as it was opened; and whether it is what the record had of it before the go."""
    opened = record.last(EventKind.PREDICTIONS_OPENED, scenario=scenario)
    found = opened.data.get("predictions") if opened else None
    committed = {event.text("hash") for event in record.of(EventKind.PREDICTED, scenario=scenario)}
    for each in found if isinstance(found, list) else ():
        read = Commitment.model_validate(each)
        yield read, read.digest(record.run_id, scenario) in committed
