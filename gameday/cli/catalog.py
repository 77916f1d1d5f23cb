"""The catalogue: what kinds of fault and probe there are, and what each can be told."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gameday.described import json_schema
from gameday.errors import NotFound
from gameday.nearest import nearest
from gameday.units import UNITS, format_duration

_UNIT = "The unit of what is read; unless written it follows from what is measured, and is a count where nothing says it."


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kind: whether it must be written, what it is otherwise, what it may be, and what it does."""

    name: str
    required: bool
    default: str | None
    takes: str
    about: str


@dataclass(frozen=True)
class Kind:
    """One kind of fault or probe."""

    kind: str
    about: str
    parameters: tuple[Parameter, ...]
    on: tuple[str, ...] = ()
    momentary: bool = False
    ends: str = ""
    examples: tuple[str, ...] = ()


def print_catalog(kind: str | None, as_json: bool) -> None:
    """Prints every kind, or one in full."""
    from activities.kinds import injectors, probes

    faults = {name: _fault(cls) for name, cls in injectors().items()}
    readings = {name: _probe(cls) for name, cls in probes().items()}
    if kind is not None:
        if kind not in faults and kind not in readings:
            near = nearest(kind, [*faults, *readings])
            raise NotFound(f"there is no kind {kind!r}; {near}{'' if near.endswith('?') else '.'} `gameday catalog` lists all")
        faults, readings = ({name: each for name, each in found.items() if name == kind} for found in (faults, readings))
    if as_json:
        print(json.dumps({"faults": [asdict(each) for each in faults.values()], "probes": [asdict(each) for each in readings.values()]}, indent=2))
    else:
        print("\n".join(_pages(faults, readings, in_full=kind is not None)))


def _fault(cls: Any) -> Kind:
    things = tuple(sorted(cls.things)) or (() if cls.by_hand else ("host",))
    return Kind(cls.kind, _first(cls.__doc__), _parameters(cls.Params), things, cls.momentary, cls.ends, _examples(cls))


def _probe(cls: Any) -> Kind:
    return Kind(cls.kind, _first(cls.__doc__), _parameters(cls.Params), examples=_examples(cls))


def _pages(faults: Mapping[str, Kind], readings: Mapping[str, Kind], in_full: bool) -> Iterator[str]:
    if faults:
        yield "Faults: what `inject` can name, and what `with` can say of it"
        for each in faults.values():
            yield from _page(each, in_full)
    if readings:
        yield ("\n" if faults else "") + "Probes: what a playbook can measure"
        for each in readings.values():
            yield from _page(each, in_full)
    if not in_full:
        yield "\n`gameday catalog KIND` shows one kind with examples."


def _page(kind: Kind, in_full: bool) -> Iterator[str]:
    on = f"   on: {', '.join(kind.on)}" if kind.on else ""
    yield f"\n  {kind.kind}{on}{'   momentary' if kind.momentary else ''}"
    yield from _wrapped(kind.about, "    ")
    if kind.ends:
        yield from _wrapped(f"With every process of gameday dead it is ended by: {kind.ends}.", "    ")
    if not kind.parameters:
        yield "      (nothing to choose)"
    longest = max((len(each.name) for each in kind.parameters), default=0)
    for each in kind.parameters:
        default = "" if each.required else f"default {each.default}" if each.default else "optional"
        facts = ", ".join(filter(None, ("required" if each.required else "", each.takes, default)))
        first, *rest = [*_wrapped(f"{facts}.  {each.about}" if each.about else facts, "")]
        yield f"      {each.name:<{longest}}  {first}"
        yield from (f"      {'':<{longest}}  {line}" for line in rest)
    if in_full and kind.examples:
        yield ""
        yield from (f"    {each}" for each in kind.examples)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, width=100, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _first(text: str | None) -> str:
    """The first paragraph of a docstring, without its sources: they are for who reads the code."""
    said = " ".join((text or "").strip().split("\n\n")[0].split())
    return re.sub(r"\s*Source:.*$", "", said)


def _examples(cls: Any) -> tuple[str, ...]:
    """The indented lines of the module's docstring: how a playbook writes it."""
    said = inspect.getdoc(inspect.getmodule(cls)) or ""
    return tuple(line.strip() for line in said.splitlines() if line.startswith("    "))


def _parameters(params: type[BaseModel]) -> tuple[Parameter, ...]:
    described = _told(params.__doc__ or "")
    properties = json_schema(params)
    fields = sorted(params.model_fields.items(), key=lambda item: (not item[1].is_required(), item[0] == "unit"))
    return tuple(_parameter(name, field, properties, described) for name, field in fields)


def _parameter(name: str, field: FieldInfo, schema: Mapping[str, Any], described: Mapping[str, str]) -> Parameter:
    written = field.alias or name
    node = schema.get("properties", {}).get(written, {})
    about = " ".join((node.get("description") or described.get(written) or (_UNIT if written == "unit" else "")).split())
    default = None if field.is_required() or written == "unit" else _default(field.get_default(call_default_factory=True))
    takes = " | ".join(UNITS) if written == "unit" else " or ".join(dict.fromkeys(filter(None, _takes(node, schema))))
    return Parameter(written, field.is_required(), default, takes, about[:1].upper() + about[1:])


def _default(value: object) -> str | None:
    """A default as a playbook would write it; None where there is nothing to write."""
    match value:
        case None:
            return None
        case timedelta():
            return format_duration(value)
        case Enum():
            return str(value.value)
        case bool():
            return str(value).lower()
        case dict() | list() | tuple() | set() | frozenset():
            return json.dumps(list(value) if not isinstance(value, dict) else value) if value else None
        case _:
            return str(value)


def _told(text: str) -> dict[str, str]:
    """What a docstring says of parameters it names: `name`: what it is."""
    found = re.findall(r"`(\w+)`(?: \([^)]*\))?: (.+?)(?=(?:\s`\w+`(?: \([^)]*\))?: )|\Z)", " ".join(text.split()))
    return {name: said.strip() for name, said in found}


def _takes(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """What a value may be, from its JSON Schema."""
    for name in ("anyOf", "oneOf", "allOf"):
        for each in node.get(name, ()):
            yield from _takes(each, schema)
    if "$ref" in node:
        yield from _takes(schema.get("$defs", {}).get(node["$ref"].rsplit("/", 1)[-1], {}), schema)
    if "enum" in node:
        yield " | ".join(map(str, node["enum"]))
    elif "const" in node:
        yield str(node["const"])
    elif node.get("type") in ("integer", "number"):
        yield _range(node)
    elif node.get("type") in _WORDS:
        yield "a duration" if node.get("description") == "a duration" or "(ms|s|m|h)" in str(node.get("pattern")) else _WORDS[node["type"]]


_WORDS = {"boolean": "true or false", "object": "a mapping", "array": "a list", "string": ""}


def _range(node: Mapping[str, Any]) -> str:
    what = "a whole number" if node["type"] == "integer" else "a number"
    low, high = node.get("minimum", node.get("exclusiveMinimum")), node.get("maximum", node.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{what} from {low} to {high}"
    return f"{what}, {low} or more" if low is not None else f"{what}, {high} at the most" if high is not None else what
