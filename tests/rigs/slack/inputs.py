"""What stands in elements that people fill in: as it is at first, as they leave it, and as an action tells it.

Source: docs.slack.dev, *view_submission payloads*, *block_actions payloads*.
"""

from __future__ import annotations

from typing import Any

from tests.rigs.slack import reading
from tests.rigs.slack.things import Json

Value = str | list[str] | None
KEYS = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
}
"""Where the value stands, by the element's type; in `value` for those that are typed into."""
STATELESS = {"button", "image", "overflow"}


def key(element: Json) -> str:
    return KEYS.get(element["type"], "value")


def first(element: Json) -> Json:
    """What stands in it before anybody touches it."""
    name = key(element)
    value = element.get(name.replace("selected_", "initial_") if name != "value" else "initial_value")
    return {"type": element["type"], name: [] if value is None and name.endswith("s") else value}


def held(element: Json, value: Value) -> Json:
    """What stands in it once somebody has left this there; None for nothing."""
    name = key(element)
    if name == "selected_option":
        return {"type": element["type"], name: reading.option(element, _one(value)) if value is not None else None}
    if name == "selected_options":
        return {"type": element["type"], name: [reading.option(element, each) for each in _many(value)]}
    if name.endswith("s"):
        return {"type": element["type"], name: _many(value)}
    if name == "selected_date_time" and value is not None:
        return {"type": element["type"], name: int(_one(value))}
    return {"type": element["type"], name: None if value is None else _one(value)}


def _one(value: Value) -> str:
    assert isinstance(value, str), f"one value is wanted, not {value!r}"
    return value


def _many(value: Value) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def state(blocks: reading.Blocks) -> Json:
    """What stands in all of them at first, by block and action."""
    found: Json = {}
    for block, element in reading.elements(blocks):
        if element["type"] not in STATELESS:
            found.setdefault(block["block_id"], {})[element["action_id"]] = first(element)
    return found


def kept(blocks: reading.Blocks, before: Json) -> Json:
    """What stands in these blocks, where before this stood in those that were there."""
    found = state(blocks)
    for block, elements in found.items():
        elements.update({name: there for name, there in before.get(block, {}).items() if name in elements})
    return found


def filled(blocks: reading.Blocks, values: dict[str, Value], before: Json) -> Json:
    """The state with these values in their blocks, over what stood there before.

    Raises:
        AssertionError: there is no such block, or Slack's own client would not send it off.
    """
    found = kept(blocks, before)
    inputs = {block["block_id"]: (block, element) for block, element in reading.elements(blocks) if block["type"] == "input"}
    for name, value in values.items():
        assert name in inputs, f"there is no input block {name!r}; there is {list(inputs)}"
        element = inputs[name][1]
        found[name][element["action_id"]] = held(element, value)
    for name, (block, element) in inputs.items():
        _sendable(name, block, element, found[name][element["action_id"]][key(element)])
    return found


def _sendable(name: str, block: Json, element: Json, value: Any) -> None:
    """Slack's client asks for what is needed before it tells the app anything."""
    assert value or block.get("optional"), f"{name!r} is to be filled in: Slack does not send it off empty"
    if isinstance(value, str) and value:
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        assert least <= len(value) <= most, f"{name!r} takes {least} to {most} characters, not {len(value)}"
    if element["type"] == "number_input" and value:
        assert _is_number(value, element["is_decimal_allowed"]), f"{name!r} takes a number, not {value!r}"
        least, most = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
        assert least <= float(value) <= most, f"{name!r} takes {least} to {most}, not {value}"


def _is_number(text: str, decimal: bool) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return decimal or number.is_integer()


def action(block: Json, element: Json, ts: str, value: Value) -> Json:
    """One entry of `actions`: a button's own value, or what was chosen."""
    base = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"], "action_ts": ts}
    if element["type"] == "button":
        return {**base, **{name: element[name] for name in ("text", "value", "style") if name in element}}
    shown = {name: element[name] for name in ("placeholder",) if name in element}
    return {**base, **held(element, value), **shown}
