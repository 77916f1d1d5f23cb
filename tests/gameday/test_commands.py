"""Who may say what, and when: a table of verb and moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from gameday.by_hand import Asked, Half
from gameday.commands import URGENT, Actor, Command, Moment, Verb, refusal
from gameday.language import Clock
from gameday.playbook import Role
from gameday.rooms import AbortFrom

IDLE = Moment(started_by="starter")
GATE = Moment(started_by="starter", gate="inject 1")
UNDER_WAY = Moment(started_by="starter", scenario=0, injected=True, fault_on=True, checklist=("", ""))
SEALED = Moment(started_by="starter", scenario=0, sealed=True)
HELD = Moment(started_by="starter", scenario=0, held=True)
ENDING = Moment(started_by="starter", scenario=0, ending=True, injected=True, fault_on=True, gate="inject 1", held=True, checklist=("", ""))
TEAM = Moment(started_by="starter", scenario=0, team=("Ada", "Grace", "Linus"), gate="inject 1")
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
    ("real", {}, IDLE, None),
    ("real", {}, ENDING, None),
    ("handover", {"to": "Grace"}, TEAM, None),
    ("handover", {"to": "Nobody"}, TEAM, "there is nobody called 'Nobody' in the team; expected one of Ada, Grace, Linus"),
    ("handover", {}, IDLE, "there is nobody called None in the team; expected one of those whom the playbook names"),
    ("handover", {"to": "Grace"}, ENDING, "the run is ending"),
]


@pytest.mark.parametrize(("verb", "more", "moment", "expected"), TABLE)
def test_a_commander_is_answered_like_this(verb: str, more: dict[str, Any], moment: Moment, expected: str | None) -> None:
    assert refusal(command(verb, **more), moment) == expected


@pytest.mark.parametrize("verb", sorted(URGENT))
def test_what_is_urgent_and_comes_too_late_is_answered_and_not_refused(verb: Verb) -> None:
    assert refusal(command(verb), OVER) is None


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in URGENT])
def test_nothing_else_is_accepted_once_the_run_is_over(verb: Verb) -> None:
    given = command(verb, text="x", clock=Clock.DETECT, item=1, by=timedelta(minutes=1))
    assert refusal(given, OVER) == "the run is over"


STARTER, NOBODY = "whoever started it", "a stranger"
WHO = [*Role, STARTER, NOBODY]
LEADERS = {Role.COMMANDER, Role.TECHNICAL_LEAD, Role.SAFETY}
ALLOWED: dict[str, set[Any]] = {
    "go": {Role.COMMANDER, STARTER},
    "hold": {*LEADERS, STARTER},
    "resume": {Role.COMMANDER, STARTER},
    "skip": {Role.COMMANDER, STARTER},
    "extend": {Role.COMMANDER, STARTER},
    "reveal": {Role.COMMANDER, STARTER},
    "handover": {Role.COMMANDER, STARTER},
    "ready": {*Role, STARTER},
    "tick": {*Role, STARTER},
    "done": {Role.COMMANDER, Role.TECHNICAL_LEAD, STARTER},
    "here": {*Role, STARTER},
    "unready": {*Role, STARTER},
    "predict": {*Role, STARTER},
    "abort": set(WHO),
    "real": set(WHO),
    "note": set(WHO),
    "mark": set(WHO),
}
CABLE = Asked(fault="cable-out", half=Half.UNDO, text="Plug it back in", by="Linus")
PHASES: dict[str, dict[str, Any]] = {
    "before the first scenario": {},
    "the gate of the day": {"gate": "day"},
    "pre-check": {"scenario": 0},
    "the gate of an inject": {"scenario": 0, "gate": "inject 1"},
    "a fault is on": {"scenario": 0, "injected": True, "fault_on": True},
    "recover": {"scenario": 0, "injected": True},
    "debrief": {"scenario": 0, "injected": True, "resting": True},
    "held": {"scenario": 0, "held": True},
    "sealed": {"scenario": 0, "sealed": True},
    "something is to be undone by hand": {"scenario": 0, "injected": True, "asked": (CABLE,)},
    "the run is ending": {"scenario": 0, "ending": True},
    "the run is ending, and something is to be undone": {"scenario": 0, "ending": True, "asked": (CABLE,)},
    "the run is over": {"ended": True},
}
ENDING_OR_OVER = {"the run is ending", "the run is ending, and something is to be undone", "the run is over"}
THEN: dict[str, set[str]] = {
    "go": {"the gate of the day", "the gate of an inject"},
    "hold": set(PHASES) - {"held"} - ENDING_OR_OVER,
    "resume": {"held"},
    "skip": set(PHASES) - {"before the first scenario", "the gate of the day"} - ENDING_OR_OVER,
    "extend": {"a fault is on"},
    "reveal": {"sealed"},
    "handover": set(PHASES) - ENDING_OR_OVER,
    "ready": set(PHASES) - ENDING_OR_OVER,
    "tick": set(PHASES) - ENDING_OR_OVER,
    "here": set(PHASES) - ENDING_OR_OVER,
    "unready": set(PHASES) - ENDING_OR_OVER,
    "predict": set(PHASES) - ENDING_OR_OVER,
    "abort": set(PHASES),
    "real": set(PHASES),
    "note": set(PHASES) - {"the run is over"},
    "mark": {"a fault is on", "recover", "something is to be undone by hand", "sealed"},  # its answer must not tell whether anything is on
    "done": {"something is to be undone by hand", "the run is ending, and something is to be undone"},
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("verb", Verb)
def test_who_may_say_what_and_when(verb: Verb, who: Role | str, phase: str) -> None:
    """The whole table: role x command x phase."""
    moment = Moment(**PHASES[phase], checklist=("",), started_by="starter", team=("Ada", "Pat"))
    role = who if isinstance(who, Role) else None
    actor = Actor(id="starter" if who == STARTER else "U09", name="Pat", role=role)
    answer = refusal(command(verb, actor=actor, text="x", clock=Clock.DETECT, item=1, by=timedelta(minutes=1), to="Ada"), moment)
    assert (answer is None) is (who in ALLOWED[verb] and phase in THEN[verb]), answer
    if phase in THEN[verb] and answer is not None:
        assert answer.startswith(f"Pat may not {'say done' if verb == 'done' else verb}: that is for ")


@pytest.mark.parametrize(
    ("verb", "who", "may"),
    [
        ("go", "Grace", True),
        ("go", "Ada", False),
        ("go", "starter", False),
        ("handover", "Grace", True),
        ("extend", "Ada", False),
        ("hold", "Linus", False),
        ("ready", "Ada", True),
        ("abort", "Ada", True),
        ("real", "starter", True),
    ],
)
def test_after_a_handover_the_new_commander_commands_and_the_old_one_looks_on(verb: str, who: str, may: bool) -> None:
    roles = {"Ada": Role.COMMANDER, "Grace": Role.SAFETY, "Linus": Role.RESPONDER}
    moment = Moment(
        scenario=0, gate="inject 1", fault_on=True, injected=True, started_by="starter", handed_to="Grace", team=("Ada", "Grace", "Linus")
    )
    answer = refusal(command(verb, actor=Actor(id=who, name=who, role=roles.get(who)), by=timedelta(minutes=1), to="Ada"), moment)
    assert (answer is None) is may
    if verb == "go" and not may:
        assert answer == f"{who} may not go: that is for Grace"


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        (Actor(id="starter", name="Ada", role=Role.COMMANDER), "this gate asks for two people: whoever started the run cannot say go to it as well"),
        (Actor(id="U02", name="Grace", role=Role.SAFETY), None),
        (
            Actor(id="U03", name="Linus", role=Role.RESPONDER),
            "Linus may not go: that is for commander, safety, technical lead, or whoever started the run",
        ),
    ],
)
def test_where_two_people_are_asked_for_the_go_is_somebody_elses(who: Actor, answer: str | None) -> None:
    assert refusal(command("go", actor=who), Moment(gate="inject 1", started_by="starter", two_people=True)) == answer


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (Actor(id="U03", name="Linus", role=Role.RESPONDER), True),
        (COMMANDER, True),
        (Actor(id="starter", name="Pat"), True),
        (Actor(id="U02", name="Grace", role=Role.SAFETY), False),
    ],
)
def test_an_item_is_its_owners_to_tick_or_the_commanders(who: Actor, may: bool) -> None:
    moment = Moment(started_by="starter", checklist=("", "Linus"), team=("Ada", "Grace", "Linus"))
    assert refusal(command("tick", actor=who, item=2), moment) == (None if may else "that item is Linus's to tick, or the commander's")
    assert refusal(command("tick", actor=who, item=1), moment) is None


def test_an_item_of_somebody_who_is_away_is_anybodys() -> None:
    moment = Moment(started_by="starter", checklist=("Barbara",), team=("Ada", "Grace"))
    assert refusal(command("tick", actor=Actor(id="U02", name="Grace", role=Role.SAFETY), item=1), moment) is None


@pytest.mark.parametrize("verb", ["abort", "real"])
@pytest.mark.parametrize(("who", "may"), [(Actor(id="U09", name="Pat"), False), (Actor(id="starter", name="Pat"), True), (COMMANDER, True)])
@pytest.mark.parametrize("moment", [IDLE, UNDER_WAY, ENDING, OVER])
def test_a_day_may_take_an_abort_from_its_team_alone(verb: str, who: Actor, may: bool, moment: Moment) -> None:
    answer = refusal(command(verb, actor=who), moment.model_copy(update={"abort_from": AbortFrom.TEAM}))
    assert (answer is None) is may
    assert may or f"Pat may not {verb}" in str(answer)


def test_a_refusal_names_the_roles_that_may() -> None:
    observer = Actor(id="U04", name="Edsger", role=Role.OBSERVER)
    assert refusal(command("hold", observer), UNDER_WAY) == (
        "Edsger may not hold: that is for commander, safety, technical lead, or whoever started the run"
    )


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
