"""Pydantic's errors in gameday's words: where in the file, what was expected, the nearest valid name."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gameday.described import json_schema
from gameday.errors import LanguageError
from gameday.nearest import nearest
from gameday.playbook import SCENARIO_KEYS, Playbook
from gameday.units import format_duration
from gameday.yaml_tree import Path, Place, Problem, Tree, dotted, shown

Node = Mapping[str, Any]

_PATTERNS = {
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$": "lower-case letters, digits and dashes, at most 63, such as 'checkout-day'",
    r"^[a-z][a-z0-9_]{0,62}$": "lower-case letters, digits and underscores, beginning with a letter, such as 'latency_p99'",
    r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$": "the name of a host: letters, digits, dots and dashes",
    r"^[A-Za-z0-9_](?:[A-Za-z0-9_.@:-]{0,126}[A-Za-z0-9_])?$": "a name of letters, digits and _ . @ : -, at most 128",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day in quotes, such as '14:30'",
    r"^[^\n\r]*$": "one line of text",
    r"^[UW][A-Z0-9]{1,20}$": "a Slack user id, such as 'U01ABCDEF' (in Slack: the person's profile, 'Copy member ID')",
    r"^https?://[!-~]{1,1900}$": "a URL, such as 'http://127.0.0.1:9093'",
    r"^[A-Za-z_][A-Za-z0-9_]{0,127}$": "the name of an alert, such as LedgerDown",
    r"^([1-9][0-9]?|100) ?%$": "a share such as '30 %'",
    r"^/[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,400}$": "an absolute path, such as /run/shop.pid",
}
_KINDS = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "string_type": "text",
    "string_unicode": "valid Unicode text",
}
_MAPPINGS = {"dict_type", "model_type", "model_attributes_type"}
_LISTS = {"tuple_type", "list_type", "set_type", "frozen_set_type"}


def in_file(path: Path, moved: bool) -> Path:
    """A path of the model as the file has it: a one-scenario day may keep its scenario's keys at the top level."""
    return path[2:] if moved and path[:2] == ("scenarios", 0) else path


def from_pydantic(detail: ErrorDetails, model: type[BaseModel], tree: Tree, moved: bool, prefix: Path = ()) -> Problem:
    """One of pydantic's errors in gameday's words, at its place in the file."""
    schema, kind = _schema(model), detail["type"]
    inner = _known_path(detail, tree, moved, prefix)
    path = in_file((*prefix, *inner), moved)
    place, exact = tree.place(path)
    name = str(inner[-1]) if inner else ""
    if kind == "missing":
        place, _ = tree.place(path[:-1])
        return Problem(place.line, place.column, dotted(path[:-1]) or "playbook", f"{name!r} is missing", _describe(schema, inner))
    if kind == "extra_forbidden":
        siblings = _properties(schema, inner[:-1])
        if not siblings:
            return Problem(place.key_line, place.key_column, dotted(path), f"there is no key {shown(name)} here", "no keys at all")
        if model is Playbook and len(inner) == 1 and ("scenarios",) not in tree.places:
            siblings += SCENARIO_KEYS
        expected = _elsewhere(model, inner) or nearest(name, siblings)
        return Problem(place.key_line, place.key_column, dotted(path), f"there is no key {shown(name)} here", expected)
    if detail["loc"][-1:] == ("[key]",):
        place = Place(place.key_line, place.key_column, place.key_line, place.key_column)
    message, expected = _message(detail, list(_below(schema, inner)))
    column = place.column
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, LanguageError) and exact and path not in tree.filled:
        column += error.column + (path in tree.quoted)
    return Problem(place.line, column, dotted(path) or "playbook", message, expected)


def _elsewhere(model: type[BaseModel], path: Path) -> str:
    """Where a key belongs that is right at another level."""
    if model is Playbook and len(path) == 1 and path[0] in SCENARIO_KEYS:
        return f"{path[0]!r} inside a scenario (or a day without 'scenarios', of which it is the only one)"
    if model is Playbook and len(path) == 3 and path[0] == "scenarios" and path[2] in Playbook.model_fields:
        return f"{path[2]!r} at the top level, beside 'scenarios'"
    return ""


@functools.cache
def _schema(model: type[BaseModel]) -> Node:
    return json_schema(model)


def _known_path(detail: ErrorDetails, tree: Tree, moved: bool, prefix: Path) -> Path:
    """Pydantic's location without the parts that name a member of a union or a key, which are not in the file."""
    path: Path = ()
    for index, part in enumerate(detail["loc"]):
        longer = (*path, part)
        at = (*prefix, *longer)
        named_by_error = index == len(detail["loc"]) - 1 and detail["type"] in {"missing", "extra_forbidden"}
        if named_by_error or in_file(at, moved) in tree.places or (moved and at == ("scenarios",)):
            path = longer
    return path


