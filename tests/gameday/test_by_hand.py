"""What is done by hand, in the language: who is asked, what a playbook may say of it, and how it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.kinds import catalogue, of_hosts
from gameday.by_hand import Asked, Errand, Half, at, open_errands
from gameday.cli.fault_table import faults
from gameday.commands import Actor, Command, Moment, Verb, refusal
from gameday.errors import PlaybookError
from gameday.event import Event, EventKind
from gameday.inventory import look_up
from gameday.lines import line
from gameday.loading import loads
from gameday.plan import Plan, RunKind, plan
from gameday.playbook import Role
from gameday.record import RunRecord
from gameday.settings import HostSettings, Settings
from gameday.view import RunView
from gameday.viewer import veil
from gameday.yaml_tree import Problem
from reports.proofs import proofs

NOW = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
TEAM = "{commander: {name: Ada}, technical_lead: {name: Margaret}, responders: [{name: Linus}], away: [{name: Barbara}]}"
DAY = """\
name: cable-day
objective: Does it hold?
team: TEAM
probes: {up: {tcp: {host: 127.0.0.1, port: 1, measure: ok}}}
abort_when: ['up < 50 %']
hypothesis: It holds
sealed: false
faults:
  - {name: cable-out, inject: manual, with: {do: Pull the cable, undo: Plug it back in, by: Linus}, for: 2m}
