"""Pydantic's errors in gameday's words: where in the file, what was expected, the nearest valid name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gameday.errors import LanguageError
from gameday.nearest import nearest
from gameday.yaml_tree import Path, Problem, Tree, dotted


def in_file(path: Path, moved: bool) -> Path:
    """A path of the model as the file has it: a one-scenario day may keep its scenario's keys at the top level."""
    return path[2:] if moved and path[:2] == ("scenarios", 0) else path


_PATTERNS = {
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$": "lower-case letters, digits and dashes, at most 63, such as 'checkout-day'",
    r"^[a-z][a-z0-9_]{0,62}$": "lower-case letters, digits and underscores, beginning with a letter, such as 'latency_p99'",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day in quotes, such as '14:30'",
    r"^[^\n\r]*$": "one line of text",
    r"^[UW][A-Z0-9]{1,20}$": "a Slack user id, such as 'U01ABCDEF'",
}
_KINDS = {
    "dict_type": "a mapping, such as {key: value}",
    "model_type": "a mapping, such as {key: value}",
    "model_attributes_type": "a mapping, such as {key: value}",
    "tuple_type": "a list, such as [one, two]",
    "list_type": "a list, such as [one, two]",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
}


def from_pydantic(detail: ErrorDetails, model: type[BaseModel], tree: Tree, moved: bool, prefix: Path = ()) -> Problem:
    """One of pydantic's errors in gameday's words, at its place in the file."""
    schema = model.model_json_schema(by_alias=True)
    inner = _known_path(detail["loc"], schema)
    path = in_file((*prefix, *inner), moved)
    place, exact = tree.place(path)
    line, column = place.line, place.column
    kind, context = detail["type"], detail.get("ctx", {})
    name = str(inner[-1]) if inner else ""
    field = dotted(path)
    if kind == "missing":
        place, _ = tree.place(path[:-1])
        return Problem(place.line, place.column, dotted(path[:-1]) or "playbook", f"{name!r} is missing", _describe(schema, inner))
    if kind == "extra_forbidden":
        siblings = _properties(schema, inner[:-1])
        return Problem(place.key_line, place.key_column, field, f"there is no key {name!r} here", nearest(name, siblings))
    cause = context.get("error")
    if isinstance(cause, LanguageError):
        quoted = 1 if exact and path in tree.quoted else 0
        return Problem(line, column + quoted + cause.column, field, cause.message, cause.expected)
    if isinstance(cause, ValueError):
        message, _, expected = str(cause).partition("; expected ")
        return Problem(line, column, field, message, expected)
    if kind == "string_pattern_mismatch":
        return Problem(
            line,
            column,
            field,
            f"{_shown(detail['input'])} does not fit here",
            _PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}"),
        )
    if kind in _KINDS:
        return Problem(line, column, field, f"{_shown(detail['input'])} does not fit here", _KINDS[kind])
    if kind in {"literal_error", "enum"}:
        return Problem(line, column, field, f"{_shown(detail['input'])} does not fit here", str(context.get("expected", "")))
    message = detail["msg"].replace("Input should be", "should be").replace("Tuple", "The list").replace("Dictionary", "The mapping")
    return Problem(line, column, field, f"{_shown(detail['input'])}: {message}" if not isinstance(detail["input"], (dict, list)) else message)


def _shown(value: object) -> str:
    if value is None:
        return "an empty value"
    text = (
        repr(value)
        if isinstance(value, str)
        else f"a {'mapping' if isinstance(value, dict) else 'list'}"
        if isinstance(value, (dict, list))
        else str(value).lower()
    )
    return text if len(text) <= 60 else text[:57] + "…'"


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema node behind its references, and each of its alternatives."""
    if "$ref" in node:
        yield from _resolved(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    for choice in node.get("anyOf", ()):
        yield from _resolved(schema, choice)
    if "$ref" not in node and "anyOf" not in node:
        yield node


def _step(schema: Mapping[str, Any], nodes: list[Mapping[str, Any]], part: str | int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for node in nodes:
        if isinstance(part, int):
            child = node.get("items")
        else:
            child = (
                node.get("properties", {}).get(part)
                or node.get("additionalProperties")
                or next(iter(node.get("patternProperties", {}).values()), None)
            )
        if isinstance(child, dict):
            found.extend(_resolved(schema, child))
    return found


def _known_path(loc: tuple[str | int, ...], schema: Mapping[str, Any]) -> Path:
    """Pydantic's location without the parts that name a member of a union or a key, which are not in the file."""
    nodes, path = list(_resolved(schema, schema)), []
    for index, part in enumerate(loc):
        below = _step(schema, nodes, part)
        if below or index == len(loc) - 1:
            if part != "[key]" and not (isinstance(part, str) and not below and _is_union_tag(part, nodes)):
                path.append(part)
            nodes = below or nodes
    return tuple(path)


def _is_union_tag(part: str, nodes: list[Mapping[str, Any]]) -> bool:
    return not any("properties" in node or "additionalProperties" in node for node in nodes) or any(mark in part for mark in "([")


def _properties(schema: Mapping[str, Any], path: Path) -> list[str]:
    nodes = list(_resolved(schema, schema))
    for part in path:
        nodes = _step(schema, nodes, part)
    return [name for node in nodes for name in node.get("properties", {})]


def _describe(schema: Mapping[str, Any], path: Path) -> str:
    nodes = list(_resolved(schema, schema))
    for part in path:
        nodes = _step(schema, nodes, part)
    for node in nodes:
        examples = f", such as {node['examples'][0]!r}" if node.get("examples") else ""
        if node.get("description") or examples:
            return str(node.get("description", "a value")).split("\n")[0].rstrip(".") + examples
        if "type" in node:
            return {"string": "text", "array": "a list", "object": "a mapping", "integer": "a whole number", "number": "a number"}.get(
                node["type"], ""
            )
    return ""
