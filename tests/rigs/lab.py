"""A laboratory for faults: real targets to break, and a host side that can be killed at any line."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from inspect import isabstract
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from activities import kinds
from activities.bare import bare_environment, bare_python
from activities.injectors.injector import Host
from activities.journal import Journal
from activities.steps.step import to_json
from activities.targets import resolve
from gameday.fault import ResolvedTarget
from gameday.playbook import Target
from gameday.settings import CommandSettings, HostSettings

R = TypeVar("R", bound="Rig")

SLOWNESS = float(os.environ.get("GAMEDAY_TESTS_SLOWNESS", "1"))
"""How many times slower this machine is than a usual one: an emulated one says so."""
PAST_EVERY_LEASE = 10_000.0
ROOT = Path(__file__).parents[2]
TESTS = "tests.activities.injectors"


class Lab:
    """The host side under test, in processes that the tests may lose."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.journal = Journal.at(home)
        environment = bare_environment() | {"PYTHONPATH": str(ROOT)}
        argv = [*bare_python("tests.rigs.crash_lab"), str(home)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def forget(self) -> None:
        """Empties the journal, so that every round executes the same lines."""
        self.journal.prune(older_than=-60.0)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


class Rig(ABC):
    """A real target of one kind of fault: how it is ordered, and how it looks to its users."""

    kind: ClassVar[str]
    variant: ClassVar[str] = ""
    """What sets it apart from another rig of its kind."""
    params: ClassVar[dict[str, Any]] = {}
    leaves: ClassVar[str] = "as it was"
    """What a revert leaves: `as it was`, or `spent` for a momentary fault."""
    short: ClassVar[float] = 0.4 * SLOWNESS
    """Seconds of a lease that runs out soon, and in which it can be put on all the same."""
    every: ClassVar[int] = 1
    """Of its crash boundaries each n-th is tried: more than each where another rig makes the very same steps."""
    bad_params: ClassVar[tuple[dict[str, Any], ...]] = ({"no_such": 1},)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settings(self) -> HostSettings:
        """What the host's settings say."""
        return HostSettings()

    def commands(self) -> dict[str, CommandSettings]:
        """What its operator allows."""
        return {}

    @abstractmethod
    def on(self) -> Target:
        """The target as a playbook names it."""

    @abstractmethod
    def look(self) -> object:
        """How the target is now, told by its own means and not by gameday's."""

    def renew(self) -> None:  # noqa: B027  # most are whole already
        """Makes the target whole again where a fault has used it up."""

    @abstractmethod
    def close(self) -> None:
        """Takes the target away."""

    @property
    def host(self) -> Host:
        return Host("local", self.settings(), self.commands(), Path("/nowhere"))

    @property
    def target(self) -> ResolvedTarget:
        return resolve(self.on(), "local", self.settings())

    def order(self, fault_id: str, lease: float = 60.0) -> dict[str, Any]:
        """The request that injects this fault."""
        cls, target = kinds.injectors()[self.kind], self.target
        steps = cls().steps(cls.Params.model_validate(self.params), target, self.host)
        order = {"fault_id": fault_id, "run_id": "run", "name": "fault", "kind": self.kind, "label": target.label, "lease": lease, "cap": 600.0}
        return {"op": "inject", "order": order, "steps": [to_json(step) for step in steps]}


@cache
def rigs() -> dict[str, type[Rig]]:
    """Every rig by its name: those in the injectors' own tests, found by their presence, and those of plug-ins (entry points)."""
    modules = [importlib.import_module(f"{TESTS}.{file.stem}") for file in sorted(ROOT.joinpath(*TESTS.split(".")).glob("test_*.py"))]
    modules += [importlib.import_module(point.value) for point in entry_points(group="gameday.rigs")]
    found: dict[str, type[Rig]] = {}
    for module in modules:
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, Rig) and cls.__module__ == module.__name__ and not isabstract(cls):
                name = f"{cls.kind} {cls.variant}".strip()
                assert name not in found, f"two rigs are {name!r}: {found[name].__qualname__} and {cls.__qualname__}; expected a `variant` of its own"
                found[name] = cls
    return found


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the rig did not come up"
        time.sleep(0.005)


@contextmanager
def rig(cls: type[R], folder: Path) -> Iterator[R]:
    """A target that is there for the time of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    built = cls(folder)
    try:
        yield built
    finally:
        built.close()


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    built = Lab(folder / "home")
    try:
        yield built
    finally:
        built.close()
        shutil.rmtree(folder / "home", ignore_errors=True)
