"""What a person reads and can press: the text of blocks, and the elements in them with the blocks that they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Blocks = list[dict[str, Any]]
SAID = ("title", "text", "label", "hint", "placeholder", "description", "alt_text")
"""Keys whose values are shown."""
HOLDERS = ("fields", "elements", "accessory", "element", "options", "option_groups", "rows")
"""Keys whose values hold more that is shown. A confirm dialog is none: it is shown once it asks."""


def plain(blocks: Blocks) -> str:
    """Everything that these blocks show, line by line."""
    return "\n".join(_words(blocks))


def _words(thing: Any) -> Iterator[str]:
    if isinstance(thing, list):
        for each in thing:
            yield from _words(each)
    elif isinstance(thing, dict):
        for key in SAID:
            value = thing.get(key)
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                yield from _words(value)
        for key in HOLDERS:
            yield from _words(thing.get(key))


def elements(blocks: Blocks) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each interactive element, after its block."""
    for block in blocks:
        inside = block.get("elements") if block.get("type") == "actions" else [block.get("accessory"), block.get("element")]
        for each in inside or ():
            if isinstance(each, dict) and each.get("action_id"):
                yield block, each


def action_ids(blocks: Blocks) -> list[str]:
    return [each["action_id"] for _, each in elements(blocks)]


def element(blocks: Blocks, action_id: str, value: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The element, after its block, that somebody presses.

    Raises:
        AssertionError: it is not there, or more than one is meant. The message says what is there.
    """
    found = [(block, each) for block, each in elements(blocks) if each["action_id"] == action_id and value in (None, each.get("value"))]
    there = [(each["action_id"], each.get("value")) for _, each in elements(blocks)]
    assert found, f"there is no {action_id!r}{f' with {value!r}' if value is not None else ''} to press; there is {there}"
    assert len(found) == 1 or value is None, f"{action_id!r} with {value!r} is there {len(found)} times"
    return found[0]


def options(thing: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(thing.get("options") or ()), *(each for group in thing.get("option_groups") or () for each in group.get("options") or ())]


def option(thing: dict[str, Any], value: str) -> dict[str, Any]:
    """The option with this value, as Slack sends it back."""
    there = {each["value"]: each for each in options(thing)}
    assert value in there, f"there is no option {value!r} in {thing.get('action_id')!r}; there is {list(there)}"
    return {key: part for key, part in there[value].items() if key in ("text", "value", "description")}
