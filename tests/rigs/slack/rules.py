"""Block Kit's composition objects and their limits: each rule yields what is wrong, in Slack's words, with its place.

Source: docs.slack.dev, *Block Kit reference*, *Composition objects*; the words are those of Slack's own `response_metadata.messages`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

Found = Iterator[str]
Rule = Callable[[Any, str], Found]
PLAIN, EITHER = ("plain_text",), ("plain_text", "mrkdwn")
KEYS_OF_TEXT = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
STYLES = ("primary", "danger")


def said(why: str, at: str) -> str:
    return f"{why} [json-pointer:{at}]"


def keys(thing: Any, at: str, needed: Collection[str], allowed: Collection[str] = ()) -> Found:
    """An object with all that it needs, and with nothing that Slack does not know."""
    if not isinstance(thing, dict):
        yield said("must be an object", at)
        return
    for key in needed:
        if thing.get(key) is None:
            yield said(f"missing required field: {key}", at)
    for key in thing:
        if key not in {*needed, *allowed, "type"}:
            yield said(f"invalid additional property: {key}", at)


def string(value: Any, at: str, most: int, least: int = 0) -> Found:
    if not isinstance(value, str):
        yield said("must be a string", at)
    elif len(value) > most:
        yield said(f"must be less than {most + 1} characters", at)
    elif len(value) < least:
        yield said(f"must be more than {least - 1} characters", at)


def optional(thing: dict[str, Any], key: str, at: str, rule: Rule) -> Found:
    """A part that may be left out."""
    if thing.get(key) is not None:
        yield from rule(thing[key], f"{at}/{key}")


def flags(thing: dict[str, Any], at: str, *names: str) -> Found:
    for name in names:
        if name in thing and not isinstance(thing[name], bool):
            yield said("must be a boolean", f"{at}/{name}")


def items(value: Any, at: str, most: int, rule: Rule, least: int = 1) -> Found:
    if not isinstance(value, list):
        yield said("must be an array", at)
        return
    if len(value) > most:
        yield said(f"no more than {most} items allowed", at)
    if len(value) < least:
        yield said(f"must provide at least {least} items", at)
    for place, each in enumerate(value):
        yield from rule(each, f"{at}/{place}")


def text(most: int, kinds: Collection[str] = EITHER) -> Rule:
    """A text object of one of these kinds, which is never empty."""

    def rule(thing: Any, at: str) -> Found:
        if not isinstance(thing, dict):
            yield said("must be an object", at)
        elif thing.get("type") not in kinds:
            yield said(f"unsupported type: {thing.get('type')}", f"{at}/type")
        else:
            yield from keys(thing, at, ("text",), KEYS_OF_TEXT[thing["type"]])
            yield from string(thing.get("text", ""), f"{at}/text", most, least=1)
            yield from flags(thing, at, "emoji", "verbatim")

    return rule


def one_of(*allowed: str) -> Rule:
    def rule(value: Any, at: str) -> Found:
        if value not in allowed:
            yield said(f"must be one of {', '.join(allowed)}", at)

    return rule


def within(most: int, least: int = 0) -> Rule:
    return lambda value, at: string(value, at, most, least)


def matching(pattern: str, like: str) -> Rule:
    def rule(value: Any, at: str) -> Found:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            yield said(f"must be like {like}", at)

    return rule


def integer(least: int, most: int) -> Rule:
    def rule(value: Any, at: str) -> Found:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield said(f"must be an integer between {least} and {most}", at)

    return rule


def confirm(thing: Any, at: str) -> Found:
    """The dialog that asks whether somebody means it."""
    yield from keys(thing, at, ("title", "text", "confirm", "deny"), ("style",))
    if isinstance(thing, dict):
        for key, most, kinds in (("title", 100, PLAIN), ("text", 300, EITHER), ("confirm", 30, PLAIN), ("deny", 30, PLAIN)):
            yield from optional(thing, key, at, text(most, kinds))
        yield from optional(thing, "style", at, one_of(*STYLES))


def option(kinds: Collection[str] = PLAIN, more: Collection[str] = ()) -> Rule:
    def rule(thing: Any, at: str) -> Found:
        yield from keys(thing, at, ("text", "value"), ("description", *more))
        if isinstance(thing, dict):
            yield from optional(thing, "text", at, text(75, kinds))
            yield from optional(thing, "value", at, within(150, least=1))
            yield from optional(thing, "description", at, text(75, kinds))
            yield from optional(thing, "url", at, within(3000))

    return rule


def option_group(thing: Any, at: str) -> Found:
    yield from keys(thing, at, ("label", "options"))
    if isinstance(thing, dict):
        yield from optional(thing, "label", at, text(75, PLAIN))
        yield from items(thing.get("options"), f"{at}/options", 100, option())


def filled(thing: dict[str, Any], at: str) -> Found:
    """What is chosen at first is one of the options."""
    known = [each for each in thing.get("options") or () if isinstance(each, dict)]
    for group in thing.get("option_groups") or ():
        known += group.get("options") or () if isinstance(group, dict) else ()
    values = {each.get("value") for each in known}
    first = thing.get("initial_options") or ([thing["initial_option"]] if thing.get("initial_option") else [])
    for each in first if isinstance(first, list) else ():
        if not isinstance(each, dict) or each.get("value") not in values:
            yield said("initial option is none of the options", at)
