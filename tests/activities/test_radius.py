"""What of the hosts may be touched: by environment, by share of the candidates, by who is left."""

from __future__ import annotations

from typing import Any

import pytest

from activities.record import Targets
from gameday.limits import BlastRadius
from gameday.orders import FaultQuestion, SelectOrder
from gameday.playbook import Target
from gameday.settings import HostSettings, Settings

SHOP = {"app": "shop"}
FOUR = {name: HostSettings(labels=SHOP) for name in ("east", "north", "south", "west")}


def question(**on: Any) -> FaultQuestion:
    return FaultQuestion(name="frozen", kind="process.pause", on=Target(process="shop", **on))


async def problems(
    *faults: FaultQuestion,
    radius: BlastRadius = BlastRadius(),  # noqa: B008  # it is frozen
    silent: frozenset[str] = frozenset(),
    hosts: dict[str, HostSettings] = FOUR,
    environment: str | None = None,
) -> tuple[str, ...]:
    """What stands in the way of a playbook for staging."""

    async def lives(host: str) -> bool:
        return host not in silent

    async def versions() -> dict[str, str]:
        return {}

    settings = Settings.model_construct(host="local", environment=environment, hosts=hosts)
    order = SelectOrder(faults=faults, seed=1, radius=radius, environment="staging")
    return (await Targets(settings, versions, lives).select(order)).problems


@pytest.mark.parametrize(
    ("count", "share", "said"),
    [
        (2, "50 %", None),
        (3, "50 %", "3 of the 4 hosts with app=shop would be touched, and blast_radius.max_share allows 50 %"),
        ("50 %", "49 %", "2 of the 4 hosts with app=shop would be touched, and blast_radius.max_share allows 49 %"),
        (None, "100 %", None),
    ],
)
async def test_no_more_than_a_share_of_the_candidates_is_touched(count: Any, share: str, said: str | None) -> None:
    found = await problems(question(hosts=SHOP, count=count), radius=BlastRadius(max_share=share))
    assert found == ((said,) if said else ())


async def test_the_hosts_of_all_faults_of_a_scenario_count_together_also_those_that_are_named() -> None:
    faults = [question(hosts=SHOP, count=1), *(question(host=name) for name in FOUR)]
    assert await problems(*faults, radius=BlastRadius(max_share="75 %")) == (
        "4 of the 4 hosts with app=shop would be touched, and blast_radius.max_share allows 75 %",
    )


@pytest.mark.parametrize(
    ("needed", "silent", "said"),
    [
        (2, set(), None),
        (3, set(), "2 of the hosts with app=shop would be left, and blast_radius.min_healthy asks for 3"),
        (1, {"east", "north", "south", "west"}, "0 of the hosts with app=shop would be left"),
    ],
)
async def test_so_many_candidates_are_left_with_an_agent_that_answers(needed: int, silent: set[str], said: str | None) -> None:
    found = await problems(question(hosts=SHOP, count=2), radius=BlastRadius(min_healthy=needed), silent=frozenset(silent))
    assert (not found) if said is None else (len(found) == 1 and found[0].startswith(said))


@pytest.mark.parametrize(
    ("of_all", "of_east", "refused"),
    [
        (None, None, False),
        ("staging", None, False),
        ("production", None, True),
        ("production", "staging", False),
        ("staging", "production", True),
    ],
)
async def test_a_host_of_another_environment_is_not_touched(of_all: str | None, of_east: str | None, refused: bool) -> None:
    found = await problems(question(host="east"), hosts={"east": HostSettings(environment=of_east)}, environment=of_all)
    expected = ("east belongs to production, and this playbook is for staging; expected a host of staging",)
    assert found == (expected if refused else ())
