"""From a file to a Playbook, or to every problem at once, each with its line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gameday.catalogue import Catalogue
from gameday.checks import Finding, check
from gameday.errors import BadInput, PlaybookError
from gameday.explain import from_pydantic, in_file
from gameday.nearest import nearest
from gameday.playbook import Playbook, Scenario
from gameday.yaml_tree import MAX_BYTES, Problem, Tree, dotted, parse
from gameday.yaml_tree import Path as DataPath

_SCENARIO_KEYS = frozenset(field.alias or name for name, field in Scenario.model_fields.items())


@dataclass(frozen=True)
class Loaded:
    """A playbook that can be run, its text after variables, and what is doubtful about it."""

    playbook: Playbook
    text: str
    warnings: tuple[Problem, ...] = ()


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
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); expected a playbook, a YAML file") from None
    return loads(raw, catalogue, values)


def loads(raw: bytes, catalogue: Catalogue, values: Mapping[str, str] | None = None) -> Loaded:
    """As `load`, from bytes."""
    tree = Tree()
    text, data = parse(raw, tree)
    data, problems = _with_variables(data, values or {}, tree)
    data, moved = _with_scenarios(data)
    problems = [*tree.problems, *problems]
    playbook = None
    try:
        playbook = Playbook.model_validate(data)
    except ValidationError as error:
        problems += _roots([(detail["type"], from_pydantic(detail, Playbook, tree, moved)) for detail in error.errors()])
    findings = [_placed(finding, tree, moved) for finding in check(data, catalogue)]
    problems = _sorted([*problems, *(finding for finding in findings if not finding.warning)])
    if problems or playbook is None:
        raise PlaybookError(f"{len(problems)} problems", tuple(_sorted([*problems, *(f for f in findings if f.warning)])))
    return Loaded(playbook, text, tuple(_sorted([finding for finding in findings if finding.warning])))


def _roots(found: list[tuple[str, Problem]]) -> list[Problem]:
    """Without what only follows from a deeper error: a list too short since its items failed, a union's other choices."""
    fields = [problem.field for _, problem in found]

    def follows(kind: str, problem: Problem) -> bool:
        return kind in {"too_short", "literal_error"} and any(other.startswith((f"{problem.field}.", f"{problem.field}[")) for other in fields)

    return [problem for kind, problem in found if not follows(kind, problem)]


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column, problem.field))


_USE = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def _with_variables(data: dict[str, Any], values: Mapping[str, str], tree: Tree) -> tuple[dict[str, Any], list[Problem]]:
    """Replaces `${name}` in text by values. The result is data again, never parsed as YAML."""
    declared = data.get("variables")
    declared = declared if isinstance(declared, dict) else {}
    problems: list[Problem] = []
    known: dict[str, Any] = {}
    for name, spec in declared.items():
        given = values.get(name, spec.get("default") if isinstance(spec, dict) else None)
        if given is None:
            place = tree.places[("variables", name)]
            problems.append(Problem(place.line, place.column, f"variables.{name}", f"{name!r} has no value", f"a default, or --set {name}=…"))
        known[name] = given
    for name in values.keys() - declared.keys():
        problems.append(Problem(1, 1, "variables", f"--set {name}: there is no such variable", nearest(name, declared)))

    def fill(value: Any, path: DataPath) -> Any:
        if isinstance(value, dict):
            return {key: fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        for used in _USE.findall(value):
            if used not in known:
                place = tree.places[path]
                problems.append(Problem(place.line, place.column, dotted(path), f"there is no variable {used!r}", nearest(used, known)))
        whole = _USE.fullmatch(value)
        if whole:
            return known.get(whole[1], value)
        return _USE.sub(lambda match: str(known.get(match[1], match[0])), value)

    return {key: value if key == "variables" else fill(value, (key,)) for key, value in data.items()}, problems


def _with_scenarios(data: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A day of one scenario may write its keys at the top level; they are moved to where the model has them."""
    loose = {key: value for key, value in data.items() if key in _SCENARIO_KEYS}
    if not loose or "scenarios" in data:
        return data, False
    rest = {key: value for key, value in data.items() if key not in loose}
    loose.setdefault("title", data.get("objective", data.get("name", "The scenario")))
    loose.setdefault("hypothesis", data.get("objective", ""))
    return {**rest, "scenarios": [loose]}, True


def _placed(finding: Finding, tree: Tree, moved: bool) -> Problem:
    path = in_file(finding.path, moved)
    if finding.params is not None and finding.detail is not None:
        problem = from_pydantic(finding.detail, finding.params, tree, moved, prefix=finding.path)
        return replace(problem, warning=finding.warning)
    place, _ = tree.place(path)
    line, column = (place.key_line, place.key_column) if finding.at_key else (place.line, place.column)
    return Problem(line, column, dotted(path), finding.message, finding.expected, finding.warning)
