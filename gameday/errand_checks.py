"""Faults that are done by hand: on no host, and asked of somebody that there is."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.findings import Data, Finding, texts, walk
from gameday.nearest import nearest
from gameday.yaml_tree import Path


def errand(data: Data, path: Path, fault: Data) -> Iterator[Finding]:
    """What is wrong with one such fault, at its path."""
    if "on" in fault:
        yield Finding((*path, "on"), f"{fault['inject']} is done by hand, on no host", "no 'on'; 'do' under 'with' says what to do", at_key=True)
    roles = dict(_roles(data))
    sealed = any(found is True for _, found in walk(data["scenarios"][path[1]], "sealed"))
    for inner, name in texts(fault, "with", "by"):
        if roles and name not in roles:
            yield Finding((*path, *inner), f"{name!r} is not on the team, or is away", nearest(name, roles))
        elif sealed and roles.get(name) == "responders":
            message = f"this scenario is sealed, and {name} is a responder: being asked gives it away to them"
            yield Finding((*path, *inner), message, "somebody who leads or observes the day", warning=True)


def _roles(data: Data) -> Iterator[tuple[str, str]]:
    """Everybody who is there, with the key of their role. Who is written as a bare name is no person, and meant all the same."""
    for role, *each in (("commander",), ("technical_lead",), ("safety",), ("responders", "*"), ("observers", "*")):
        for _, person in walk(data, "team", role, *each):
            yield str(person.get("name") if isinstance(person, dict) else person), role
