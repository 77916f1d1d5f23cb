"""What a rehearsal tries of a playbook, and what voids one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gameday.catalogue import Catalogue
from gameday.commands import Actor
from gameday.errors import BadInput
from gameday.limits import Gate
from gameday.loading import loads
from gameday.plan import Plan, RunKind, plan
from gameday.rehearsal import digest

ADA = Actor(id="ada", name="Ada")
NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)


def made(text: str, catalogue: Catalogue, kind: RunKind) -> Plan:
    return plan(loads(text.encode(), catalogue), catalogue, ADA, NOW, kind=kind)


def test_each_fault_is_tried_once_on_one_target_for_a_moment_and_stays_sealed(good: str, catalogue: Catalogue) -> None:
    more = "\n      - {name: two, inject: process.pause, on: {hosts: {app: ledger}, process: ledger, count: 30 %}, at: 5m, for: 9m}"
    text = good.replace("until: mitigated}", f"until: mitigated}}{more}", 1)
    rehearsed = made(text, catalogue, RunKind.REHEARSAL).playbook
    tried = [(scenario.faults[0].name, str(scenario.faults[0].on), scenario.faults[0].on.count, scenario.sealed) for scenario in rehearsed.scenarios]
    assert tried == [("ledger-frozen", "local, process ledger", None, True), ("two", "app=ledger, process ledger", 1, True)]
    assert {scenario.observe for scenario in rehearsed.scenarios} == {timedelta(seconds=2)}
    assert {(fault.at, fault.until, fault.duration) for scenario in rehearsed.scenarios for fault in scenario.faults} == {
        (timedelta(0), None, timedelta(seconds=15))
    }
    assert rehearsed.times.start is None and rehearsed.abort_when and not rehearsed.checklist


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("name: Ada, slack: U01", "name: Eva, slack: U01", True),
        ("start: '14:00'", "start: '13:00'", True),
        ("'errors < 1 %'", "'errors < 2 %'", True),
        ("title: The ledger freezes", "title: It stops", True),
        ("errors > 5 %", "errors > 6 %", False),
        ("'errors < 0.1 %'", "'errors < 0.2 %'", False),
        ("process: ledger}", "process: shop}", False),
        ("environment: staging", "environment: production", False),
        ("http_errors_total[15s]", "http_errors_total[30s]", False),
    ],
)
def test_what_was_tried_must_be_as_it_is_now(old: str, new: str, same: bool, good: str, catalogue: Catalogue) -> None:
    assert old in good
    before, after = (loads(text.encode(), catalogue).playbook for text in (good, good.replace(old, new).replace("owner: Ada", "owner: Grace")))
    assert (digest(before) == digest(after)) is same
    assert made(good, catalogue, RunKind.REHEARSAL).rehearsed_as == made(good, catalogue, RunKind.DAY).rehearsed_as == digest(before)


def test_a_rehearsal_asks_for_as_many_people_as_the_day(small: str, catalogue: Catalogue) -> None:
    text = small + "gates: {day: {two_people: true}, inject: {ready: 2, timeout: 3m, checklist: true}}\nchecklist: [{item: x}]\n"
    gate = made(text, catalogue, RunKind.REHEARSAL).playbook.gates.inject
    assert isinstance(gate, Gate) and (gate.two_people, gate.ready, gate.timeout, gate.checklist) == (True, 2, timedelta(minutes=3), False)


def test_a_rehearsal_of_more_faults_than_a_day_has_scenarios_is_refused(small: str, catalogue: Catalogue) -> None:
    faults = ", ".join(f"{{name: f{at}, inject: network.latency, with: {{delay: {at + 1}ms}}, for: 1s}}" for at in range(26))
    one = small.split("hypothesis")[0]
    scenario = f"\n  - {{title: T, hypothesis: H, faults: [{faults}]}}"
    other = scenario.replace("network.latency", "network.latency").replace("ms}", "s}")
    text = f"{one}blast_radius: {{max_targets: 99, max_concurrent: 99}}\nscenarios:{scenario}{other}\n"
    with pytest.raises(BadInput, match="a rehearsal tries at most 50 different faults, and this playbook has 52"):
        made(text, catalogue, RunKind.REHEARSAL)
    assert len(made(text, catalogue, RunKind.DAY).playbook.scenarios) == 2


def test_a_fault_is_on_no_longer_than_the_day_would_have_it_and_every_alert_it_names_is_looked_for(good: str, catalogue: Catalogue) -> None:
    text = good.replace("for: 10m", "for: 3s").replace(", expected: [LedgerDown]", "")
    playbook = made(text, catalogue, RunKind.REHEARSAL).playbook
    assert playbook.scenarios[0].faults[0].duration == timedelta(seconds=3)
    assert playbook.alerts is not None and playbook.alerts.expected == ("LedgerDown",)


def test_nothing_is_changed_in_a_dry_run_and_in_a_rehearsal_nothing_that_is_over_in_a_moment(small: str, catalogue: Catalogue) -> None:
    text = small.replace("faults: [", "faults: [{name: gone, inject: process.kill, on: {host: local, process: x}}, ")
    day, dry = made(text, catalogue, RunKind.DAY), made(text, catalogue, RunKind.DRY)
    assert [day.is_dry(0, name) for name in ("gone", "slow")] == [False, False]
    assert [dry.is_dry(0, name) for name in ("gone", "slow")] == [True, True]
    rehearsal = made(text, catalogue, RunKind.REHEARSAL)
    names = [scenario.faults[0].name for scenario in rehearsal.playbook.scenarios]
    assert {name: rehearsal.is_dry(index, name) for index, name in enumerate(names)} == {"gone": True, "slow": False}
