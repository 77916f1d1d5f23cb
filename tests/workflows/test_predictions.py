"""Predictions: committed before the go, seen by nobody until the scenario is over, and what comes late, twice or in the wrong words is refused."""

from __future__ import annotations

import json

import pytest

from gameday.commands import Actor, Verb
from gameday.errors import Refused
from gameday.event import EventKind
from gameday.guess import Commitment, Guess
from gameday.playbook import Role
from tests.rigs.town import DAY, Town
from tests.workflows.conftest import GATE, LINUS, TWO, all_on, at_gate

pytestmark = pytest.mark.timeout(120)
GRACE = Actor(id="os:grace", name="Grace", role=Role.SAFETY)
ASKS = "    predict: ['first alert after', 'worst up', 'who is paged']\n"
ASKING = DAY.replace("    faults:\n", f"{ASKS}    faults:\n")
CANARY = "somebody called Canary"


def guesses(**answers: str) -> tuple[Guess, ...]:
    questions = {"alert": "first alert after", "worst": "worst up", "paged": "who is paged"}
    return tuple(Guess(question=questions[key], answer=answer) for key, answer in answers.items())


async def test_a_prediction_is_kept_until_the_scenario_is_over_and_opened_with_what_was_measured(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=ASKING, gate=GATE, length="300ms"))
    await at_gate(shared, handle.id)
    said = await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(alert="never", paged=CANARY))
    assert said == f"kept until scenario 1 is over: first alert after: never; who is paged: {CANARY}. Still open: worst up"
    await shared.tell(handle, Verb.PREDICT, actor=LINUS, guesses=guesses(worst="1"))
    await shared.tell(handle, Verb.GO)
    await all_on(shared, handle.id)
    with pytest.raises(Refused, match="too late: scenario 1 has had its go"):
        await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(worst="1"), scenario=1)
    assert CANARY not in json.dumps([event.model_dump(mode="json") for event in shared.record(handle.id).events])
    await handle.result()
    record = shared.record(handle.id)
    opened = record.first(EventKind.PREDICTIONS_OPENED)
    assert opened is not None
    made = [Commitment.model_validate(each) for each in opened.data["predictions"]]  # type: ignore[union-attr]  # a list
    assert [(each.name, [guess.answer for guess in each.guesses]) for each in made] == [("Grace", ["never", CANARY]), ("Linus", ["1"])]
    committed = [(event.actor, event.text("hash")) for event in record.of(EventKind.PREDICTED)]
    assert committed == [(each.name, each.digest(handle.id, 0)) for each in made]
    measured = opened.data["measured"]
    assert isinstance(measured, list) and "no alert fired" in json.dumps(measured[0])
    report = (shared.home / "runs" / handle.id / "postmortem.md").read_text()
    assert CANARY in report and "| Predictions" in report


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({}, "say what you predict; scenario 1 asks: 'first alert after', 'worst up', 'who is paged'"),
        ({"alert": "soon"}, "first alert after: found 'soon'; expected a duration"),
        ({"worst": "3 ms"}, "worst up: '3 ms' is not measured as the probe is"),
    ],
)
async def test_what_is_no_prediction_is_refused_and_says_why(shared: Town, answers: dict[str, str], says: str) -> None:
    handle = await shared.begin(shared.day(text=ASKING, gate=GATE))
    await at_gate(shared, handle.id)
    with pytest.raises(Refused, match=says):
        await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(**answers))


async def test_a_prediction_cannot_be_edited_and_one_for_a_later_scenario_is_opened_when_it_is_over(shared: Town) -> None:
    text = TWO.replace("    faults:\n", f"{ASKS}    faults:\n")
    handle = await shared.begin(shared.day(text=text, gate=GATE))
    await at_gate(shared, handle.id)
    await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(alert="10s"))
    with pytest.raises(Refused, match="you have predicted 'first alert after' already, and a prediction cannot be edited"):
        await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(alert="1s"))
    with pytest.raises(Refused, match="scenario 1 does not ask 'is it sunny'; expected one of 'first alert after', 'worst up', 'who is paged'"):
        await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=(Guess(question="is it sunny", answer="yes"),))
    with pytest.raises(Refused, match="there is no scenario 3: the playbook has 2"):
        await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(alert="1s"), scenario=3)
    await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(alert="1s"), scenario=2)
    await shared.tell(handle, Verb.ABORT)
    await handle.result()
    assert [event.scenario for event in shared.record(handle.id).of(EventKind.PREDICTIONS_OPENED)] == [0, 1]


async def test_what_a_sealed_scenario_asks_is_sealed_for_its_responders(shared: Town) -> None:
    handle = await shared.begin(shared.day(text=ASKING.replace("    faults:\n", "    sealed: true\n    faults:\n"), gate=GATE))
    await at_gate(shared, handle.id)
    with pytest.raises(Refused) as refused:
        await shared.tell(handle, Verb.PREDICT, actor=LINUS, guesses=guesses(alert="1s"))
    assert str(refused.value) == "scenario 1 is sealed, and so are its questions"
    assert "kept until" in await shared.tell(handle, Verb.PREDICT, actor=GRACE, guesses=guesses(alert="1s"))
