"""What people had predicted, beside what was measured: who came how close, the biggest surprise, and how near the team is over its runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gameday.guess import Guess
from gameday.language import Prediction, Question
from gameday.predictions import Measured, asked, commitments, measured, number
from gameday.record import RunRecord
from gameday.units import UNITS, format_value
from gameday.viewer import veil
from reports.story import Story

NEAR = 2.0
"""A number within this factor of what was measured was near."""
RIGHT = 1.05
"""Within this factor it was right."""
EDITED = "is not what was committed before the go"

Row = tuple[str, str, str, str, str]
"""A question, who answered it, the answer, what was measured, how far off that was."""


@dataclass(frozen=True)
class Scored:
    """One answer of one person. `value` is in the base unit; None where it is no number."""

    name: str
    guess: Guess
    question: Prediction
    value: float | None
    measured: Measured | None
    committed: bool

    @property
    def factor(self) -> float | None:
        """How many times too large or too small it was, at least 1; infinite where one of the two is no number. None where it is not scored."""
        if self.measured is None or not self.committed:
            return None
        if self.measured.value is None:  # no alert; a probe of which nothing is known scores nobody
            return None if self.question.question is Question.WORST else 1.0 if self.value is None else math.inf
        return _factor(self.value, self.measured.value)

    @property
    def too_small(self) -> bool:
        return self.value is not None and self.measured is not None and (self.measured.value is None or self.value < self.measured.value)


def _factor(guess: float | None, found: float) -> float:
    if guess is None:
        return math.inf
    if guess == found:
        return 1.0
    return max(guess / found, found / guess) if guess * found > 0 else math.inf


def scored(record: RunRecord, scenario: int) -> list[Scored]:
    """Every answer of a scenario, in the order of its questions; none before it is over."""
    return [*_scored(record, scenario)]


def _scored(record: RunRecord, scenario: int) -> Iterator[Scored]:
    known = measured(record, scenario)
    asks = record.plan.playbook.scenarios[scenario]
    for commitment, kept in commitments(record, scenario):
        for guess in commitment.guesses:
            question = asked(asks, guess.question)
            if question is not None:
                value = number(question, guess.answer, record.plan.units)
                yield Scored(commitment.name, guess, question, value, known.get(question.text), kept)


def rows(story: Story) -> list[Row]:
    """Each question with who guessed what, what was measured, and how far off that was; also one that nobody answered."""
    found, known = scored(story.record, story.index), measured(story.record, story.index)
    return [row for question in story.scenario.predict for row in _rows(question, [each for each in found if each.question == question], known)]


def _rows(question: Prediction, mine: Sequence[Scored], known: dict[str, Measured]) -> Iterator[Row]:
    came = known[question.text].said if question.text in known else "not measured: for the debrief"
    if not mine:
        yield question.text, "nobody", "–", came, "–"
    for each in mine:
        yield question.text, each.name, each.guess.answer, came, _off(each)


def _off(each: Scored) -> str:
    if not each.committed:
        return EDITED
    if each.factor is None:
        return "–"
    if math.isinf(each.factor):
        return "wrong"
    return "right" if each.factor < RIGHT else f"{each.factor:.1f} times too {'small' if each.too_small else 'large'}"


def biggest(story: Story) -> str:
    """The question that came out furthest from everything that anybody had thought, in a sentence; empty where none did."""
    found = [each for each in scored(story.record, story.index) if each.factor is not None]
    groups = [group for question in story.scenario.predict if (group := [each for each in found if each.question == question])]
    outside = [group for group in groups if not _foreseen(group)]
    furthest = max(outside, key=lambda group: min(each.factor or 1.0 for each in group), default=None)
    return _sentence(story, furthest) if furthest else ""


def _foreseen(group: Sequence[Scored]) -> bool:
    """Whether what came lies between what was guessed, or is what somebody guessed."""
    came = group[0].measured
    values = [each.value for each in group if each.value is not None]
    if any((each.factor or 1.0) < RIGHT for each in group):
        return True
    return came is not None and came.value is not None and bool(values) and min(values) <= came.value <= max(values)


def _sentence(story: Story, group: Sequence[Scored]) -> str:
    question, came = group[0].question, group[0].measured
    assert came is not None  # it has a factor
    unit = UNITS["s"] if question.probe is None else UNITS[story.record.plan.units[question.probe]]
    numbers = sorted({each.value for each in group if each.value is not None})
    shown = [format_value(each, unit) for each in (numbers if len(numbers) < 2 else [numbers[0], numbers[-1]])]
    guessed = f"the team had guessed {' to '.join(shown) if shown else 'that there would be none'}"
    if question.question is Question.WORST:
        return f"{question.probe} was {came.said} at its worst; {guessed}"
    return f"{'No alert came' if came.value is None else f'The first alert came after {came.said}'}; {guessed}"


def calibration(runs: Iterable[RunRecord]) -> str:
    """How near a team's numbers were over its runs, in a sentence; empty where nobody has guessed one."""
    open_runs = [veil(run) for run in runs]
    by_run = [[each for index, _ in run.scenarios() for each in scored(run, index) if each.factor is not None] for run in open_runs]
    found = [each for mine in by_run for each in mine]
    if not found:
        return ""
    counted = sum(bool(mine) for mine in by_run)
    near = sum((each.factor or 0.0) <= NEAR for each in found)
    typical = statistics.median_low([each.factor or 1.0 for each in found])
    off = [each for each in found if (each.factor or 0.0) >= RIGHT]
    lean = f", mostly too {'small' if sum(each.too_small for each in off) * 2 > len(off) else 'large'}" if off else ""
    how = "wrong altogether" if math.isinf(typical) else f"{typical:.1f} times off"
    over = f"{counted} run{'' if counted == 1 else 's'}"
    return f"Over {over}, {near} of {len(found)} guesses were within {NEAR:g} times of what was measured; the typical one was {how}{lean}"
