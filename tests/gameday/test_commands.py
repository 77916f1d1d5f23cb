"""Who may say what, and when: a table of verb and moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from gameday.commands import MAY, Actor, Command, Moment, Verb, refusal
from gameday.language import Clock
from gameday.playbook import Role

IDLE = Moment(started_by="starter")
GATE = Moment(started_by="starter", gate="inject 1")
UNDER_WAY = Moment(started_by="starter", scenario=0, injected=True, fault_on=True, checklist=2)
SEALED = Moment(started_by="starter", scenario=0, sealed=True)
HELD = Moment(started_by="starter", scenario=0, held=True)
ENDING = Moment(started_by="starter", scenario=0, ending=True, injected=True, fault_on=True, gate="inject 1", held=True, checklist=2)
OVER = Moment(started_by="starter", ended=True)

COMMANDER = Actor(id="U01", name="Ada", role=Role.COMMANDER)


def command(verb: Verb | str, actor: Actor = COMMANDER, **more: Any) -> Command:
    return Command(verb=Verb(verb), id="1", actor=actor, **more)


TABLE: list[tuple[str, dict[str, Any], Moment, str | None]] = [
    ("go", {}, GATE, None),
    ("go", {"gate": "inject 1"}, GATE, None),
    ("go", {"gate": "day"}, GATE, "that go was for the gate 'day', and 'inject 1' is waiting now"),
    ("go", {}, UNDER_WAY, "no gate is waiting for a go"),
    ("go", {}, ENDING, "the run is ending"),
    ("ready", {}, IDLE, None),
    ("ready", {}, ENDING, "the run is ending"),
    ("tick", {"item": 2}, UNDER_WAY, None),
    ("tick", {"item": 3}, UNDER_WAY, "there is no such checklist item: the list has 2"),
    ("tick", {}, UNDER_WAY, "there is no such checklist item: the list has 2"),
    ("hold", {}, UNDER_WAY, None),
    ("hold", {}, HELD, "the run is on hold already"),
    ("resume", {}, HELD, None),
    ("resume", {}, UNDER_WAY, "the run is not on hold"),
    ("skip", {}, UNDER_WAY, None),
    ("skip", {}, IDLE, "no scenario is under way"),
    ("reveal", {}, SEALED, None),
    ("reveal", {}, UNDER_WAY, "this scenario is not sealed"),
    ("reveal", {}, IDLE, "no scenario is under way"),
    ("extend", {"by": timedelta(minutes=2)}, UNDER_WAY, None),
    ("extend", {}, UNDER_WAY, "say by how long, such as 2m"),
    ("extend", {"by": timedelta(minutes=2)}, IDLE, "no fault is on that could be extended"),
    ("extend", {"by": timedelta(minutes=2)}, ENDING, "the run is ending"),
    ("mark", {"clock": Clock.DETECT}, UNDER_WAY, None),
    ("mark", {"clock": Clock.DETECT}, ENDING, None),
    ("mark", {}, UNDER_WAY, "say what you mark: detected or mitigated"),
    ("mark", {"clock": Clock.DETECT}, IDLE, "no scenario is under way"),
    ("note", {"text": "the queue grows"}, IDLE, None),
    ("note", {"text": "the queue grows"}, ENDING, None),
    ("note", {}, UNDER_WAY, "a note needs text"),
    ("abort", {}, IDLE, None),
    ("abort", {}, GATE, None),
    ("abort", {}, UNDER_WAY, None),
    ("abort", {}, HELD, None),
    ("abort", {}, ENDING, None),
]


@pytest.mark.parametrize(("verb", "more", "moment", "expected"), TABLE)
def test_a_commander_is_answered_like_this(verb: str, more: dict[str, Any], moment: Moment, expected: str | None) -> None:
    assert refusal(command(verb, **more), moment) == expected


def test_an_abort_that_comes_too_late_is_answered_and_not_refused() -> None:
    assert refusal(command("abort"), OVER) is None


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.ABORT])
def test_nothing_else_is_accepted_once_the_run_is_over(verb: Verb) -> None:
    given = command(verb, text="x", clock=Clock.DETECT, item=1, by=timedelta(minutes=1))
    assert refusal(given, OVER) == "the run is over"


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("role", [*Role, None])
def test_a_role_decides_what_its_holder_may_say(verb: Verb, role: Role | None) -> None:
    everyone, leads = {"ready", "tick", "abort", "note", "mark"}, {"hold"}
    moment = Moment(scenario=0, gate="day", injected=True, fault_on=True, sealed=True, held=verb is Verb.RESUME, checklist=1, started_by="starter")
    given = command(verb, actor=Actor(id="U09", name="Pat", role=role), text="x", clock=Clock.DETECT, item=1, by=timedelta(minutes=1))
    answer = refusal(given, moment)
    may = (
        verb in {"abort", "note", "mark"}
        or (role is not None and verb in everyone)
        or role is Role.COMMANDER
        or (role in {Role.TECHNICAL_LEAD, Role.SAFETY} and verb in leads)
    )
    assert (answer is None) is may
    if not may:
        assert answer is not None and answer.startswith(f"Pat may not {verb}: that is for ")


def test_a_refusal_names_the_roles_that_may() -> None:
    observer = Actor(id="U04", name="Edsger", role=Role.OBSERVER)
    assert refusal(command("hold", observer), UNDER_WAY) == (
        "Edsger may not hold: that is for commander, safety, technical lead, or whoever started the run"
    )


@pytest.mark.parametrize("verb", sorted(MAY))
def test_whoever_started_the_run_may_say_everything(verb: Verb) -> None:
    moment = Moment(scenario=0, gate="day", injected=True, fault_on=True, sealed=True, held=verb is Verb.RESUME, checklist=1, started_by="ada")
    given = command(verb, actor=Actor(id="ada", name="ada"), text="x", clock=Clock.DETECT, item=1, by=timedelta(minutes=1))
    assert refusal(given, moment) is None


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize("moment", [IDLE, GATE, UNDER_WAY, SEALED, HELD, ENDING])
def test_anyone_may_abort_at_any_moment_before_the_end(role: Role | None, moment: Moment) -> None:
    assert refusal(command("abort", actor=Actor(id="U09", name="Pat", role=role)), moment) is None


@pytest.mark.parametrize(
    "more", [{"by": timedelta(0)}, {"by": timedelta(hours=5)}, {"item": 0}, {"text": "a\x1bb"}, {"reason": ""}, {"owner": "x" * 201}]
)
def test_a_command_that_makes_no_sense_is_none(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        command("note", **more)
