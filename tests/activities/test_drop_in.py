"""An injector, a probe and a playbook are a file each, as CONTRIBUTING.md shows them: dropped into place, or as a plug-in, they work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("gameday", "workflows", "activities", "worker", "reports", "demo", "tests/activities", "tests/rigs")
CONTRACT = tuple(f"tests/activities/test_{name}.py" for name in ("injector_contract", "crash_boundaries", "crash_boundaries_of_undo"))
INJECTOR, RIG = "activities/injectors/workers_pause.py", "tests/activities/injectors/test_workers_pause.py"
PROBE, PROBE_TEST = "activities/probes/freshness.py", "tests/activities/probes/test_freshness.py"
PLAYBOOK = "playbooks/workers-day.yaml"


def shown() -> dict[str, str]:
    """The files that CONTRIBUTING.md shows, by the path in their first line."""
    blocks = re.findall(r"```(?:python|yaml)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    return {block.splitlines()[0].removeprefix("# "): block for block in blocks}


def drop(place: Path, path: str, text: str) -> None:
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_text(text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project somewhere else, with the files that CONTRIBUTING.md shows in their places and nothing else changed."""
    place = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, place / name)
    for path, text in shown().items():
        assert not (place / path).exists(), f"{path} is there already: CONTRIBUTING.md must show a new one"
        drop(place, path, text)
    return place


