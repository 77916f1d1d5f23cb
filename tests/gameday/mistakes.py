"""A change to a good playbook, and what is then said of it: what the tests of mistakes share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gameday.yaml_tree import Problem

Problems = Callable[..., tuple[Problem, ...]]
Change = tuple[str, str]
"""What stands in the playbook, and what stands there instead."""
Said = tuple[str, str, str]
"""Field, message, and what was expected."""
Placed = tuple[int, int, str, str, str]
"""The same, after line and column."""


def changed(text: str, *changes: Change) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def before_scenarios(line: str) -> Change:
    return ("scenarios:", f"{line}\nscenarios:")


def said(problems: Iterable[Problem]) -> list[Said]:
    return [(each.field, each.message, each.expected) for each in problems]


def placed(problems: Iterable[Problem]) -> list[Placed]:
    return [(each.line, each.column, each.field, each.message, each.expected) for each in problems]
