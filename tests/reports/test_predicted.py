"""Predictions beside what was measured: rows, the biggest surprise, and how near the team is over its runs."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.event import EventKind
from gameday.guess import Commitment, Guess
from gameday.predictions import measure
from gameday.record import RunRecord
from reports.postmortem import render
from reports.predicted import EDITED, calibration, scored
from tests.reports.conftest import FIRST, RUN, Diary, a_day, part, rows, seconds, the_end, the_slow_ledger_reverts

EARLY, LATE = seconds(-10), seconds(119)


def predicted(answers: dict[str, dict[str, str]], edited: str = "") -> RunRecord:
    """The day on which these people had committed to these answers; one of them has other ones at the end."""
    diary = a_day()
    made = [
        Commitment(name=name, salt=f"salt of {name}", guesses=tuple(Guess(question=each, answer=said) for each, said in mine.items()))
        for name, mine in answers.items()
    ]
    for each in made:
        questions: list[Any] = [guess.question for guess in each.guesses]
        diary.event(EventKind.PREDICTED, FIRST + EARLY, 0, actor=each.name, questions=questions, hash=each.digest(RUN, 0))
    shown = [each.model_copy(update={"salt": "another"}) if each.name == edited else each for each in made]
    came = [each.model_dump(mode="json") for each in measure(diary.record(), 0)]
    diary.event(EventKind.PREDICTIONS_OPENED, FIRST + LATE, 0, predictions=[each.model_dump(mode="json") for each in shown], measured=came)
    return finished(diary)


def finished(diary: Diary) -> RunRecord:
    the_slow_ledger_reverts(diary)
    the_end(diary)
    return diary.record()


TEAM = {
    "Grace": {"first alert after": "5s", "worst errors": "0.6 %"},
    "Linus": {"first alert after": "10s", "worst errors": "5 %", "who is paged": "Margaret"},
}


def test_each_answer_has_a_row_and_says_how_far_off_it_was() -> None:
    first = part(part(render(predicted(TEAM)), "## 1. The ledger freezes"), "### What surprised us")
    assert [row for row in rows(first) if row[0] in ("first alert after", "worst errors", "who is paged")] == [
        ["first alert after", "Grace", "5s", "23 s (LedgerDown)", "4.6 times too small"],
        ["first alert after", "Linus", "10s", "23 s (LedgerDown)", "2.3 times too small"],
        ["worst errors", "Grace", "0.6 %", "0.62 % at +0:09", "right"],
        ["worst errors", "Linus", "5 %", "0.62 % at +0:09", "8.1 times too large"],
        ["who is paged", "Linus", "Margaret", "not measured: for the debrief", "–"],
    ]


def test_the_scenario_opens_with_its_biggest_surprise() -> None:
    chapter = part(render(predicted(TEAM)), "## 1. The ledger freezes")
    said = "The first alert came after 23 s (LedgerDown); the team had guessed 5 s to 10 s"
    assert chapter.index(f"**The biggest surprise:** {said}.") < chapter.index("| expectation")
    assert f"- {said}" in part(chapter, "### What surprised us")


@pytest.mark.parametrize(
    ("answers", "surprise"),
    [
        ({"Grace": {"first alert after": "10s"}, "Linus": {"first alert after": "1m"}}, ""),  # it came in between
        ({"Grace": {"first alert after": "never"}}, "The first alert came after 23 s (LedgerDown); the team had guessed that there would be none"),
        ({"Grace": {"worst errors": "0.1 %"}}, "errors was 0.62 % at +0:09 at its worst; the team had guessed 0.1 %"),
        ({"Grace": {"first alert after": "20s", "worst errors": "0.1 %"}}, "errors was 0.62 % at +0:09 at its worst; the team had guessed 0.1 %"),
        ({"Grace": {"who is paged": "nobody"}}, ""),
    ],
)
def test_what_lies_between_the_guesses_surprised_nobody(answers: dict[str, dict[str, str]], surprise: str) -> None:
    page = render(predicted(answers))
    assert (f"**The biggest surprise:** {surprise}." in page) if surprise else ("biggest surprise" not in page)


def test_what_was_edited_since_is_told_and_not_scored() -> None:
    record = predicted(TEAM, edited="Grace")
    assert {each.name: each.committed for each in scored(record, 0)} == {"Grace": False, "Linus": True}
    assert ["first alert after", "Grace", "5s", "23 s (LedgerDown)", EDITED] in rows(render(record))
    assert calibration([record]).startswith("Over 1 run, 0 of 2 guesses")


def test_how_near_a_team_is_over_its_runs() -> None:
    other = predicted({"Grace": {"first alert after": "20s", "worst errors": "0.4 %"}})
    assert calibration([other, predicted(TEAM)]) == (
        "Over 2 runs, 3 of 6 guesses were within 2 times of what was measured; the typical one was 1.5 times off, mostly too small"
    )
    assert calibration([]) == calibration([finished(a_day())]) == ""