def _message(detail: ErrorDetails, nodes: list[Node]) -> tuple[str, str]:
    """What is wrong with a value, and what was expected."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    error = context.get("error")
    if isinstance(error, LanguageError):
        return error.message, error.expected
    if isinstance(error, ValueError):
        message, _, expected = str(error).partition("; expected ")
        return message, expected
    limits = _limits(kind, context)
    if limits:
        return f"{_shown(given)} is {limits[0]}", limits[1]
    wrong = f"{_shown(given)} does not fit here"
    if kind == "string_pattern_mismatch":
        return wrong, _PATTERNS.get(context["pattern"], f"text of the form {context['pattern']}")
    if kind in _MAPPINGS:
        return wrong, _mapping_like(nodes)
    if kind in _LISTS:
        listed = "{…}" if isinstance(given, dict) else _shown(given) if isinstance(given, (str, int, float)) else "one, two"
        return wrong, f"a list, such as [{listed}]"
    if kind in {"literal_error", "enum"}:
        return wrong, str(context.get("expected", ""))
    if kind in _KINDS:
        return wrong, _KINDS[kind]
    return f"{_shown(given)}: {detail['msg'].replace('Input should', 'should')}", ""


def in_words(detail: ErrorDetails) -> str:
    """One of pydantic's errors in a line, of a value that is in no playbook."""
    if detail["type"] in {"missing", "extra_forbidden"}:
        return "is missing" if detail["type"] == "missing" else "there is no such key"
    message, expected = _message(detail, [])
    return f"{message}; expected {expected}" if expected else message


def _limits(kind: str, context: Mapping[str, Any]) -> tuple[str, str] | None:
    """Too small or too large: what it is, and what would do."""
    for name, says, wants in (
        ("ge", "too small", "at least"),
        ("gt", "too small", "more than"),
        ("le", "too large", "at most"),
        ("lt", "too large", "less than"),
    ):
        if name in context and kind.startswith(("greater_than", "less_than")):
            return says, f"{wants} {_limit(context[name])}"
    if kind in {"string_too_long", "too_long"}:
        what = "characters" if kind == "string_too_long" else "items"
        return "too long", f"at most {context['max_length']} {what}"
    if kind in {"string_too_short", "too_short"}:
        return "too short", "some text" if kind == "string_too_short" else f"at least {context['min_length']}"
    return None


def _limit(limit: object) -> str:
    if isinstance(limit, float):
        return f"{limit:g}"
    if not str(limit).startswith("datetime.timedelta("):
        return str(limit)
    parts = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", str(limit))}  # pydantic gives its repr
    return format_duration(timedelta(**parts))


def _mapping_like(nodes: list[Node]) -> str:
    example = next((node["examples"][0] for node in nodes if node.get("examples")), None)
    if isinstance(example, dict):
        return f"a mapping, such as {{{', '.join(f'{key}: {value}' for key, value in example.items())}}}"
    keys = next((list(node["properties"])[:2] for node in nodes if node.get("properties")), ["key"])
    return f"a mapping, such as {{{', '.join(f'{key}: …' for key in keys)}}}"


def _shown(value: object) -> str:
    match value:
        case None:
            return "an empty value"
        case str():
            return shown(value)
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case _:
            return str(value)[:60]


def _resolved(schema: Node, node: Node) -> Iterator[Node]:
    """A schema node behind its references, and each of its alternatives. A description beside a reference goes with it."""
    about = {"description": node["description"]} if "description" in node else {}
    if "$ref" in node:
        for found in _resolved(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]):
            yield {**found, **about}
    for choice in node.get("anyOf", ()):
        for found in _resolved(schema, choice):
            yield {**found, **about}
    if "$ref" not in node and "anyOf" not in node:
        yield node


def _below(schema: Node, path: Path) -> Iterator[Node]:
    """The schema nodes at a path: several where a value has alternatives."""
    nodes = list(_resolved(schema, schema))
    for part in path:
        nodes = [found for node in nodes for child in [_child(node, part)] if isinstance(child, dict) for found in _resolved(schema, child)]
    yield from nodes


def _child(node: Node, part: str | int) -> object:
    if isinstance(part, int):
        return node.get("items")
    patterns = next(iter(node.get("patternProperties", {}).values()), None)
    return node.get("properties", {}).get(part) or node.get("additionalProperties") or patterns


def _properties(schema: Node, path: Path) -> list[str]:
    return [name for node in _below(schema, path) for name in node.get("properties", {})]


def _describe(schema: Node, path: Path) -> str:
    """What belongs at a path: its description, or else its type."""
    for node in _below(schema, path):
        examples = f", such as {node['examples'][0]!r}" if node.get("examples") else ""
        about = re.split(r"[.;:](\s|$)", str(node.get("description", "")))[0]
        if about:
            first = about.split()[0]
            return (about[0].lower() + about[1:] if first == first.capitalize() else about) + examples
        types = {"string": "text", "array": "a list", "object": "a mapping", "integer": "a whole number", "number": "a number"}
        return types.get(node.get("type", ""), "a value") + examples
    return ""
