"""What is on screen is also in --json, for whoever looks: seals, leases, verdicts so far, guardrails, timeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activities.store import RunStore
from gameday.cli import context
from gameday.cli.facts import facts
from gameday.cli.reading import view_of
from gameday.event import EventKind
from gameday.record import RunRecord
from tests.gameday.cli.told import FIRST, Telling, plan_of, told_day, told_until, write

Inside = Callable[..., str]
PAGE = Path(__file__).parents[3] / "docs" / "commands.md"


def known(record: RunRecord, leases: dict[str, float] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(facts(record, view_of(record), leases or {})))
    return found


def test_at_a_gate_it_has_what_the_gate_asks_for(day: RunRecord) -> None:
    told = known(told_until(day, 7.5))
    assert (told["gate"], told["gate_asks"], told["ready"]) == ("inject 1", {"ready": 2, "checklist": True}, ["Linus"])
    assert [(each["item"], each["ticked"]) for each in told["checklist"]] == [("Deploys frozen", True), ("Abort criteria read aloud", False)]
    assert [each["predictions"] for each in told["scenarios"]] == [["first alert after", "worst errors"], ["who is paged?"]]
    assert [each["state"] for each in told["phases"]] == ["now", "to come", "to come", "to come", "to come"]
    assert told["scenarios"][0]["expectations"][0] == {
        "expectation": "errors < 1 %",
        "word": "not reached",
        "seen": "nothing was injected",
        "final": False,
    }
    assert told["scenarios"][1]["expectations"] == [{"expectation": "errors < 1 %", "word": None, "seen": "not begun", "final": False}]
    assert [each["state"] for each in told["guardrails"]] == ["not watched", "not watched"]


def test_with_a_fault_on_it_has_lease_verdicts_so_far_and_timeline(day: RunRecord) -> None:
    told = known(told_until(day, 16), {FIRST: 12.44})
    assert (told["faults"][FIRST]["lease_s"], told["faults"][FIRST]["kind"]) == (12.4, "process.pause")
    assert [each["state"] for each in told["phases"]] == ["done", "done", "now", "to come", "to come"]
    throughout, mitigated = told["scenarios"][0]["expectations"]
    assert (throughout["word"], throughout["final"]) == ("upheld", False)
    assert throughout["seen"].startswith("worst sample 0.6 % at +0:00")
    assert mitigated["seen"] == "not mitigated so far; the record stops here"
    assert told["probes"]["errors"]["steady_when"] == ["< 0.1 %"]
    assert told["probes"]["errors"]["trend"][-1][1] == 0.006
    last = told["timeline"][-1]
    assert (last["kind"], last["what"], last["since_inject_s"]) == ("note", "Linus", 5.5)
    alert = next(each for each in told["timeline"] if each["kind"] == "alert.firing")
    assert (alert["text"], alert["stops"]) == ("LedgerDown is firing", ["detected"])


def test_a_lease_that_this_machine_cannot_know_is_not_a_number(day: RunRecord) -> None:
    assert known(told_until(day, 16))["faults"][FIRST]["lease_s"] is None


@pytest.mark.parametrize(
    ("seconds", "errors", "failed"),
    [(16, ("clear", 0, None), ("clear", None, 24)), (41, ("counting", 3, None), ("clear", None, 81)), (61, ("breached", None, "6 %"), None)],
)
def test_a_guardrail_says_how_near_it_is(day: RunRecord, seconds: float, errors: tuple[Any, ...], failed: tuple[Any, ...] | None) -> None:
    first, second = known(told_until(day, seconds))["guardrails"]
    assert (first["state"], first["hits"], first["seen"]) == errors
    assert (first["hits_needed"], first["samples"], first["limit"]) == (3, 5, 0.05)
    assert failed is None or (second["state"], second["seen"], second["total"]) == failed
    assert second["limit"] == 500


def test_a_relative_guardrail_does_not_count_the_time_without_a_baseline() -> None:
    plan = plan_of()
    rail = plan.playbook.abort_when[0].parse("latency_p99 > 10 x baseline in 3 of 5 samples")
    plan = plan.model_copy(update={"playbook": plan.playbook.model_copy(update={"abort_when": (rail,)})})
    (early,), (later,) = (known(told_until(told_day(plan), seconds))["guardrails"] for seconds in (4, 13))
    assert (early["state"], early["limit"]) == ("not watched", None)
    assert (later["state"], later["hits"], later["limit"]) == ("clear", 0, 0.4)


def test_the_end_has_final_verdicts_and_what_is_left_behind(day: RunRecord) -> None:
    told = known(day)
    assert [each["final"] for each in told["scenarios"][1]["expectations"]] == [True]
    assert told["scenarios"][1]["expectations"][0]["word"] == "refuted"
    assert told["left_behind"] == "nothing is left behind: 2 faults, 2 reverted, 0 dirty"
    assert known(told_until(day, 16))["left_behind"] is None
    assert told["timeline"][-1]["text"] == "aborted"


@pytest.fixture
def sealed() -> RunRecord:
    """The day with its second scenario sealed and under way: at its gate, then with its fault on."""
    telling = Telling(plan_of(sealed=True))
    telling.events, telling.samples = list(told_until(told_day(telling.plan), 43).events), []
    telling.event(42, EventKind.GATE_WAITING, 1, gate="inject 2", until=telling.at(900).isoformat())
    return telling.record()


SECRETS = ("ledger-slow", "The ledger is slow", "Orders wait", "envoy edge", "http.fault", "who is paged")


@pytest.mark.parametrize("words", [("status", "--json"), ("status",), ("runs", "--json")], ids=" ".join)
def test_what_is_sealed_stays_sealed(
    empty_home: Path, sealed: RunRecord, inside: Inside, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    write(RunStore(f"sqlite:///{empty_home / 'gameday.db'}"), sealed)
    monkeypatch.setattr(context, "user", lambda: "linus")
    assert [secret for secret in SECRETS if secret in inside(*words)] == []


def test_what_a_seal_hides_is_not_known(empty_home: Path, sealed: RunRecord, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    write(RunStore(f"sqlite:///{empty_home / 'gameday.db'}"), sealed)
    monkeypatch.setattr(context, "user", lambda: "linus")
    told = json.loads(inside("status", "--json"))
    assert (told["outside_steady_state_s"], told["totals"]) == (None, None)
    assert "customers ? (told at the reveal)" in inside("status")


def test_who_leads_the_day_sees_all_of_it(empty_home: Path, sealed: RunRecord, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    write(RunStore(f"sqlite:///{empty_home / 'gameday.db'}"), sealed)
    monkeypatch.setattr(context, "user", lambda: "ada")
    said = inside("status", "--json")
    assert [secret for secret in SECRETS if secret not in said] == []
    assert "before you go, ask: who is paged?" in inside("status").splitlines()


def test_a_list_of_runs_says_where_each_stands(empty_home: Path, day: RunRecord, inside: Inside) -> None:
    store = RunStore(f"sqlite:///{empty_home / 'gameday.db'}")
    write(store, told_until(day, 16))
    write(store, told_day(plan_of("abcd-checkout-day", seconds=3600)))
    ended, silent = json.loads(inside("runs", "--json"))
    assert (ended["outcome"], ended["stands"]) == ("aborted", "aborted")
    assert silent["outcome"] is None
    assert silent["stands"].startswith("no end; silent since ")


def test_every_key_is_on_the_page_of_commands(day: RunRecord) -> None:
    documented = set(re.findall(r"`([a-z_]+)`", PAGE.read_text().split("### gameday status")[1].split("\n## ")[0]))
    told = known(told_until(day, 16))
    parts = [told, told["scenarios"][0], told["scenarios"][0]["expectations"][0], told["probes"]["errors"], told["guardrails"][0]]
    parts += [told["faults"][FIRST], told["timeline"][0], told["phases"][0], told["checklist"][0], known(told_until(day, 7.5))["gate_asks"]]
    assert sorted({key for part in parts for key in part} - documented) == []
