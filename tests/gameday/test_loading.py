"""From a file to a playbook, or to every problem at once in the order of the file."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from gameday.catalogue import Catalogue
from gameday.errors import BadInput
from gameday.language import Expectation, Guardrail, Prediction, Tolerance
from gameday.loading import MOST_PROBLEMS, load, loads
from gameday.playbook import Address, Afterwards, Card, Person, Target, Until
from tests.gameday.mistakes import Problems, changed, placed


def test_the_example_of_the_design_loads_with_every_field(good: str, catalogue: Catalogue) -> None:
    loaded = loads(good.encode(), catalogue)
    playbook = loaded.playbook
    assert (loaded.warnings, loaded.text) == ((), good)
    assert (playbook.name, playbook.environment) == ("checkout-day-june", "staging")
    assert playbook.objective == "Can checkout live without its ledger, and do we notice?"
    assert (playbook.times.start, playbook.times.latest_inject, playbook.times.stop, playbook.times.zone) == (
        "14:00",
        "15:30",
        "16:00",
        "Europe/Berlin",
    )
    assert playbook.team.commander == Person(name="Ada", slack="U01")
    assert [person.name for _, person in playbook.team.members()] == ["Ada", "Margaret", "Grace", "Linus", "Edsger"]
    assert [(item.item, item.owner) for item in playbook.checklist] == [("Deploys frozen", "Ada"), ("Abort criteria read aloud", "Ada")]
    assert list(playbook.probes) == ["errors", "latency_p99", "failed_requests"]
    assert playbook.alerts is not None and playbook.alerts.source.alertmanager == Address(url="http://127.0.0.1:9093")
    assert playbook.alerts.expected == ("LedgerDown",)
    assert playbook.steady_state == (Tolerance.parse("errors < 0.1 %"), Tolerance.parse("latency_p99 < 1.5 x baseline"))
    assert playbook.abort_when == (Guardrail.parse("errors > 5 % in 3 of 5 samples"), Guardrail.parse("failed_requests > 500 in total"))
    (scenario,) = playbook.scenarios
    assert (scenario.title, scenario.planned, scenario.sealed) == ("The ledger freezes", "14:15", True)
    (fault,) = scenario.faults
    assert (fault.name, fault.inject, fault.until) == ("ledger-frozen", "process.pause", Until.MITIGATED)
    assert (fault.on, fault.duration, fault.with_) == (Target(host="local", process="ledger"), timedelta(minutes=10), {})
    phrases = ("errors < 1 %", "alert LedgerDown within 60s", "mitigated within 5m", "recovered within 30s")
    assert scenario.expect == tuple(map(Expectation.parse, phrases))
    assert scenario.predict == tuple(map(Prediction.parse, ("first alert after", "worst errors", "who is paged")))
    assert scenario.cards == (Card(at=timedelta(minutes=4), say="Support: a customer was charged twice"),)
    assert scenario.rollback_plan == ("Restart the ledger", "Clear its connection pool")
    minute = timedelta(minutes=1)
    assert scenario.afterwards == Afterwards(steady_for=minute, debrief=10 * minute, break_=5 * minute)


def test_what_is_left_out_has_its_default(small: str, catalogue: Catalogue) -> None:
    playbook = loads(small.encode(), catalogue).playbook
    assert (playbook.environment, playbook.times.zone, playbook.gates.day) == ("local", "UTC", "off")
    assert playbook.scenarios[0].faults[0].on == Target(host="local")
    assert playbook.scenarios[0].faults[0].duration == timedelta(minutes=5)
    assert playbook.sampling.steady_samples == 5


def test_a_day_of_one_scenario_takes_its_title_from_the_objective(small: str, catalogue: Catalogue) -> None:
    (scenario,) = loads(small.encode(), catalogue).playbook.scenarios
    assert (scenario.title, scenario.hypothesis) == ("Does it hold?", "It holds")


def test_a_playbook_survives_its_way_through_json(good: str, catalogue: Catalogue) -> None:
    playbook = loads(good.encode(), catalogue).playbook
    assert type(playbook).model_validate_json(playbook.model_dump_json(by_alias=True)) == playbook


def test_a_file_is_loaded_by_its_path(tmp_path: Path, small: str, catalogue: Catalogue) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(small)
    assert load(path, catalogue) == loads(small.encode(), catalogue)


@pytest.mark.parametrize("name", ["absent.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_bad_input(name: str, tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / name, catalogue)


def test_everything_wrong_in_a_file_is_reported_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    text = """\
name: Small
objective: Does it hold?
probes:
  errors: {prometheus: {qery: up}}
steady_state: ['errors < 0.1 ms', 'latency < 5']
team: {commander: {name: Ada, slak: U01}}
scenarios:
  - title: One
    hypothesis: It holds
    faults:
      - {name: a, inject: network.latensy, for: 10}
      - {name: a, inject: process.pause, on: {host: local}}
    expect: ['recovered in 5m']
name: other
"""
    assert [(line, field) for line, _, field, _, _ in placed(problems(text))] == [
        (1, "name"),
        (1, "name"),  # the warning that there is no guardrail
        (4, "probes.errors.prometheus"),
        (4, "probes.errors.prometheus.qery"),
        (5, "steady_state[1]"),
        (6, "team.commander.slak"),
        (11, "scenarios[0].faults[0].inject"),
        (11, "scenarios[0].faults[0].for"),
        (12, "scenarios[0].faults[1].name"),
        (12, "scenarios[0].faults[1].on"),
        (13, "scenarios[0].expect[0]"),
        (14, "name"),
    ]


def test_an_endless_list_of_problems_is_cut(small: str, problems: Problems) -> None:
    began = time.process_time()
    assert len(problems(small + "".join(f"key{number}: 1\n" for number in range(15_000)))) == MOST_PROBLEMS
    many = ", ".join(f"'er{number} < 1'" for number in range(12_000))
    assert len(problems(changed(small, ("['errors > 5 %']", f"[{many}]")))) == MOST_PROBLEMS + 1
    assert time.process_time() - began < 20
