"""YAML as plain data with positions. What a playbook has no need for is refused before anything is built from it:
anchors, aliases, tags, duplicate keys, deep nesting, large files, other encodings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import yaml

from gameday.errors import PlaybookError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong (or, as a warning, doubtful) in a playbook. Line and column count from 1."""

    line: int
    column: int
    field: str
    message: str
    expected: str = ""
    warning: bool = False


def dotted(path: Path) -> str:
    """A path for people: `scenarios[0].faults[1].inject`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Place:
    line: int
    column: int
    key_line: int
    key_column: int


class Tree:
    """Plain data of a YAML document, and where each value and key of it stands."""

    def __init__(self) -> None:
        self.places: dict[Path, Place] = {}
        self.quoted: set[Path] = set()
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, path: Path = (), key: yaml.Node | None = None) -> Any:
        mark, key_mark = node.start_mark, (key or node).start_mark
        self.places[path] = Place(mark.line + 1, mark.column + 1, key_mark.line + 1, key_mark.column + 1)
        if len(path) > MAX_DEPTH:
            raise _Refusal(node, f"nested deeper than {MAX_DEPTH} levels", "a flatter playbook")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        if getattr(node, "style", None) in {"'", '"'}:
            self.quoted.add(path)
        return _scalar(node)

    def place(self, path: Path) -> tuple[Place, bool]:
        """The place of a path, or of the nearest parent that is in the file; and whether it is the path itself."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]], end == len(path)
        return Place(1, 1, 1, 1), False

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not isinstance(key.value, str):
                raise _Refusal(key, "a key must be plain text", "a name, such as 'objective'")
            if key.value in built:
                twice = _Refusal(key, f"the key {key.value!r} is here twice", "each key once").problem
                self.problems.append(replace(twice, field=dotted((*path, key.value))))
            built[key.value] = self.build(value, (*path, key.value), key)
        return built


class _Refusal(Exception):
    def __init__(self, node: yaml.Node | yaml.Event, message: str, expected: str) -> None:
        super().__init__(message)
        mark = node.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self.problem = Problem(line, column, "", message, expected)


def parse(raw: bytes, tree: Tree) -> tuple[str, dict[str, Any]]:
    try:
        text = _decoded(raw)
        loader = yaml.SafeLoader(text)
        try:
            _refuse_tricks(text)
            node = loader.get_single_node()
        finally:
            loader.dispose()
        if not isinstance(node, yaml.MappingNode):
            raise PlaybookError("not a playbook", (Problem(1, 1, "", "this is not a playbook", "a YAML mapping that begins with 'name: …'"),))
        return text, tree.build(node)
    except _Refusal as refusal:
        raise PlaybookError("refused", (refusal.problem,)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise PlaybookError(
            "not YAML", (Problem(line, column, "", f"not valid YAML: {error.problem}", "check quotes, colons and indentation"),)
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PlaybookError("not YAML", (Problem(1, 1, "", f"not valid YAML: {str(error).splitlines()[0]}", "plain UTF-8 text"),)) from None


def _decoded(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise PlaybookError("too large", (Problem(1, 1, "", f"the file is larger than {MAX_BYTES // 1024} KiB", "a smaller playbook"),))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PlaybookError("encoding", (Problem(line, 1, "", "the file is not UTF-8", "save it as UTF-8"),)) from None


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Refusal(event, "anchors and aliases are not allowed", "write the value out, or use a variable")
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
            raise _Refusal(event, f"the tag {event.tag!r} is not allowed", "plain data")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _Refusal(event, f"nested deeper than {MAX_DEPTH} levels", "a flatter playbook")


def _scalar(node: yaml.Node) -> Any:
    """A scalar by the YAML core schema: only null, true/false and decimal numbers are not text (`14:00` and `no` stay text)."""
    text = str(node.value)
    if getattr(node, "style", None):
        return text
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]+\.[0-9]*(e[-+]?[0-9]+)?", text, re.IGNORECASE):
        return float(text)
    return text
