"""What plug-ins and folders hold becomes the catalogue; what cannot be a kind is refused by name, and never left out in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
from activities.injectors.injector import Injector
from gameday.catalogue import InjectorParams

class Odd(Injector["Odd.Params"]):
    class Params(InjectorParams):
        pass
"""
KIND = "    kind = 'odd'\n"
STEPS = "    def steps(self, params, target, host):\n        return ()\n"
TWIN = "class Twin(Odd):\n    kind = 'odd'\n"


def catalogue(place: Path, module: str | None) -> subprocess.CompletedProcess[str]:
    """What `gameday catalog` says beside a plug-in with this module."""
    about = place / "odd_chaos-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-chaos\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[gameday.injectors]\nodd = odd_faults\n")
    if module is not None:
        (place / "odd_faults.py").write_text(module)
    environment = {**os.environ, "PYTHONPATH": str(place), "GAMEDAY_HOME": str(place / "home")}
    argv = [sys.executable, "-m", "gameday", "catalog", "--json"]
    return subprocess.run(argv, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("module", [HEAD + KIND + STEPS, HEAD + TWIN + STEPS], ids=["a kind", "a kind and what it extends"])
def test_a_plug_in_adds_its_kinds(module: str, tmp_path: Path) -> None:
    faults = json.loads(catalogue(tmp_path, module).stdout)["faults"]
    assert {"odd", "process.pause"} <= {each["kind"] for each in faults}


NAMED = "the plug-in odd-chaos cannot be loaded: its entry point under gameday.injectors, 'odd_faults', gave"
REFUSED: dict[str, tuple[str | None, str]] = {
    "no module": (None, f"{NAMED} ModuleNotFoundError: No module named 'odd_faults'; expected a module. Repair it, or uninstall it"),
    "a module that breaks": ("1 / 0", f"{NAMED} ZeroDivisionError: division by zero; expected a module. Repair it, or uninstall it"),
    "no steps": (HEAD + KIND, "odd_faults.Odd is no kind yet: it lacks steps; CONTRIBUTING.md shows a whole one"),
    "no kind": (HEAD + STEPS, "odd_faults.Odd is no kind yet: it lacks kind; CONTRIBUTING.md shows a whole one"),
    "one kind twice": (HEAD + KIND + STEPS + TWIN, "two classes are the kind 'odd': Odd and Twin; expected one"),
    "a kind that is there": (HEAD + "    kind = 'command'\n" + STEPS, "two classes are the kind 'command': Command and Odd; expected one"),
}


@pytest.mark.parametrize(("module", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_kind_is_refused_by_name(module: str | None, said: str, tmp_path: Path) -> None:
    ran = catalogue(tmp_path, module)
    assert (ran.returncode, ran.stderr) == (2, f"gameday: {said}\n")
