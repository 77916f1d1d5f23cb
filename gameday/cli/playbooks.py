"""Checking playbooks, their schema, and the catalogue of kinds."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from rich.cells import cell_len

from gameday.cli import context
from gameday.errors import BadInput, PlaybookError, SettingsError
from gameday.inventory import LookedUp, look_up
from gameday.loading import Loaded, load
from gameday.printable import printable
from gameday.yaml_tree import Problem

if TYPE_CHECKING:
    from gameday.settings import Settings


def values_of(pairs: list[str]) -> dict[str, str]:
    """`--set name=value` pairs as a mapping."""
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise BadInput(f"--set {pair!r}: expected name=value")
        values[name] = value
    return values


def load_checked(path: Path, pairs: list[str]) -> Loaded | None:
    """Loads a playbook; prints its problems and returns None when it has any. Warnings are printed too, also about names that no settings know."""
    from activities.kinds import catalogue

    values = values_of(pairs)
    try:
        loaded = load(path, catalogue(), values)
    except PlaybookError as error:
        problems = [problem for problem in error.problems if isinstance(problem, Problem)]
        print(rendered(path, problems), file=sys.stderr)
        return None
    looked = look_up(loaded.text.encode(), values, context.settings(), _refused)
    warnings = _in_order([*loaded.warnings, *looked.warnings])
    if warnings:
        print(rendered(path, warnings), file=sys.stderr)
    if looked.unchecked:
        print(_unchecked(path, looked.unchecked), file=sys.stderr)
    return loaded


def validate_playbook(path: Path, pairs: list[str], as_json: bool) -> int:
    from activities.kinds import catalogue

    values = values_of(pairs)
    try:
        loaded = load(path, catalogue(), values)
        good, problems, raw = True, [*loaded.warnings], loaded.text.encode()
    except PlaybookError as error:
        good, problems = False, [problem for problem in error.problems if isinstance(problem, Problem)]
        raw = path.read_bytes() if path.is_file() else b""  # what comes through a pipe has been read
    looked, trouble = _looked_up(raw, values)
    problems = _in_order([*problems, *looked.warnings])
    if as_json:
        facts = {"file": str(path), "valid": good, "problems": [asdict(each) for each in problems], "unchecked": looked.unchecked}
        print(json.dumps(facts, indent=2))
        return 0 if good else 2
    if problems:
        print(rendered(path, problems))
    if trouble or looked.unchecked:
        print(trouble or _unchecked(path, looked.unchecked))
    if good:
        print(f"{path}: this playbook can be run." if not problems else f"{path}: this playbook can be run; mind the warnings.")
    return 0 if good else 2


def _looked_up(raw: bytes, values: dict[str, str]) -> tuple[LookedUp, str]:
    """What this machine's settings do not know; settings that cannot be read are no fault of the playbook's, and are told in one line."""
    try:
        return look_up(raw, values, context.settings(), _refused), ""
    except SettingsError as error:
        return LookedUp(), f"hosts and commands were not looked up: {error}"


def _refused(given: Mapping[str, Any], known: Settings) -> Iterator[str]:
    """What the operator's settings would refuse of a command's arguments, as its host will at pre-check."""
    from activities.injectors.command import Command
    from activities.injectors.injector import Host
    from gameday.fault import ResolvedTarget

    with contextlib.suppress(ValidationError):  # that is told elsewhere
        params = Command.Params.model_validate(dict(given))
        target = ResolvedTarget(host=known.host, thing="host", label=known.host)
        yield from Command().preflight(params, target, Host(known.host, known.here(), known.commands, known.home))


def _unchecked(path: Path, names: list[str]) -> str:
    """One line on names that nobody here can look up: the machine that runs the day is perhaps another."""
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{path}: not looked up: {shown}; this machine's settings name nothing of the kind"


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def rendered(path: Path, problems: list[Problem]) -> str:
    """Problems for people: place, field, what is wrong, the line itself and what was expected there."""
    try:
        source = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        source = []
    parts = [_one(path, problem, source) for problem in problems]
    wrong = sum(not problem.warning for problem in problems)
    doubtful = len(problems) - wrong
    counts = [f"{wrong} problem{'s' * (wrong != 1)}"] if wrong else []
    counts += [f"{doubtful} warning{'s' * (doubtful != 1)}"] if doubtful else []
    return "\n".join([*parts, ", ".join(counts) + ("." if not wrong else ". Nothing was started.")])


def _one(path: Path, problem: Problem, source: list[str]) -> str:
    what = f"warning: {problem.message}" if problem.warning else f"{problem.field}: {problem.message}" if problem.field else problem.message
    head = f"{path}:{problem.line}:{problem.column}  {what}"
    expected = problem.expected if problem.expected.startswith(_AS_IT_IS) else f"expected {problem.expected}"
    if not 1 <= problem.line <= len(source):
        return f"{head}; {expected}" if problem.expected else head
    text, column = _harmless(source[problem.line - 1]), problem.column
    start = max(0, column - 60) if len(text) > 110 else 0
    shown = ("…" if start else "") + text[start : start + 110]
    caret = " " * (cell_len(text[start : column - 1]) + bool(start)) + "^"
    return f"{head}\n{problem.line:>6} | {shown}\n       | {caret}{' ' + expected if problem.expected else ''}"


_AS_IT_IS = ("did you mean", "one of", "save it")
"""What already reads as advice."""


def _harmless(text: str) -> str:
    """A line of the file as it may be shown: what could move the cursor or colour the terminal is a dot, and a tab one blank."""
    return printable(text.replace("\t", " "), instead="·")


def print_schema() -> None:
    from activities.kinds import catalogue
    from gameday.schema import playbook_schema

    print(json.dumps(playbook_schema(catalogue()), indent=2))
