"""`command`: a change that the operator of the host allowed by name, with its undo and its read-back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from activities.injectors.injector import Host, Injector
from activities.steps.command import RunCommand
from gameday.catalogue import InjectorParams
from gameday.errors import Refused
from gameday.fault import ResolvedTarget
from gameday.model import Line, Name, ProbeName
from gameday.nearest import hint
from gameday.settings import ArgumentSettings, Argv, CommandSettings

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@/-]{0,199}")


class Command(Injector["Command.Params"]):
    """Runs a command from the host's settings. A playbook chooses its name and typed arguments, never a word of its own."""

    kind = "command"
    opted_in = True

    class Params(InjectorParams):
        """Which command of the host's settings, and what it is given."""

        name: Name
        """A command of the host's settings."""
        arguments: Annotated[dict[ProbeName, int | Line], Field(max_length=20)] = Field(default_factory=dict)
        """What its settings say it takes."""

    def label(self, params: Params, target: ResolvedTarget) -> str:
        return " ".join([f"{target.label}: {params.name}", *(f"{name}={value}" for name, value in params.arguments.items())])

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        try:
            self.steps(params, target, host)
        except Refused as refused:
            yield str(refused)

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[RunCommand, ...]:
        allowed = host.commands.get(params.name)
        if allowed is None:
            raise Refused(f"{host.name} allows no command {params.name!r}; {hint(params.name, host.commands)}")
        words = _arguments(params.name, allowed, params.arguments)
        do, undo, check = (_filled(argv, words) for argv in (allowed.do, allowed.undo, allowed.check))
        return (RunCommand(params.name, do, undo, check, allowed.timeout.total_seconds()),)


def _arguments(name: str, allowed: CommandSettings, given: dict[str, int | str]) -> dict[str, str]:
    for extra in given.keys() - allowed.arguments.keys():
        raise Refused(f"the command {name!r} takes no argument {extra!r}; {hint(extra, allowed.arguments)}")
    for missing in allowed.arguments.keys() - given.keys():
        raise Refused(f"the command {name!r} needs the argument {missing!r}")
    return {each: _word(name, each, spec, given[each]) for each, spec in allowed.arguments.items()}


def _word(name: str, argument: str, spec: ArgumentSettings, value: int | str) -> str:
    """One argument as a word. Only an integer in range, a listed choice or a plain name gets through."""
    where = f"the argument {argument!r} of the command {name!r}"
    if spec.type == "integer":
        if not isinstance(value, int) or not spec.min <= value <= spec.max:
            raise Refused(f"{where} is {value!r}; expected a whole number from {spec.min} to {spec.max}")
        return str(value)
    if spec.type == "choice":
        if value not in spec.choices:
            raise Refused(f"{where} is {value!r}; expected one of {', '.join(spec.choices)}")
        return str(value)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Refused(f"{where} is {value!r}; expected a plain name of letters, digits and . _ : @ / -, not beginning with a dash")
    return value


def _filled(argv: Argv, words: dict[str, str]) -> tuple[str, ...]:
    """Each `{argument}` replaced within its word: the number of words never changes."""
    return tuple(_PLACE.sub(lambda match: words.get(match[1], match[0]), word) for word in argv)
