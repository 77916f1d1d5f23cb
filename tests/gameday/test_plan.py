"""A playbook made ready to run: times become moments, kinds become facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gameday.catalogue import Catalogue
from gameday.commands import Actor
from gameday.errors import BadInput
from gameday.loading import loads
from gameday.plan import Plan, new_run_id, plan, role_of
from gameday.playbook import Playbook

ADA = Actor(id="ada", name="Ada")


def planned(text: str, catalogue: Catalogue, now: datetime) -> Plan:
    return plan(loads(text.encode(), catalogue), catalogue, ADA, now)


def small_day(small: str, times: str) -> str:
    return small + f"times: {{{times}}}\n"


def test_times_of_the_day_become_moments_in_its_zone(good: str, catalogue: Catalogue) -> None:
    ready = planned(good, catalogue, datetime(2026, 6, 18, 11, 30, tzinfo=UTC))
    assert ready.start_at == datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
    assert ready.latest_inject_at == datetime(2026, 6, 18, 13, 30, tzinfo=UTC)
    assert ready.stop_at == datetime(2026, 6, 18, 14, 0, tzinfo=UTC)
    assert ready.planned_at == (datetime(2026, 6, 18, 12, 15, tzinfo=UTC),)


def test_the_day_is_the_one_it_is_in_the_playbooks_zone(small: str, catalogue: Catalogue) -> None:
    late = datetime(2026, 6, 18, 23, 0, tzinfo=UTC)  # the 19th in Auckland
    assert planned(small_day(small, "stop: '12:00', zone: Pacific/Auckland"), catalogue, late).stop_at == datetime(2026, 6, 19, 0, 0, tzinfo=UTC)


def test_a_lease_longer_than_any_fault_may_last_is_refused(small: str, catalogue: Catalogue) -> None:
    text = small.replace("100ms}}]", "100ms}, for: 20s}]\nblast_radius: {max_duration: 1m}")
    now = datetime(2026, 6, 18, tzinfo=UTC)
    with pytest.raises(BadInput, match=r"the lease is 10m \(settings\), longer than blast_radius.max_duration \(60s\)"):
        plan(loads(text.encode(), catalogue), catalogue, ADA, now, lease=timedelta(minutes=10))
    assert plan(loads(text.encode(), catalogue), catalogue, ADA, now, lease=timedelta(minutes=1)).lease == timedelta(minutes=1)


def test_kinds_become_facts(good: str, catalogue: Catalogue) -> None:
    ready = planned(good, catalogue, datetime(2026, 6, 18, 11, 30, tzinfo=UTC))
    assert ready.units == {"errors": "ratio", "latency_p99": "s", "failed_requests": "count"}
    assert ready.named_alerts == {"LedgerDown"}


@pytest.mark.parametrize(("params", "over"), [("", True), (", with: {signal: TERM}", True), (", with: {restart: true}", False)])
def test_what_is_over_in_a_moment_is_known_fault_by_fault(params: str, over: bool, small: str, catalogue: Catalogue) -> None:
    text = small.replace(
        "{name: slow, inject: network.latency, with: {delay: 100ms}}", f"{{name: k, inject: process.kill, on: {{host: local, process: x}}{params}}}"
    )
    assert planned(text, catalogue, datetime(2026, 6, 18, 12, 0, tzinfo=UTC)).is_momentary(0, "k") is over


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ("stop: '12:00'", "times.stop 12:00 has passed today"),
        ("latest_inject: '11:59', stop: '14:00'", "times.latest_inject 11:59 has passed today"),
    ],
)
def test_a_day_that_is_over_is_not_started(times: str, message: str, small: str, catalogue: Catalogue) -> None:
    with pytest.raises(BadInput, match=message):
        planned(small_day(small, times), catalogue, datetime(2026, 6, 18, 12, 0, tzinfo=UTC))


def test_a_time_that_the_clocks_are_put_forward_over_is_refused(small: str, catalogue: Catalogue) -> None:
    text = small_day(small, "stop: '02:30', zone: Europe/Berlin")
    with pytest.raises(BadInput, match="02:30 does not exist today in Europe/Berlin: the clocks are put forward over it; expected another time"):
        planned(text, catalogue, datetime(2026, 3, 29, 0, 0, tzinfo=UTC))
    assert planned(text, catalogue, datetime(2026, 3, 30, 0, 0, tzinfo=UTC)).stop_at == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_is_meant(small: str, catalogue: Catalogue) -> None:
    text = small_day(small, "stop: '02:30', zone: Europe/Berlin")
    assert planned(text, catalogue, datetime(2026, 10, 25, 0, 0, tzinfo=UTC)).stop_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_plan_survives_its_way_through_json(good: str, catalogue: Catalogue) -> None:
    ready = planned(good, catalogue, datetime(2026, 6, 18, 11, 30, tzinfo=UTC))
    assert Plan.model_validate_json(ready.model_dump_json(by_alias=True)) == ready


def test_long_values_of_variables_fit_into_a_plan(small: str, catalogue: Catalogue) -> None:
    text = small.replace("query: up", "query: '${query}'").replace("hypothesis: It holds", "hypothesis: It holds\ncards: [{at: 1s, say: '${say}'}]")
    text += "variables: {query: {default: up}, say: {default: hello}}\n"
    loaded = loads(text.encode(), catalogue, {"say": "one\ntwo" * 200})
    assert plan(loaded, catalogue, ADA, datetime(2026, 6, 18, tzinfo=UTC)).playbook.scenarios[0].cards[0].say == "one\ntwo" * 200


def test_a_run_id_is_a_name_of_at_most_45_characters() -> None:
    run_id = new_run_id("a-very-long-name-of-a-game-day-that-goes-on-and-on-for-ever")
    assert len(run_id) <= 45 and run_id[4] == "-"
    Playbook.model_fields["name"]  # a Name, as the id must be one
    assert new_run_id("a") != new_run_id("a")


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"slack": "U01"}, ("commander", "Ada")),
        ({"name": "Linus"}, ("responder", "Linus")),
        ({"slack": "U05"}, None),
        ({"user": "ada"}, None),
        ({}, None),
    ],
)
def test_a_person_is_known_by_what_identifies_them(who: dict[str, str], expected: tuple[str, str] | None, good: str, catalogue: Catalogue) -> None:
    playbook = loads(good.encode(), catalogue).playbook
    assert role_of(playbook, **who) == expected