def run(place: Path, *argv: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Python in that place, whose packages come before those of the installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GAMEDAY_", "PYTEST_", "PYTHONPATH"))}
    environment = {**kept, "GAMEDAY_HOME": str(place / "home"), "GAMEDAY_CRASH_EVERY": "20", "PYTHONPATH": path}
    return subprocess.run([sys.executable, *argv], cwd=place, env=environment, capture_output=True, text=True, timeout=100, check=False)


def passed(place: Path, *argv: str, path: str = "") -> set[str]:
    """What passed of these tests, by name; whatever else happened fails."""
    ran = run(place, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *argv, path=path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return set(re.findall(r"^PASSED \S+::(\S+)", ran.stdout, re.MULTILINE))


HELD = {
    "test_it_has_a_rig[workers.pause]",
    "test_injects_once_when_called_twice_and_is_seen_active[workers.pause]",
    "test_reverts_when_called_twice_and_leaves_the_target_as_it_was[workers.pause]",
    "test_a_late_attempt_is_refused_by_the_tombstone[workers.pause]",
    "test_is_a_leftover_when_its_owner_dies_and_the_watchdog_ends_it[workers.pause]",
    "test_two_faults_cannot_have_one_target[workers.pause]",
    "test_a_halted_host_puts_nothing_on_and_still_takes_off[workers.pause]",
    "test_bad_parameters_are_refused_before_anything_happens[workers.pause]",
    "test_the_inject_is_killed_at_every_line[workers.pause-by_agent]",
    "test_the_inject_is_killed_at_every_line[workers.pause-by_watchdog]",
    "test_the_inject_is_killed_at_every_line[workers.pause-by_retry]",
    "test_the_revert_is_killed_at_every_line[workers.pause]",
    "test_the_watchdogs_revert_is_killed_at_every_line[workers.pause-after_journal]",
    "test_the_watchdogs_revert_is_killed_at_every_line[workers.pause-mid_inject]",
    "test_the_watchdogs_revert_is_killed_at_every_line[workers.pause-active]",
}
"""What the contract suite asks of an injector (of its boundaries, each twentieth is enough here)."""


def test_the_page_shows_each_file_with_its_place() -> None:
    assert list(shown()) == [INJECTOR, RIG, PROBE, PROBE_TEST, PLAYBOOK]


def test_the_copy_runs_its_own_code(copy: Path) -> None:
    ran = run(copy, "-c", "import activities, gameday, tests.rigs.lab as lab; print(activities.__file__, gameday.__file__, lab.__file__, sep='\\n')")
    assert ran.stdout.splitlines() == [f"{copy}/activities/__init__.py", f"{copy}/gameday/__init__.py", f"{copy}/tests/rigs/lab.py"]


def test_what_is_shown_is_in_the_house_style(copy: Path) -> None:
    ran = run(copy, "-m", "ruff", "check", "--no-cache", *list(shown())[:4])
    assert ran.returncode == 0, ran.stdout
    ran = run(copy, "-m", "ruff", "format", "--check", "--no-cache", *list(shown())[:4])
    assert ran.returncode == 0, ran.stdout


def listed(place: Path, path: str = "") -> tuple[set[str], set[str]]:
    """The kinds of fault and of probe in the catalogue, as the command line tells them."""
    told = json.loads(run(place, "-m", "gameday", "catalog", "--json", path=path).stdout)
    faults, probes = ({each["kind"] for each in told[group]} for group in ("faults", "probes"))
    return faults, probes


def test_the_catalogue_lists_them(copy: Path) -> None:
    faults, probes = listed(copy)
    assert {"process.pause", "workers.pause"} <= faults and {"tcp", "freshness"} <= probes
    page = run(copy, "-m", "gameday", "catalog", "workers.pause").stdout
    assert "workers.pause   on: process, unit" in page and "a whole number from 1 to 50, default 1.  How many of them hang." in page


def test_a_playbook_may_use_them(copy: Path) -> None:
    ran = run(copy, "-m", "gameday", "validate", PLAYBOOK, "--json")
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["valid"], told["problems"]) == (0, True, [])


@pytest.mark.parametrize(
    ("old", "new", "place", "said", "expected"),
    [
        ("count: 2", "count: 0", "faults[0].with.count", "0 is too small", "at least 1"),
        ("count: 2", "cuont: 2", "faults[0].with.cuont", "there is no key 'cuont' here", "did you mean 'count'?"),
        ("process: worker", "envoy: edge", "faults[0].on", "workers.pause cannot touch 'envoy'", "'process' or 'unit'"),
        ("{file: /run/shop/heartbeat}", "{}", "probes.heartbeat.freshness", "'file' is missing", "its path"),
        ("10 s", "10 %", "steady_state[0]", "'heartbeat' is measured as a time, not in '%'", "a bound in ms or s or m or h"),
    ],
    ids=["out of bounds", "no such parameter", "a thing that it cannot touch", "a parameter that is missing", "another unit"],
)
def test_a_playbook_that_misuses_them_is_told_how_to_use_them(copy: Path, old: str, new: str, place: str, said: str, expected: str) -> None:
    wrong = shown()[PLAYBOOK].replace(old, new)
    assert wrong != shown()[PLAYBOOK]
    drop(copy, "home/wrong.yaml", wrong)
    ran = run(copy, "-m", "gameday", "validate", "home/wrong.yaml", "--json")
    (problem,) = json.loads(ran.stdout)["problems"]
    assert ran.returncode == 2 and (problem["field"], problem["message"]) == (place, said) and expected in problem["expected"].lower()


@pytest.fixture
def without_a_rig(copy: Path) -> Iterator[Path]:
    (copy / RIG).unlink()
    yield copy
    drop(copy, RIG, shown()[RIG])


def test_without_a_rig_the_contract_suite_fails_by_name(without_a_rig: Path) -> None:
    ran = run(without_a_rig, "-m", "pytest", "-q", "-p", "no:cacheprovider", CONTRACT[0], "-k", "test_it_has_a_rig")
    assert ran.returncode == 1 and re.findall(r"^FAILED \S+::(\S+)", ran.stdout, re.MULTILINE) == ["test_it_has_a_rig[workers.pause]"]
    assert f"nothing tests 'workers.pause': expected a rig of that kind in {RIG} (CONTRIBUTING.md)" in ran.stdout


def test_their_own_tests_and_the_contract_suite_pass(copy: Path) -> None:
    found = passed(copy, RIG, PROBE_TEST, *CONTRACT, "-k", "workers.pause or test_workers_pause or test_freshness")
    own = {"test_somebody_must_be_left_to_work", "test_it_is_the_age_of_the_file_and_none_without_a_file"}
    assert found == HELD | own


def test_a_plug_in_is_in_the_catalogue_and_held_to_the_contract(tmp_path: Path) -> None:
    """The same files in a distribution of its own, beside the project as it is."""
    modules = {INJECTOR: "shop_chaos.faults", RIG: "shop_chaos.rigs", PROBE: "shop_chaos.probes"}
    for path, module in modules.items():
        drop(tmp_path, f"{module.replace('.', '/')}.py", shown()[path].replace("activities.injectors.workers_pause", modules[INJECTOR]))
    groups = dict(zip(modules.values(), ("injectors", "rigs", "probes"), strict=True))
    drop(tmp_path, "shop_chaos-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: shop-chaos\nVersion: 1\n")
    drop(tmp_path, "shop_chaos-1.dist-info/entry_points.txt", "".join(f"[gameday.{group}]\nshop = {module}\n" for module, group in groups.items()))
    faults, probes = listed(ROOT, path=str(tmp_path))
    assert "workers.pause" in faults and "freshness" in probes
    assert passed(ROOT, *CONTRACT, "-k", "workers.pause", path=str(tmp_path)) == HELD
