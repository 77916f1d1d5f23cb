"""Variables: `${name}` in a playbook's texts, replaced by data. The result is data again, never parsed as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gameday.errors import PlaybookError
from gameday.nearest import nearest
from gameday.yaml_tree import MAX_BYTES, Path, Problem, Tree, dotted, shown

_USE = re.compile(r"\$\{([^{}]*)\}")
_MAX_VALUE = 2000
_MAX_TEXT = 4 * MAX_BYTES


class Variables:
    """The variables of one playbook: their values, who used them, and what is wrong with them.

    `unresolved` are the fields whose text still holds a variable without a value: whatever else seems wrong there follows from that.
    """

    def __init__(self, declared: object, given: Mapping[str, str], tree: Tree) -> None:
        self.tree = tree
        self.declared: dict[str, Any] = declared if isinstance(declared, dict) else {}
        self.values: dict[str, str | int | float | bool] = {}
        self.used: set[str] = set()
        self.problems: list[Problem] = []
        self.unresolved: set[str] = set()
        self._filled_characters = 0
        for name, spec in self.declared.items():
            self._declare(name, spec, given.get(name))
        for name in sorted(given.keys() - self.declared.keys()):
            self._add(("variables",), f"--set {name}: there is no such variable", nearest(name, self.declared))

    def _declare(self, name: str, spec: object, given: str | None) -> None:
        value = given if given is not None else spec.get("default") if isinstance(spec, dict) else None
        path = ("variables", name)
        if value is None and (spec is None or isinstance(spec, dict)):
            self._add(path, f"{shown(name)} has no value", f"a default, or --set {name}=…")
        elif isinstance(value, (str, int, float)) and len(str(value)) <= _MAX_VALUE:
            self.values[name] = value
        elif given is not None:
            self._add(path, f"the value given for {shown(name)} is too long", f"at most {_MAX_VALUE} characters")

    def _add(self, path: Path, message: str, expected: str, warning: bool = False) -> None:
        place, _ = self.tree.place(path)
        self.problems.append(Problem(place.line, place.column, dotted(path), message, expected, warning))

    def fill(self, value: Any, path: Path = ()) -> Any:
        """The same data with every `${name}` in its texts replaced; keys, and the variables themselves, stay as they are.

        Raises:
            PlaybookError: the playbook would become too large.
        """
        if path == ("variables",):
            return value
        if isinstance(value, dict):
            return {key: self.fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, (*path, index)) for index, item in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) and "${" in value else value

    def _text(self, text: str, path: Path) -> str | int | float | bool:
        names = _USE.findall(text)
        self.used.update(names)
        for name in names:
            if name not in self.declared:
                self._add(path, f"there is no variable {shown(name)}", nearest(name, self.declared))
        if any(name not in self.values for name in names):
            self.unresolved.add(dotted(path))
            return text
        if names:
            self.tree.filled.add(path)
        whole = _USE.fullmatch(text)
        filled = self.values[whole[1]] if whole else _USE.sub(lambda use: _plain(self.values[use[1]]), text)
        self._filled_characters += len(str(filled))
        if self._filled_characters > _MAX_TEXT:
            problem = Problem(1, 1, "variables", "the playbook becomes too large with its variables filled in", "shorter values")
            raise PlaybookError("too large", (problem,))
        return filled

    def warn_of_unused(self) -> None:
        """Call after everything is filled."""
        for name in self.values.keys() - self.used:
            self._add(("variables", name), f"the variable {shown(name)} is never used", f"'${{{name}}}' somewhere, or no such variable", True)


def _plain(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
