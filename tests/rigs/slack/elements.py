"""Block Kit's elements: what each may have, its limits, and the blocks that it may stand in.

Source: docs.slack.dev, *Block Kit reference*, *Block elements*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.rigs.slack.rules import (
    EITHER,
    PLAIN,
    STYLES,
    Found,
    confirm,
    filled,
    flags,
    integer,
    items,
    keys,
    matching,
    one_of,
    option,
    option_group,
    optional,
    said,
    text,
    within,
)

Judge = Callable[[dict[str, Any], str], Found]
PLACED = ("static", "external", "users", "conversations", "channels")
SELECTS = {f"{each}_select" for each in PLACED}
MULTI = {f"multi_{each}" for each in SELECTS}
PICKERS = {"datepicker", "timepicker"}
CHOICES = {"checkboxes", "radio_buttons"}
TYPED = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
IN_ACTIONS = {"button", "overflow", "datetimepicker", *SELECTS, *PICKERS, *CHOICES}
IN_SECTION = {"button", "overflow", "image", *SELECTS, *MULTI, *PICKERS, *CHOICES}
IN_INPUT = {"datetimepicker", "rich_text_input", "file_input", *TYPED, *SELECTS, *MULTI, *PICKERS, *CHOICES}
OF_SELECTS = {
    "static_select": ("options", "option_groups", "initial_option"),
    "external_select": ("initial_option", "min_query_length"),
    "users_select": ("initial_user",),
    "conversations_select": ("initial_conversation", "default_to_current_conversation", "response_url_enabled", "filter"),
    "channels_select": ("initial_channel", "response_url_enabled"),
    "multi_static_select": ("options", "option_groups", "initial_options", "max_selected_items"),
    "multi_external_select": ("initial_options", "min_query_length", "max_selected_items"),
    "multi_users_select": ("initial_users", "max_selected_items"),
    "multi_conversations_select": ("initial_conversations", "default_to_current_conversation", "filter", "max_selected_items"),
    "multi_channels_select": ("initial_channels", "max_selected_items"),
}
OF_PICKERS = {"datepicker": ("initial_date", "placeholder"), "timepicker": ("initial_time", "placeholder", "timezone")}
OF_TYPED = {
    "plain_text_input": ("multiline", "min_length", "max_length"),
    "email_text_input": (),
    "url_text_input": (),
    "number_input": ("min_value", "max_value"),
}


def image(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("alt_text",), ("image_url", "slack_file"))
    if (thing.get("image_url") is None) == (thing.get("slack_file") is None):
        yield said("must define either `image_url` or `slack_file`", at)
    yield from optional(thing, "alt_text", at, within(2000, least=1))
    yield from optional(thing, "image_url", at, within(3000, least=1))


def button(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("text",), ("action_id", "value", "url", "style", "confirm", "accessibility_label"))
    yield from optional(thing, "text", at, text(75, PLAIN))
    yield from optional(thing, "value", at, within(2000))
    yield from optional(thing, "url", at, within(3000))
    yield from optional(thing, "style", at, one_of(*STYLES))
    yield from optional(thing, "confirm", at, confirm)
    yield from optional(thing, "accessibility_label", at, within(75))


def overflow(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("options",), ("action_id", "confirm"))
    yield from items(thing.get("options"), f"{at}/options", 5, option(EITHER, ("url",)))
    yield from optional(thing, "confirm", at, confirm)


def choice(thing: dict[str, Any], at: str) -> Found:
    """Checkboxes and radio buttons."""
    first = "initial_options" if thing["type"] == "checkboxes" else "initial_option"
    yield from keys(thing, at, ("options",), ("action_id", "confirm", "focus_on_load", first))
    yield from items(thing.get("options"), f"{at}/options", 10, option(EITHER))
    yield from optional(thing, "confirm", at, confirm)
    yield from filled(thing, at)


def select(thing: dict[str, Any], at: str) -> Found:
    kind = thing["type"]
    yield from keys(thing, at, (), ("action_id", "placeholder", "confirm", "focus_on_load", *OF_SELECTS[kind]))
    yield from optional(thing, "placeholder", at, text(150, PLAIN))
    yield from optional(thing, "confirm", at, confirm)
    yield from optional(thing, "max_selected_items", at, integer(1, 1000))
    yield from flags(thing, at, "focus_on_load", "default_to_current_conversation", "response_url_enabled")
    if kind.endswith("static_select"):
        yield from optional(thing, "options", at, lambda value, where: items(value, where, 100, option()))
        yield from optional(thing, "option_groups", at, lambda value, where: items(value, where, 100, option_group))
        if (thing.get("options") is None) == (thing.get("option_groups") is None):
            yield said("must define either `options` or `option_groups`", at)
        yield from filled(thing, at)


def picker(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("action_id", "confirm", "focus_on_load", *OF_PICKERS[thing["type"]]))
    yield from optional(thing, "initial_date", at, matching(r"\d{4}-\d{2}-\d{2}", "2024-12-31"))
    yield from optional(thing, "initial_time", at, matching(r"([01]\d|2[0-3]):[0-5]\d", "23:59"))
    yield from optional(thing, "placeholder", at, text(150, PLAIN))
    yield from optional(thing, "confirm", at, confirm)


def moment(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("action_id", "confirm", "focus_on_load", "initial_date_time"))
    yield from optional(thing, "initial_date_time", at, integer(10**9, 10**10 - 1))


def typed(thing: dict[str, Any], at: str) -> Found:
    """What somebody types into."""
    kind = thing["type"]
    needed = ("is_decimal_allowed",) if kind == "number_input" else ()
    yield from keys(thing, at, needed, ("action_id", "initial_value", "placeholder", "dispatch_action_config", "focus_on_load", *OF_TYPED[kind]))
    yield from optional(thing, "placeholder", at, text(150, PLAIN))
    yield from optional(thing, "initial_value", at, within(3000))
    yield from optional(thing, "min_length", at, integer(0, 3000))
    yield from optional(thing, "max_length", at, integer(1, 3000))
    yield from flags(thing, at, "multiline", "focus_on_load", "is_decimal_allowed")
    for key in ("min_value", "max_value"):
        yield from optional(thing, key, at, within(100))


def file_input(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("action_id", "filetypes", "max_files"))
    yield from optional(thing, "max_files", at, integer(1, 10))


def rich_text_input(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("action_id", "initial_value", "placeholder", "dispatch_action_config", "focus_on_load"))
    yield from optional(thing, "placeholder", at, text(150, PLAIN))


JUDGES: dict[str, Judge] = {
    "button": button,
    "image": image,
    "overflow": overflow,
    "datetimepicker": moment,
    "file_input": file_input,
    "rich_text_input": rich_text_input,
    **dict.fromkeys(SELECTS | MULTI, select),
    **dict.fromkeys(PICKERS, picker),
    **dict.fromkeys(CHOICES, choice),
    **dict.fromkeys(TYPED, typed),
}


def element(thing: Any, at: str, allowed: set[str]) -> Found:
    """An element, where only these may stand."""
    if not isinstance(thing, dict):
        yield said("must be an object", at)
    elif thing.get("type") not in JUDGES:
        yield said(f"unsupported type: {thing.get('type')}", f"{at}/type")
    elif thing["type"] not in allowed:
        yield said(f"unsupported element: {thing['type']}", at)
    else:
        yield from JUDGES[thing["type"]](thing, at)
        yield from optional(thing, "action_id", at, within(255, least=1))
