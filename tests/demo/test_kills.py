"""Whoever is killed at the worst moment of the demo's own faults: nothing is left within the lease and 5 s, and the day ends with its report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from demo.__main__ import settings_of
from demo.shop import Shop
from tests.rigs.house import TREE, House
from tests.rigs.lab import until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path / "home")
    (tmp_path / "settings.toml").write_text(settings_of(json.loads((shop.directory / "shop.json").read_bytes())))
    built.environment["GAMEDAY_SETTINGS"] = str(tmp_path / "settings.toml")
    yield built
    built.close()


def begun(house: House, shop: Shop, scenario: int, is_on: Callable[[], bool]) -> str:
    """The demo's day with one of its scenarios, and a shorter look at the shop before it; its fault is on, and lasts."""
    head, *scenarios = (ROOT / "playbooks" / "shop-day.yaml").read_text().split("  - title: ")
    day = f"{head}  - title: {scenarios[scenario]}".replace("baseline: 8s", "baseline: 2s").replace(", until: mitigated", "")
    path = house.home / "shop-day.yaml"
    for strict, patient in {
        "errors > 20 %": "errors > 99 %",
        "latency_p99 < 150 ms": "latency_p99 < 60 s",
        "0.7 x baseline": "0.01 x baseline",
    }.items():
        assert strict in day
        day = day.replace(strict, patient)  # a loaded machine is a slow shop, and not what is tried here
    path.write_text(day)
    house.gameday("up")
    until(house.is_up, 60)
    run_id = house.begin(str(path), "--set", f"checkout={shop.checkout_url}", "--set", f"monitor={shop.monitor_url}")
    until(lambda: is_on() or house.has_ended(run_id), 60)
    assert is_on(), [(event.kind, event.data) for event in house.record(run_id).events]
    return run_id


def is_frozen(shop: Shop) -> bool:
    return Path(f"/proc/{shop.pids['ledger']}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def runtime(shop: Shop) -> dict[str, object]:
    """What Envoy's runtime holds of the fault, asked of Envoy itself."""
    with urlopen(f"{shop.envoy_admin}/runtime", timeout=5) as answer:
        entries: dict[str, dict[str, object]] = json.load(answer)["entries"]
    return {key: entry["final_value"] for key, entry in entries.items() if key.startswith("fault.http.")}


WHO = {**{name: (name,) for name in ("conductor", "agent", "watchdog", "server")}, "everything": (*TREE, "watchdog")}


@pytest.mark.parametrize("who", WHO)
def test_who_is_killed_while_the_ledger_is_frozen(house: House, shop: Shop, who: str) -> None:
    run_id = begun(house, shop, 0, lambda: is_frozen(shop))
    _killed_and_over(house, run_id, WHO[who], lambda: not is_frozen(shop))


@pytest.mark.parametrize("who", ["agent", "everything"])
def test_who_is_killed_while_the_ledger_is_slow(house: House, shop: Shop, who: str) -> None:
    if shop.envoy_admin is None:
        pytest.skip("hardware: there is no Envoy wheel for it")
    before = runtime(shop)
    run_id = begun(house, shop, 1, lambda: runtime(shop) != before)
    _killed_and_over(house, run_id, WHO[who], lambda: runtime(shop) == before)


def _killed_and_over(house: House, run_id: str, who: tuple[str, ...], is_off: Callable[[], bool]) -> None:
    house.kill(who)
    if "up" in who:
        until(lambda: not house.processes(), 30)
        assert not is_off(), "nobody was there to take it off"
        house.gameday("up")
    else:
        aborted = house.gameday("abort", run_id, "-r", "somebody was killed")
        assert aborted.wait(90) == 0
    until(lambda: is_off() and not house.journal.live(), 60)
    until(lambda: house.has_ended(run_id), 120)
    assert "up" in who or not house.late()
    (story,) = house.record(run_id).faults()
    assert story.outcome in ("reverted", "expired")
    until(house.report(run_id).is_file, 30)
    assert "its fault is proven gone" in house.report(run_id).read_text()
