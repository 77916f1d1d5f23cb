"""Whom an event calls, what it says, and that nothing in it gives a sealed scenario away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.commands import Actor
from gameday.event import Event, EventKind
from gameday.loading import loads
from gameday.notice import TELLING, Notice, heeds, notice
from gameday.notify import About
from gameday.plan import Plan, RunKind
from gameday.plan import plan as make_plan
from tests.gameday.conftest import CATALOGUE, at

CANARY = "canary"
"""A word in everything that a sealed scenario has."""
TEAM = "team: {commander: {name: Ada}, technical_lead: {name: Margaret}, safety: {name: Grace}, responders: [{name: Linus}]}"
DAY = """
name: checkout-day
objective: Do we notice?
environment: staging
TEAM
probes: {errors: {prometheus: {query: up, unit: ratio}}}
alerts: {from: {prometheus: {url: 'http://127.0.0.1'}}, expected: [CanaryAlert]}
abort_when: ['errors > 5 %']
scenarios:
  - title: The canary sings
    hypothesis: A canary is heard
    sealed: SEALED
    faults: [{name: canary-slow, inject: network.latency, with: {delay: 1s}}]
    rollback_plan: [Feed the canary, Open its cage]
"""


def made(sealed: bool = False, team: str = TEAM) -> Plan:
    text = DAY.replace("SEALED", str(sealed).lower()).replace("TEAM", team)
    return make_plan(loads(text.encode(), CATALOGUE), CATALOGUE, Actor(id="os:ada", name="Barbara"), at(-60))


DATA: dict[EventKind, dict[str, Any]] = {
    EventKind.FAULT_DIRTY: {"name": "canary-slow", "label": "canary host", "kind": "canary.kind", "problems": ["the canary is still there"]},
    EventKind.ABORTED: {"reason": "the canary died", "by": "abort"},
    EventKind.BREACH: {"guardrail": "errors > 5 %", "seen": "8 % in canary", "limit": "5 % of canary"},
    EventKind.PRESENCE_LOST: {"since": at(0).isoformat(), "until": at(60).isoformat()},
    EventKind.REAL_CALLED: {"reason": "smoke in the server room"},
    EventKind.ALERT_FIRING: {"alert": "CanaryOnFire", "expected": False, "class": "unexpected"},
    EventKind.FAULT_ENDED: {
        "name": "canary-slow",
        "label": "canary host",
        "kind": "canary.kind",
        "outcome": "reverted",
        "reason": "canary",
        "took_ms": 9.0,
    },
}


def event(run: Plan, kind: EventKind, /, scenario: int | None = 0, seconds: float = 10, fault: str | None = None, **data: Any) -> Event:
    mine = fault or ("f-1" if kind.name.startswith("FAULT") else None)
    actor = "Ada" if kind in (EventKind.ABORTED, EventKind.REAL_CALLED) else None
    facts = DATA.get(kind, {}) | data
    return Event(id=f"{kind.name}-{seconds:g}", run_id=run.run_id, at=at(seconds), kind=kind, scenario=scenario, fault=mine, actor=actor, data=facts)


def called(run: Plan, kind: EventKind, /, *known: Event, **how: Any) -> Notice:
    found = notice(event(run, kind, **how), run, known)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "about", "severity", "to", "text"),
    [
        (
            EventKind.FAULT_DIRTY,
            About.DIRTY,
            "critical",
            ("Margaret (technical lead)", "Ada (commander)"),
            "DIRTY: canary-slow on canary host is not proven gone: the canary is still there. It is tried again for ever. "
            "`gameday leftovers` on its host, and `gameday status RUN`, say what is left",
        ),
        (
            EventKind.ABORTED,
            About.ABORTED,
            "warning",
            ("Ada (commander)", "Grace (safety)"),
            "aborted by Ada: “the canary died”. Everything is taken off and read back: `gameday status RUN`",
        ),
        (
            EventKind.BREACH,
            About.BREACH,
            "error",
            ("Grace (safety)", "Ada (commander)"),
            "guardrail: errors > 5 % holds: 8 % in canary. Everything is taken off and read back: `gameday status RUN`",
        ),
        (
            EventKind.REAL_CALLED,
            About.REAL,
            "critical",
            ("Ada (commander)", "Margaret (technical lead)", "Grace (safety)", "Linus (responder)"),
            "a real incident, called by Ada: “smoke in the server room”; everything is taken off, the seals are open. "
            "`gameday status RUN` says what is proven gone",
        ),
        (
            EventKind.ALERT_FIRING,
            About.ALERT,
            "error",
            ("Ada (commander)",),
            "CanaryOnFire is firing, and nobody had expected it. `gameday status RUN` says which; if this is no drill: `gameday real RUN`",
        ),
    ],
)
def test_each_event_says_what_happened_to_what_and_what_to_do_next(
    kind: EventKind, about: About, severity: str, to: tuple[str, ...], text: str
) -> None:
    run = made()
    found = called(run, kind)
    assert (found.about, found.severity, found.to) == (about, severity, to)
    assert found.text == f"checkout-day (staging): {text.replace('RUN', run.run_id)}"
    assert (found.id, found.run_id, found.playbook, found.environment, found.at) == (f"{kind.name}-10", run.run_id, "checkout-day", "staging", at(10))


def test_a_call_from_a_rehearsal_says_that_it_is_one() -> None:
    run = made().model_copy(update={"kind": RunKind.REHEARSAL})
    assert called(run, EventKind.FAULT_DIRTY).text.startswith("rehearsal of checkout-day (staging): DIRTY: canary-slow")


def test_a_dry_run_calls_nobody() -> None:
    run = made().model_copy(update={"kind": RunKind.DRY})
    assert notice(event(run, EventKind.ABORTED, reason="enough", by="abort"), run) is None


def test_presence_that_is_lost_calls_the_safety_officer() -> None:
    found = called(made(), EventKind.PRESENCE_LOST)
    assert (found.about, found.to) == (About.PRESENCE, ("Grace (safety)",))
    assert f"{at(60):%H:%M:%S}" in found.text and "gameday abort" in found.text


def test_a_dirty_fault_brings_the_rollback_plan_and_a_breach_its_limit() -> None:
    assert called(made(), EventKind.FAULT_DIRTY).details == ("Feed the canary", "Open its cage")
    assert called(made(), EventKind.BREACH).details == ("expected: 5 % of canary",)


def test_only_the_end_of_a_fault_that_was_dirty_is_an_all_clear_under_the_key_of_its_first_dirty() -> None:
    run = made()
    first, second = event(run, EventKind.FAULT_DIRTY, seconds=1), event(run, EventKind.FAULT_DIRTY, seconds=5)
    other = event(run, EventKind.FAULT_DIRTY, seconds=2, fault="f-2")
    assert notice(event(run, EventKind.FAULT_ENDED), run, (other,)) is None
    clean = called(run, EventKind.FAULT_ENDED, other, second, first)
    assert (clean.about, clean.severity, clean.key) == (About.CLEAN, "info", f"gameday/{run.run_id}/FAULT_DIRTY-1")
    assert notice(second, run, (first, second)).key == notice(first, run, (second,)).key == clean.key  # type: ignore[union-attr]
    assert notice(event(run, EventKind.FAULT_ENDED, outcome="dirty"), run, (first,)) is None


def test_alerts_that_are_expected_or_unrelated_call_nobody() -> None:
    run = made()
    assert notice(event(run, EventKind.ALERT_FIRING, **{"class": "expected"}), run) is None
    assert notice(event(run, EventKind.ALERT_FIRING, **{"class": "unrelated"}), run) is None


def test_a_breach_and_its_abort_are_one_incident_and_an_alert_is_one_by_its_name() -> None:
    run = made()
    assert called(run, EventKind.BREACH).key == called(run, EventKind.ABORTED).key != called(run, EventKind.PRESENCE_LOST).key
    assert called(run, EventKind.ALERT_FIRING, seconds=1).key == called(run, EventKind.ALERT_FIRING, seconds=9).key
    assert called(run, EventKind.ALERT_FIRING, alert="Other").key != called(run, EventKind.ALERT_FIRING).key


def test_who_was_handed_the_command_is_called_and_without_a_team_who_started_it() -> None:
    run = made()
    handed = event(run, EventKind.HANDED_OVER, seconds=1, to="Margaret")
    assert called(run, EventKind.ALERT_FIRING, handed).to == ("Margaret (commander)",)
    assert called(run, EventKind.FAULT_DIRTY, handed).to == ("Margaret (commander)",)
    assert called(made(team="team: {commander: {name: Ada}}"), EventKind.PRESENCE_LOST).to == ("Ada (commander)",)
    assert called(made(team="team: {}"), EventKind.FAULT_DIRTY).to == ("Barbara",)


def everything(kind: EventKind) -> dict[str, Any]:
    """Data with the canary in every value that any event has."""
    keys = "alert cards class item kind label limit name note outcome plan problems proof reason says seen targets text title what"
    return {key: ["canary"] if key in ("problems", "proof", "targets") else "canary" for key in keys.split()} | DATA.get(kind, {})


@pytest.mark.parametrize("kind", [each for each in EventKind if each not in (EventKind.REAL_CALLED, EventKind.REVEALED, EventKind.RUN_ENDED)])
@pytest.mark.parametrize("scenario", [0, None])
def test_nothing_gives_a_sealed_scenario_away_whatever_is_known_of_it(kind: EventKind, scenario: int | None) -> None:
    run = made(sealed=True)
    known = tuple(
        event(run, each, seconds=1, **everything(each))
        for each in EventKind
        if each not in (EventKind.REAL_CALLED, EventKind.REVEALED, EventKind.RUN_ENDED)
    )
    said = event(run, kind, scenario=scenario, **everything(kind))
    for found in (notice(said, run, known), notice(said, run), notice(said, None, known), notice(said, None)):
        text = found.model_dump_json().lower() if found else ""
        assert CANARY not in text.replace("canary-slow", CANARY) and "f-1" not in text, kind


@pytest.mark.parametrize("kind", DATA)
def test_a_sealed_notice_still_calls_and_says_how_one_with_authority_finds_out(kind: EventKind) -> None:
    run = made(sealed=True)
    dirty = event(run, EventKind.FAULT_DIRTY, seconds=1)
    found = called(run, kind, dirty)
    assert run.run_id in found.text and "`gameday " in found.text and found.to
    if kind is not EventKind.REAL_CALLED and kind is not EventKind.ABORTED and kind is not EventKind.PRESENCE_LOST:
        assert "a scenario is running" in found.text and found.details == ()
    unplanned = notice(event(run, kind), None, (dirty,))
    assert unplanned is not None and (unplanned.about, unplanned.to, unplanned.playbook) == (found.about, (), None)


@pytest.mark.parametrize("opens", [EventKind.REVEALED, EventKind.RUN_ENDED, EventKind.REAL_CALLED])
def test_what_was_revealed_is_said(opens: EventKind) -> None:
    run = made(sealed=True)
    assert "canary-slow" in called(run, EventKind.FAULT_DIRTY, event(run, opens, seconds=1)).text
    assert "canary-slow" not in called(run, EventKind.FAULT_DIRTY).text


def test_a_real_incident_opens_the_seals_of_its_own_call_and_no_more_is_said_than_its_reason() -> None:
    found = called(made(sealed=True), EventKind.REAL_CALLED, event(made(sealed=True), EventKind.FAULT_DIRTY, seconds=1))
    assert "smoke in the server room" in found.text and CANARY not in found.model_dump_json().lower()


@given(st.sampled_from(sorted(DATA)), st.text(max_size=3000), st.booleans())
def test_whatever_others_wrote_a_notice_is_one_line_that_prints(kind: EventKind, text: str, sealed: bool) -> None:
    run = made(sealed=sealed)
    data = {
        key: [text] if isinstance(value, list) else text
        for key, value in DATA[kind].items()
        if key in ("label", "problems", "reason", "seen", "limit")
    }
    found = called(run, kind, event(run, EventKind.FAULT_DIRTY, seconds=1), **data)
    assert found.text.isprintable() and len(found.text) <= 900
    assert run.run_id in found.text[-120:], "what to do next is not cut off"
    json.loads(found.model_dump_json())


def test_what_is_heeded_is_what_calls_and_what_must_be_known_for_it() -> None:
    run = made()
    heeded = {kind for kind in EventKind if heeds(event(run, kind))}
    assert heeded == set(DATA) | TELLING
    assert not heeds(event(run, EventKind.ALERT_FIRING, **{"class": "expected"}))
