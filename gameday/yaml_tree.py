"""YAML as plain data with positions. What a playbook has no need for is refused before anything is built from it:
anchors, aliases, tags, merge keys, duplicate keys, deep nesting, large files, other encodings, several documents.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from gameday.errors import PlaybookError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong (or, as a warning, doubtful) in a playbook. Line and column count from 1; `field` is empty for the file as a whole."""

    line: int
    column: int
    field: str
    message: str
    expected: str = ""
    warning: bool = False


def shown(text: str, limit: int = 60) -> str:
    """Text from the file, quoted, on one line, harmless to a terminal and not too long."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def dotted(path: Path) -> str:
    """A path for people: `scenarios[0].faults[1].inject`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if part.isprintable() and 0 < len(part) <= 128 else shown(part)
            text += f".{name}" if text else name
    return text


@dataclass(frozen=True)
class Place:
    line: int
    column: int
    key_line: int
    key_column: int


class Tree:
    """Plain data of a YAML document, and where each value and key of it stands.

    `quoted` are the texts in quotes, whose first character is one column further; `filled` those that variables changed.
    """

    def __init__(self) -> None:
        self.places: dict[Path, Place] = {}
        self.quoted: set[Path] = set()
        self.filled: set[Path] = set()
        self.problems: list[Problem] = []
        self.unread: set[Path] = set()
        """Where an alias stands: there is no value that could be checked."""

    def is_unread(self, field: str) -> bool:
        """Whether a field is an alias, or would be below one."""
        return any(field == name or field.startswith((f"{name}.", f"{name}[")) for name in map(dotted, self.unread))

    def place(self, path: Path) -> tuple[Place, bool]:
        """The place of a path, or of the nearest parent that is in the file; and whether it is the path itself."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]], end == len(path)
        return Place(1, 1, 1, 1), False

    def build(self, events: Iterator[yaml.Event], event: yaml.Event, path: Path = (), key: yaml.Event | None = None) -> Any:
        """The value that begins with `event`, and the place of everything in it."""
        self._note_tricks(event, path)
        _refuse_halves(event)
        line, column = _position(event)
        key_line, key_column = _position(key or event)
        self.places[path] = Place(line, column, key_line, key_column)
        if isinstance(event, yaml.AliasEvent):
            self.unread.add(path)
            return None
        if isinstance(event, yaml.ScalarEvent):
            if event.style in {"'", '"'}:
                self.quoted.add(path)
            return _scalar(event)
        if len(path) >= MAX_DEPTH:
            raise _Refusal(event, f"nested deeper than {MAX_DEPTH} levels", "a flatter playbook")
        return self._mapping(events, path) if isinstance(event, yaml.MappingStartEvent) else self._list(events, path)

    def _list(self, events: Iterator[yaml.Event], path: Path) -> list[Any]:
        built: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            built.append(self.build(events, event, (*path, len(built))))
        return built

    def _mapping(self, events: Iterator[yaml.Event], path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            self._note_tricks(key, path)
            _refuse_halves(key)
            if isinstance(key, yaml.AliasEvent):
                Tree().build(events, next(events), path)
                continue
            if not isinstance(key, yaml.ScalarEvent):
                raise _Refusal(key, "a key must be plain text", "a name, such as 'objective'")
            at, name = (*path, str(key.value)), str(key.value)
            merges = name == "<<" and not key.style
            if not merges and name not in built:
                built[name] = self.build(events, next(events), at, key)
                continue
            Tree().build(events, next(events), at, key)  # read over, so that what comes after it is looked at too
            if merges:
                self._add(key, at, "merge keys are not allowed", "the keys written out")
            else:
                self._add(key, at, f"the key {shown(name)} is here twice", "each key once")
        return built

    def _note_tricks(self, event: yaml.Event, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            expected = "the value written out, a variable, or quotes around text that begins with * or &"
            self._add(event, path, "anchors and aliases are not allowed", expected)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._add(event, path, f"the tag {shown(tag)} is not allowed", "plain data, or quotes around text that begins with !")

    def _add(self, event: yaml.Event, path: Path, message: str, expected: str) -> None:
        line, column = _position(event)
        self.problems.append(Problem(line, column, dotted(path), message, expected))


class _Refusal(Exception):
    def __init__(self, event: yaml.Event, message: str, expected: str) -> None:
        super().__init__(message)
        self.problem = Problem(*_position(event), "", message, expected)


def parse(raw: bytes, tree: Tree) -> tuple[str, dict[str, Any]]:
    """The text of a file and its data, with all places noted in `tree`.

    Raises:
        PlaybookError: the file is not one YAML mapping of plain data.
    """
    text = _decoded(raw)
    try:
        return text, _document(text, tree)
    except _Refusal as refusal:
        problem = refusal.problem
    except yaml.MarkedYAMLError as error:
        problem = _not_yaml(error)
    except yaml.reader.ReaderError as error:
        line, column = _line_and_column(text, error.position)
        character = error.character if isinstance(error.character, int) else ord(error.character)
        problem = Problem(line, column, "", f"the character U+{character:04X} is not allowed", "plain text, saved as UTF-8")
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problem = Problem(1, 1, "", f"not valid YAML: {str(error).splitlines()[0]}", "plain YAML")
    raise PlaybookError("not a playbook", (*tree.problems, problem))


def _document(text: str, tree: Tree) -> dict[str, Any]:
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    next(events)  # the start of the stream
    if isinstance(next(events), yaml.StreamEndEvent):
        raise PlaybookError("empty", (Problem(1, 1, "", "the file is empty", "a playbook, which begins with 'name: …'"),))
    first = next(events)
    data = tree.build(events, first)
    next(events)  # the end of the document
    if not isinstance(after := next(events), yaml.StreamEndEvent):
        raise _Refusal(after, "a second document begins here", "one playbook in a file")
    if not isinstance(data, dict):
        raise _Refusal(first, "this is not a playbook", "keys with their values, beginning with 'name: …'")
    return data


def _decoded(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise PlaybookError("too large", (Problem(1, 1, "", f"the file is larger than {MAX_BYTES // 1024} KiB", "a smaller playbook"),))
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = _line_and_column(before, len(before))
        raise PlaybookError("encoding", (Problem(line, column, "", "the file is not UTF-8", "save it as UTF-8"),)) from None


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _refuse_halves(event: yaml.Event) -> None:
    """Half a surrogate pair (an escape in quotes can make one) cannot be printed or stored anywhere."""
    if isinstance(event, yaml.ScalarEvent) and any("\ud800" <= character <= "\udfff" for character in event.value):
        raise _Refusal(event, "this text is not valid Unicode", "the character itself in place of its escape")


_MISTAKES = (
    (
        "mapping values are not allowed",
        "a ':' does not fit here",
        "quotes around text that contains ': ', and one indentation for the keys of a level",
    ),
    ("found character '\\t'", "a tab does not fit here", "spaces for indentation"),
    ("found character", "text that begins with this character needs quotes", "'…' around the text"),
    ("could not find expected ':'", "a key without its ':'", "'key: value'"),
    ("expected <block end>", "the indentation does not fit the lines above", "the keys of a level below each other, the items of a list likewise"),
    ("expected ',' or ']'", "a ',' or ']' is missing in a list", "[one, two], with quotes around text that contains a comma or a quote"),
    (
        "expected ',' or '}'",
        "a ',' or '}' is missing in a mapping",
        "{key: value, key: value}, with quotes around text that contains a comma or a quote",
    ),
    ("found unexpected end of stream", "a quote is opened and never closed", "the closing quote"),
    ("expected the node content", "something is missing here", "a value"),
)
"""What PyYAML says, and what a commander understands."""


def _not_yaml(error: yaml.MarkedYAMLError) -> Problem:
    """What is wrong, where it begins: what is never closed or finished is reported where it was begun."""
    said = str(error.problem or error.context or "")
    message, expected = next(((says, wants) for part, says, wants in _MISTAKES if part in said), (said, "plain YAML"))
    begun = any(part in message for part in ("never closed", "missing in a", "without its ':'"))
    mark = (error.context_mark if begun else None) or error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(line, column, "", f"not valid YAML: {message}", expected)


def _scalar(event: yaml.ScalarEvent) -> Any:
    """A scalar by the YAML core schema: only null, true/false and decimal numbers are not text (`14:00` and `no` stay text)."""
    text = str(event.value)
    if event.style:
        return text
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]+\.[0-9]*(e[-+]?[0-9]+)?", text, re.IGNORECASE):
        return float(text) if math.isfinite(float(text)) else text
    return text
