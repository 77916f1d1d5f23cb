"""A command that the operator allows, and the arguments that a playbook may give it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest

from activities.injectors.command import Command
from activities.injectors.injector import Host
from gameday.fault import ResolvedTarget
from gameday.playbook import Target
from gameday.settings import CommandSettings, HostSettings
from tests.rigs.lab import Rig


class Switch(Rig):
    """A command that the operator allows, which changes two things one after the other: between them it is half done."""

    kind = "command"
    params: ClassVar[dict[str, Any]] = {"name": "flip", "arguments": {"name": "lamp", "level": 3}}
    pause: ClassVar[float] = 0.02
    """Seconds between the two."""
    bad_params = ({"name": "flip; rm"}, {"name": "UPPER"}, {})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.state = folder / "switch"
        self.state.mkdir()
        (self.state / "kept").write_text("not gameday's")
        self._scripts = {
            "do": f'echo "$2" > "$1/$3.a"; sleep {self.pause}; echo "$2" > "$1/$3.b"',
            "undo": 'rm -f "$1/$3.a" "$1/$3.b"',
            "check": 'test -e "$1/$3.a" && test -e "$1/$3.b" || exit 1',
        }
        for name, text in self._scripts.items():
            path = folder / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o700)

    def commands(self) -> dict[str, CommandSettings]:
        words = [str(self.state), "{level}", "{name}"]
        argv = {name: (str(self.folder / name), *words) for name in self._scripts}
        arguments = {"name": {"type": "name"}, "level": {"type": "integer", "min": 1, "max": 5}}
        return {"flip": CommandSettings.model_validate({**argv, "arguments": arguments, "timeout": "5s"})}

    def on(self) -> Target:
        return Target(host="local")

    def look(self) -> object:
        return sorted(path.name for path in self.state.iterdir())

    def close(self) -> None:
        shutil.rmtree(self.state)


DRAIN = CommandSettings.model_validate(
    {
        "do": ["/opt/drain", "--node={node}", "{seconds}", "{mode}", "{other}"],
        "undo": ["/opt/drain", "--undo"],
        "check": ["/opt/drain", "--check"],
        "arguments": {
            "node": {"type": "name"},
            "seconds": {"type": "integer", "min": 1, "max": 60},
            "mode": {"type": "choice", "choices": ["soft", "hard now"]},
        },
    }
)
HOST = Host("local", HostSettings(), {"drain": DRAIN}, Path("/nowhere"))
LOCAL = ResolvedTarget(host="local", thing="host", label="local")
GOOD: dict[str, int | str] = {"node": "till-1", "seconds": 30, "mode": "hard now"}


def problems(name: str, arguments: dict[str, int | str]) -> list[str]:
    return list(Command().preflight(Command.Params(name=name, arguments=arguments), LOCAL, HOST))


def test_an_argument_fills_its_place_and_stays_one_word() -> None:
    (step,) = Command().steps(Command.Params(name="drain", arguments=GOOD), LOCAL, HOST)
    assert step.do == ("/opt/drain", "--node=till-1", "30", "hard now", "{other}")
    assert problems("drain", GOOD) == []


REFUSED: dict[str, tuple[dict[str, int | str], str]] = {
    "a number out of range": ({"seconds": 61}, "'seconds' of the command 'drain' is 61; expected a whole number from 1 to 60"),
    "text for a number": ({"seconds": "30"}, "'seconds' of the command 'drain' is '30'; expected a whole number from 1 to 60"),
    "none of the choices": ({"mode": "hard"}, "'mode' of the command 'drain' is 'hard'; expected one of soft, hard now"),
    "a number for a name": ({"node": 1}, "'node' of the command 'drain' is 1; expected a plain name"),
    "an option": ({"node": "-rf"}, "'node' of the command 'drain' is '-rf'; expected a plain name"),
    "two words": ({"node": "a b"}, "'node' of the command 'drain' is 'a b'; expected a plain name"),
    "what a shell would run": ({"node": "$(id)"}, "'node' of the command 'drain' is '$(id)'; expected a plain name"),
    "one that there is not": ({"nodes": "x"}, "the command 'drain' takes no argument 'nodes'; did you mean 'node'?"),
}


@pytest.mark.parametrize(("changed", "problem"), REFUSED.values(), ids=REFUSED)
def test_an_argument_that_the_settings_do_not_allow_is_refused(changed: dict[str, int | str], problem: str) -> None:
    (found,) = problems("drain", {**GOOD, **changed})
    assert problem in found


def test_a_command_and_its_arguments_must_be_there() -> None:
    assert problems("drian", GOOD) == ["local allows no command 'drian'; did you mean 'drain'?"]
    assert problems("drain", {"node": "till-1", "seconds": 30}) == ["the command 'drain' needs the argument 'mode'"]
