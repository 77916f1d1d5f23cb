"""From a file to a Playbook, or to every problem at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gameday.catalogue import Catalogue
from gameday.checks import Finding, check
from gameday.errors import BadInput, PlaybookError
from gameday.explain import from_pydantic, in_file
from gameday.playbook import SCENARIO_KEYS, Playbook, Team, Variable
from gameday.rooms import Rooms
from gameday.variables import Variables
from gameday.yaml_tree import MAX_BYTES, Problem, Tree, dotted, parse

MOST_PROBLEMS = 100
"""More than these are not reported at once."""


@dataclass(frozen=True)
class Loaded:
    """A playbook that can be run, its text as it was written, and what is doubtful about it."""

    playbook: Playbook
    text: str
    warnings: tuple[Problem, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    """What each variable was."""


def load(path: Path, catalogue: Catalogue, values: Mapping[str, str] | None = None) -> Loaded:
    """Reads the playbook at `path`.

    Args:
        path: a YAML file, UTF-8, at most 256 KiB.
        catalogue: the kinds of fault and probe that there are.
        values: what `--set` gave, by variable.

    Raises:
        PlaybookError: with every problem found.
        BadInput: the file cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its name is not a path"
        raise BadInput(f"{path}: cannot be read ({why}); expected a playbook, a YAML file") from None
    return loads(raw, catalogue, values)


@dataclass(frozen=True)
class Opening:
    """What must be known of a playbook before anybody can say what its variables are."""

    team: Team
    rooms: Rooms
    variables: Mapping[str, Variable]


def opening(path: Path) -> Opening:
    """The team, the rooms and the variables of the playbook at `path`, and nothing else of it: that is checked once they have values.

    Raises:
        BadInput: they cannot be read; `gameday validate` says why.
    """
    try:
        with path.open("rb") as file:
            _, written = parse(file.read(MAX_BYTES + 1), Tree())
        declared = written.get("variables") or {}
        variables = {str(name): Variable.model_validate(spec or {}) for name, spec in declared.items()}
        return Opening(Team.model_validate(written.get("team") or {}), _rooms(written.get("rooms")), variables)
    except (OSError, AttributeError, ValueError, PlaybookError) as error:
        raise BadInput(f"{path.name} cannot be read as a playbook ({type(error).__name__}); `gameday validate` says what is wrong") from None


def _rooms(written: object) -> Rooms:
    """None of them where a variable names one: it is known once that has a value."""
    try:
        return Rooms.model_validate(written or {})
    except ValidationError:
        return Rooms()


def loads(raw: bytes, catalogue: Catalogue, values: Mapping[str, str] | None = None) -> Loaded:
    """As `load`, from bytes."""
    tree = Tree()
    text, written = parse(raw, tree)
    variables = Variables(written.get("variables"), values or {}, tree)
    data, moved = _with_scenarios(variables.fill(written))
    variables.warn_of_unused()
    playbook, problems = _validated(data, tree, moved)
    problems += [_placed(finding, tree, moved) for finding in _most(check(data, catalogue))]
    problems = [problem for problem in problems if problem.field not in variables.unresolved and not tree.is_unread(problem.field)]
    found = _sorted([*tree.problems, *variables.problems, *problems])
    wrong = [problem for problem in found if not problem.warning]
    if wrong or playbook is None:
        raise PlaybookError(f"{len(wrong)} problem{'s' if len(wrong) != 1 else ''}", tuple(found))
    return Loaded(playbook, text, tuple(found), {name: str(value) for name, value in variables.values.items()})


def _validated(data: Mapping[str, Any], tree: Tree, moved: bool) -> tuple[Playbook | None, list[Problem]]:
    try:
        return Playbook.model_validate(data, by_alias=True, by_name=False), []
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if not _only_follows(detail)]
    return None, _merged([(detail["type"], from_pydantic(detail, Playbook, tree, moved)) for detail in details[:MOST_PROBLEMS]])


def _only_follows(detail: ErrorDetails) -> bool:
    """Whether pydantic calls a list too short although it is long enough: its items failed, and each says so itself."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _merged(found: list[tuple[str, Problem]]) -> list[Problem]:
    """One problem where a value fits none of its alternatives, and none for the alternative that was not meant."""
    fields = [problem.field for _, problem in found]
    merged: dict[tuple[str, str], Problem] = {}
    for kind, problem in found:
        if kind == "literal_error" and any(other.startswith((f"{problem.field}.", f"{problem.field}[")) for other in fields):
            continue
        before = merged.get((problem.field, problem.message))
        expected = f"{before.expected} or {problem.expected}" if before and before.expected != problem.expected else problem.expected
        merged[problem.field, problem.message] = replace(problem, expected=expected)
    return list(merged.values())


def _most(findings: Iterable[Finding]) -> list[Finding]:
    """All findings, but of very many the first: an endless list helps nobody."""
    kept: dict[bool, list[Finding]] = {True: [], False: []}
    for finding in findings:
        if len(kept[finding.warning]) < MOST_PROBLEMS:
            kept[finding.warning].append(finding)
        elif not finding.warning:
            break
    return kept[False] + kept[True]


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column, problem.field))


def _with_scenarios(data: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A day of one scenario may write its keys at the top level; they are moved to where the model has them."""
    loose = {key: value for key, value in data.items() if key in SCENARIO_KEYS}
    if not loose or "scenarios" in data:
        return data, False
    rest = {key: value for key, value in data.items() if key not in loose}
    objective = data.get("objective")
    # a stand-in where the objective itself is wrong: that is reported once, where it is
    told = objective if isinstance(objective, str) and 0 < len(objective) <= 200 and objective.isprintable() else "the objective"
    return {**rest, "scenarios": [{"title": told, "hypothesis": told, **loose}]}, True


def _placed(finding: Finding, tree: Tree, moved: bool) -> Problem:
    path = in_file(finding.path, moved)
    if finding.params is not None and finding.detail is not None:
        problem = from_pydantic(finding.detail, finding.params, tree, moved, prefix=finding.path)
        return replace(problem, warning=finding.warning)
    place, _ = tree.place(path)
    line, column = (place.key_line, place.key_column) if finding.at_key else (place.line, place.column)
    return Problem(line, column, dotted(path), finding.message, finding.expected, finding.warning)
