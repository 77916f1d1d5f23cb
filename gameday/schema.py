"""The playbook as a JSON Schema (Draft 2020-12) for editors: it completes keys, kinds and the parameters of each kind.

The loader stays the judge: it also checks phrases, units, names and times, which a schema cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, TypeAdapter

from gameday.catalogue import Catalogue
from gameday.described import json_schema
from gameday.playbook import SCENARIO_KEYS, Playbook
from gameday.units import format_duration

Node = dict[str, Any]

_LINE = r"^[^\n\r]*$"
_VARIABLE = {"type": "string", "pattern": r"\$\{[a-z][a-z0-9_]*\}", "description": "A value with a variable in it, such as ${name}."}


def playbook_schema(catalogue: Catalogue) -> Node:
    """The schema of a playbook that may use the kinds of `catalogue`."""
    schema = json_schema(Playbook)
    definitions: Node = schema.pop("$defs")
    injectors = {kind: _kind(f"inject.{kind}", each.Params, definitions) for kind, each in catalogue.injectors.items()}
    probes = {kind: _kind(f"probe.{kind}", each.Params, definitions) for kind, each in catalogue.probes.items()}
    definitions = {name: _or_variable(_plain(node)) for name, node in definitions.items()}
    definitions["variable"] = _VARIABLE
    _one_of(definitions["AlertSource"], "alertmanager", "prometheus")
    _one_of(definitions["Target"], "host", "hosts")
    definitions["Fault"] = _fault(definitions["Fault"], injectors, definitions)
    definitions["probe"] = _probe(probes, definitions)
    root: Node = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A gameday playbook", **_or_variable(_plain(schema))}
    root["properties"]["probes"] = {**root["properties"]["probes"], "additionalProperties": {"$ref": "#/$defs/probe"}}
    root["properties"]["probes"].pop("patternProperties", None)
    return {**_one_scenario(root, definitions["Scenario"]), "$defs": definitions}


def _kind(name: str, params: type[BaseModel], definitions: Node) -> str:
    """Adds the parameters of a kind to the definitions, with names of their own, and returns the reference to them."""
    schema = json_schema(params, f"#/$defs/{name}.{{model}}")
    for inner, node in schema.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = node
    definitions[name] = schema
    return f"#/$defs/{name}"


def _plain(node: Node) -> Node:
    """Without what only Python has: class names as titles, and defaults that a playbook would not write so."""
    plain = _inside({key: value for key, value in node.items() if key not in {"title", "default"}}, _plain)
    default = node.get("default")
    if isinstance(default, str) and re.fullmatch(r"P[0-9DTHMS.]+", default):
        plain["default"] = format_duration(TypeAdapter(timedelta).validate_python(default))
    elif isinstance(default, (str, int, float)):
        plain["default"] = default
    return plain


def _or_variable(node: Node) -> Node:
    """The same schema, in which every value that is not free text may also be written as a variable."""
    if node.get("type") in {"integer", "number", "boolean"} or "enum" in node or "const" in node or node.get("pattern", _LINE) != _LINE:
        about: Node = {key: node[key] for key in ("description", "default", "examples") if key in node}
        return {"anyOf": [{key: value for key, value in node.items() if key not in about}, {"$ref": "#/$defs/variable"}], **about}
    return _inside(node, _or_variable)


def _inside(node: Node, change: Callable[[Node], Node]) -> Node:
    """The same node with every schema inside it changed; names of properties and plain values stay."""
    changed: Node = {}
    for key, value in node.items():
        if key in {"properties", "patternProperties"}:
            changed[key] = {name: change(each) for name, each in value.items()}
        elif isinstance(value, dict) and key not in {"propertyNames", "default", "const"}:
            changed[key] = change(value)
        elif key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            changed[key] = [change(each) for each in value]
        else:
            changed[key] = value
    return changed


def _one_of(node: Node, *keys: str) -> None:
    node["oneOf"] = [{"required": [key]} for key in keys]


def _required(reference: str, definitions: Mapping[str, Any]) -> bool:
    return bool(definitions[reference.removeprefix("#/$defs/")].get("required"))


def _fault(fault: Node, injectors: Mapping[str, str], definitions: Mapping[str, Any]) -> Node:
    """A fault whose `with` follows its kind."""
    properties = {**fault["properties"], "inject": _choice(fault["properties"]["inject"], sorted(injectors))}
    choices = []
    for kind, parameters in injectors.items():
        then: Node = {"properties": {"with": {"$ref": parameters}}}
        if _required(parameters, definitions):
            then["required"] = ["with"]
        choices.append({"if": {"properties": {"inject": {"const": kind}}, "required": ["inject"]}, "then": then})
    return {**fault, "properties": properties, "allOf": choices}


def _choice(node: Node, kinds: list[str]) -> Node:
    return {"anyOf": [{"enum": kinds}, {"$ref": "#/$defs/variable"}], "description": node["description"]}


def _probe(probes: Mapping[str, str], definitions: Mapping[str, Any]) -> Node:
    """A probe: exactly one kind, with its parameters."""
    kinds = {}
    for kind, parameters in probes.items():
        about = {"description": definitions[parameters.removeprefix("#/$defs/")].get("description", f"A reading of {kind}.")}
        nothing = [] if _required(parameters, definitions) else [{"type": "null"}]
        kinds[kind] = {"anyOf": [{"$ref": parameters}, *nothing], **about} if nothing else {"$ref": parameters, **about}
    return {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": kinds, "additionalProperties": False}


def _one_scenario(root: Node, scenario: Node) -> Node:
    """A day of one scenario may write its keys at the top level in place of `scenarios`."""
    return {
        **root,
        "properties": {**scenario["properties"], **root["properties"]},
        "required": [key for key in root["required"] if key != "scenarios"],
        "if": {"required": ["scenarios"]},
        "then": {"properties": dict.fromkeys(sorted(SCENARIO_KEYS), False)},
        "else": {"required": ["faults"]},
    }