expect: ['up > 90 %']
""".replace("TEAM", TEAM)


def problems(text: str) -> list[Problem]:
    try:
        return list(loads(text.encode(), catalogue()).warnings)
    except PlaybookError as error:
        return [each for each in error.problems if isinstance(each, Problem)]


def planned(text: str, kind: RunKind = RunKind.DAY) -> Plan:
    return plan(loads(text.encode(), catalogue()), catalogue(), Actor(id="os:pat", name="Pat"), NOW, kind=kind)


def errand(made: Plan) -> Errand:
    found = made.errand(0, made.playbook.scenarios[0].faults[0])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("old", "new", "field", "message", "expected"),
    [
        ("by: Linus", "by: Linsu", "faults[0].with.by", "'Linsu' is not on the team, or is away", "did you mean 'Linus'?"),
        ("by: Linus", "by: Barbara", "faults[0].with.by", "'Barbara' is not on the team, or is away", "one of Ada, Linus, Margaret"),
        ("do: Pull the cable, ", "", "faults[0].with", "'do' is missing", "what is to be done"),
        ("Pull the cable", '"Pull\\nit"', "faults[0].with.do", "", ""),
        ("by: Linus}", "by: Linus, do_within: 0s}", "faults[0].with.do_within", "", ""),
        (
            "for: 2m",
            "for: 2m, on: {host: local}",
            "faults[0].on",
            "manual is done by hand, on no host",
            "no 'on'; 'do' under 'with' says what to do",
        ),
        (
            "for: 2m",
            "for: 2h",
            "faults[0].for",
            "the fault lasts longer than blast_radius.max_duration (60m)",
            "'for: 60m' at most",
        ),
    ],
)
def test_what_cannot_be_asked_of_anybody_is_a_problem(old: str, new: str, field: str, message: str, expected: str) -> None:
    (found,) = problems(DAY.replace(old, new))
    assert found.field == field and not found.warning and message in found.message and expected in found.expected


def test_asking_a_responder_of_a_sealed_scenario_is_doubted() -> None:
    (found,) = problems(DAY.replace("sealed: false", "sealed: true"))
    assert found.warning and found.message == "this scenario is sealed, and Linus is a responder: being asked gives it away to them"


@pytest.mark.parametrize(
    "change",
    [
        ("", ""),
        (", by: Linus", ""),
        (f"team: {TEAM}\n", ""),
        ("sealed: false", "blast_radius: {hosts: [ledger-1]}"),
    ],
)
def test_what_can_be_asked_is_left_alone(change: tuple[str, str]) -> None:
    assert problems(DAY.replace(*change) if change[0] else DAY) == []


def test_no_host_is_looked_up_for_it() -> None:
    known = Settings(home=Path("/nowhere"), host="ledger-1", hosts={"ledger-1": HostSettings()})
    found = look_up(DAY.encode(), {}, known)
    assert (found.warnings, found.unchecked) == ([], [])


@pytest.mark.parametrize(
    ("change", "who"),
    [
        (("", ""), "Linus"),
        ((", by: Linus", ""), "Margaret"),
        ((", technical_lead: {name: Margaret}", ""), "Ada"),
        ((f"team: {TEAM}\n", ""), "Pat"),
    ],
)
def test_it_is_asked_of_whoever_is_named_else_of_who_leads(change: tuple[str, str], who: str) -> None:
    text = DAY.replace(*change) if change[0] else DAY
    text = text if change[0] in ("", ", by: Linus") else text.replace(", by: Linus", "")
    assert errand(planned(text)).by == who


def test_its_times_are_ten_and_five_minutes_unless_it_says_otherwise() -> None:
    made = errand(planned(DAY))
    assert (made.do_within, made.undo_within) == (timedelta(minutes=10), timedelta(minutes=5))
    made = errand(planned(DAY.replace("by: Linus", "by: Linus, do_within: 30s, undo_within: 1m")))
    assert (made.do_within, made.undo_within) == (timedelta(seconds=30), timedelta(minutes=1))


def test_a_rehearsal_and_a_dry_run_change_nothing_of_it() -> None:
    assert [planned(DAY, kind).is_dry(0, "cable-out") for kind in RunKind] == [False, True, True]


def test_no_host_carries_it_out() -> None:
    assert "manual" in catalogue().injectors and "manual" not in of_hosts()


def told(kind: EventKind, seconds: int, actor: str | None = None, **data: object) -> Event:
    facts = {"name": "cable-out", "label": "by hand, Linus", "kind": "manual", "by": "Linus", **data}
    made = {"id": f"{kind}-{seconds}", "run_id": "r", "at": NOW + timedelta(seconds=seconds), "kind": kind, "scenario": 0}
    return Event.model_validate({**made, "fault": "f-1", "actor": actor, "data": facts})


def word(text: str) -> list[dict[str, str]]:
    return [{"step": "by hand", "before": "–", "after": f"Linus says done: {text}", "state": "by the word of Linus"}]


UNTIL = (NOW + timedelta(minutes=10)).isoformat()
STORY = [
    told(EventKind.FAULT_ARMED, 0),
    told(EventKind.FAULT_ASKED, 1, what="do", text="Pull the cable", until=UNTIL),
    told(EventKind.FAULT_ACTIVE, 31, actor="Linus", took_ms=30_000.0, proof=word("Pull the cable")),
    told(EventKind.FAULT_REVERTING, 60, reason="enough"),
    told(EventKind.FAULT_ASKED, 61, what="undo", text="Plug it back in", until=UNTIL),
    told(EventKind.FAULT_DIRTY, 90, problems=["Linus has not said that it is undone: Plug it back in"]),
    told(EventKind.FAULT_ENDED, 120, actor="Linus", outcome="reverted", reason="enough", took_ms=59_000.0, proof=word("Plug it back in")),
]
SAID = [
    None,
    "asks Linus: Pull the cable, until 12:10:00; `gameday done RUN cable-out` says that it is done",
    "cable-out is on: by hand, Linus; after 30 s: Linus says done: Pull the cable",
    None,
    "asks Linus: Plug it back in, until 12:10:00; `gameday done RUN cable-out` says that it is done",
    "cable-out, by hand, Linus is not proven gone: Linus has not said that it is undone: Plug it back in. `gameday done` says when it is.",
    "cable-out reverted after 59 s; Linus says done: Plug it back in",
]


def test_each_of_its_events_says_whose_word_it_is() -> None:
    view = RunView(planned(DAY), NOW)
    said = [line(event, view) for event in STORY]
    assert [each and each.text.replace(view.plan.run_id, "RUN") for each in said] == SAID


def test_the_view_shows_who_is_asked_for_what() -> None:
    view = RunView(planned(DAY), NOW)
    seen = []
    for event in STORY:
        view.take(event)
        row = view.faults["f-1"]
        seen.append((row.state, row.asked.text if row.asked else ""))
    assert seen == [
        ("armed", ""),
        ("asked", "Pull the cable"),
        ("active", ""),
        ("reverting", ""),
        ("asked", "Plug it back in"),
        ("dirty", "Plug it back in"),
        ("reverted", ""),
    ]


@pytest.mark.parametrize(("width", "shown"), [(140, "asks Linus: Pull the cable, until 12:10:00"), (60, "asks Linus")])
def test_the_table_of_faults_says_who_is_asked_and_has_no_lease_for_it(width: int, shown: str) -> None:
    view = RunView(planned(DAY), NOW)
    for event in STORY[:2]:
        view.take(event)
    _, row = (each.plain.split("   ") for each in faults(view, NOW, {}, width, 9))
    assert [cell.strip() for cell in row if cell.strip()] == ["cable-out", "by hand, Linus", "▷ asked", "–", shown]


@pytest.mark.parametrize(("until", "half"), [(1, None), (2, Half.DO), (3, None), (5, Half.UNDO), (6, Half.UNDO), (7, None)])
def test_what_is_still_asked_is_told_by_the_record(until: int, half: Half | None) -> None:
    found = open_errands(STORY[:until]).get("cable-out")
    assert (found[1].half if found else None) is half


def test_a_word_is_never_called_a_read_back() -> None:
    record = RunRecord(planned(DAY), tuple(STORY), ())
    (proof,) = proofs(record, 0)
    assert (proof.clean, proof.word) == (True, "by the word of Linus")
    assert proof.seen == "not proven clean at first, said to be gone 30 s later; by the word of Linus"


def test_only_whoever_is_asked_sees_it_in_a_hidden_scenario() -> None:
    record = RunRecord(planned(DAY.replace("sealed: false", "sealed: true")), tuple(STORY), ())
    assert veil(record, "Ada").events == veil(record).events == ()
    mine = veil(record, "Linus").events
    assert [(event.kind, event.fault, sorted(event.data)) for event in mine] == [
        (EventKind.FAULT_ASKED, None, ["by", "name", "text", "until", "what"])
    ] * 2
    view = RunView(veil(record, "Linus").plan, NOW)
    assert [view.take(event) is not None for event in mine] == [True, True] and view.faults == {}


def test_its_place_follows_its_name() -> None:
    assert [at("by hand, Linus"), at("dry run: by hand, Linus"), at("local, ledger")] == [
        ", by hand, Linus",
        ", dry run: by hand, Linus",
        " on local, ledger",
    ]


CABLE = Asked(fault="cable-out", half=Half.DO, text="Pull the cable", by="Linus")
FUSE = Asked(fault="fuse", half=Half.UNDO, text="Put the fuse back", by="Grace")
LINUS, GRACE = Actor(id="1", name="Linus", role=Role.RESPONDER), Actor(id="2", name="Grace", role=Role.SAFETY)
MARGARET = Actor(id="3", name="Margaret", role=Role.TECHNICAL_LEAD)
THAT_IS_FOR = "that is for whoever is asked, commander, technical lead, or whoever started the run"


@pytest.mark.parametrize(
    ("actor", "more", "asked", "expected"),
    [
        (LINUS, {}, (CABLE, FUSE), None),
        (LINUS, {"fault": "fuse"}, (CABLE, FUSE), "'fuse' is nothing that Linus may say done to now; expected cable-out"),
        (GRACE, {"fault": "fuse"}, (CABLE, FUSE), None),
        (GRACE, {}, (CABLE,), f"Grace may not say done: {THAT_IS_FOR}"),
        (GRACE, {}, (), f"Grace may not say done: {THAT_IS_FOR}"),
        (MARGARET, {}, (CABLE,), None),
        (MARGARET, {}, (CABLE, FUSE), "several things are asked for; say which is done: cable-out or fuse"),
        (MARGARET, {"fault": "fuse"}, (CABLE, FUSE), None),
        (MARGARET, {"fault": "fuze"}, (CABLE, FUSE), "'fuze' is nothing that Margaret may say done to now; expected cable-out or fuse"),
        (MARGARET, {}, (), "nothing is asked of anybody now, to be done by hand"),
        (MARGARET, {"half": Half.UNDO}, (CABLE,), "that was for an earlier request; asked now is: Pull the cable"),
        (MARGARET, {"half": Half.DO}, (CABLE,), None),
    ],
)
def test_whose_word_counts_for_what(actor: Actor, more: dict[str, str], asked: tuple[Asked, ...], expected: str | None) -> None:
    command = Command.model_validate({"verb": Verb.DONE, "id": "1", "actor": actor, **more})
    assert refusal(command, Moment(started_by="starter", asked=asked)) == expected
