"""Block Kit's limits, as Slack documents them: what is wrong with blocks, and with a view, in Slack's words and with its place.

Source: docs.slack.dev, *Block Kit reference*, *Blocks* and *Views*. Kinds that this rig does not know are wrong here, also where Slack
would take them (cards, carousels, plans and the like): teach them to it before they are used.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.rigs.slack.elements import IN_ACTIONS, IN_INPUT, IN_SECTION, element, image
from tests.rigs.slack.rules import EITHER, PLAIN, Found, flags, items, keys, optional, said, string, text, within

Judge = Callable[[dict[str, Any], str], Found]
MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
NOT_ON = {"markdown": {"modal", "home"}, "table": {"modal", "home"}}
RICH = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
LARGEST_VIEW = 250_000
"""Characters of a view's JSON."""
OF_MODALS = ("submit", "close", "clear_on_close", "notify_on_close", "submit_disabled")
OF_VIEWS = ("private_metadata", "callback_id", "external_id")


def section(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("block_id", "text", "fields", "accessory", "expand"))
    if thing.get("text") is None and not thing.get("fields"):
        yield said("must define either `text` or `fields`", at)
    yield from optional(thing, "text", at, text(3000))
    yield from optional(thing, "fields", at, lambda value, where: items(value, where, 10, text(2000)))
    yield from optional(thing, "accessory", at, lambda value, where: element(value, where, IN_SECTION))
    yield from flags(thing, at, "expand")


def header(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("text",), ("block_id",))
    yield from optional(thing, "text", at, text(150, PLAIN))


def divider(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("block_id",))


def context(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("elements",), ("block_id",))
    yield from items(thing.get("elements"), f"{at}/elements", 10, _in_context)


def _in_context(thing: Any, at: str) -> Found:
    if isinstance(thing, dict) and thing.get("type") in EITHER:
        yield from text(3000)(thing, at)
    else:
        yield from element(thing, at, {"image"})


def actions(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("elements",), ("block_id",))
    yield from items(thing.get("elements"), f"{at}/elements", 25, lambda value, where: element(value, where, IN_ACTIONS))


def entry(thing: dict[str, Any], at: str) -> Found:
    """An input block."""
    yield from keys(thing, at, ("label", "element"), ("block_id", "hint", "optional", "dispatch_action"))
    yield from optional(thing, "label", at, text(2000, PLAIN))
    yield from optional(thing, "hint", at, text(2000, PLAIN))
    yield from optional(thing, "element", at, lambda value, where: element(value, where, IN_INPUT))
    yield from flags(thing, at, "optional", "dispatch_action")


def picture(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, (), ("block_id", "alt_text", "image_url", "slack_file", "title"))
    yield from image({key: value for key, value in thing.items() if key not in ("block_id", "title")}, at)
    yield from optional(thing, "title", at, text(2000, PLAIN))


def rich_text(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("elements",), ("block_id",))
    yield from items(thing.get("elements"), f"{at}/elements", 1000, _in_rich_text)


def _in_rich_text(thing: Any, at: str) -> Found:
    if not isinstance(thing, dict) or thing.get("type") not in RICH:
        yield said("unsupported type", f"{at}/type")


def markdown(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("text",), ("block_id",))
    yield from string(thing.get("text", ""), f"{at}/text", 12_000, least=1)


def table(thing: dict[str, Any], at: str) -> Found:
    yield from keys(thing, at, ("rows",), ("block_id", "column_settings"))
    yield from items(thing.get("rows"), f"{at}/rows", 100, lambda row, where: items(row, where, 20, _cell))


def _cell(thing: Any, at: str) -> Found:
    if not isinstance(thing, dict) or thing.get("type") not in {"raw_text", "raw_number", "rich_text"}:
        yield said("unsupported type", f"{at}/type")


JUDGES: dict[str, Judge] = {
    "section": section,
    "header": header,
    "divider": divider,
    "context": context,
    "actions": actions,
    "input": entry,
    "image": picture,
    "rich_text": rich_text,
    "markdown": markdown,
    "table": table,
}


def problems(blocks: Any, surface: str = "message", at: str = "/blocks") -> list[str]:
    """What Slack would not take of these blocks; empty for what it takes.

    Args:
        surface: `message`, `modal` or `home`.
        at: where the blocks stand, for the places that are named.
    """
    if not isinstance(blocks, list):
        return [said("must be an array", at)]
    found = list(items(blocks, at, MOST_BLOCKS[surface], lambda value, where: _block(value, where, surface), least=0))
    return found + list(_unique(blocks, at))


def _block(thing: Any, at: str, surface: str) -> Found:
    kind = thing.get("type") if isinstance(thing, dict) else None
    if kind not in JUDGES or surface in NOT_ON.get(kind, ()):
        yield said(f"unsupported type: {kind}", f"{at}/type")
        return
    yield from JUDGES[kind](thing, at)
    yield from optional(thing, "block_id", at, within(255, least=1))


def _unique(blocks: list[Any], at: str) -> Found:
    """Block ids are a message's own, action ids a block's."""
    known = [each for each in blocks if isinstance(each, dict)]
    for name, times in Counter(each["block_id"] for each in known if isinstance(each.get("block_id"), str)).items():
        if times > 1:
            yield said(f'`block_id` "{name}" already exists', at)
    for place, each in enumerate(blocks):
        inside = each.get("elements") if isinstance(each, dict) and each.get("type") == "actions" else None
        ids = [one["action_id"] for one in inside or () if isinstance(one, dict) and isinstance(one.get("action_id"), str)]
        for name, times in Counter(ids).items():
            if times > 1:
                yield said(f'`action_id` "{name}" already exists for another element', f"{at}/{place}")


def view_problems(view: Any, kind: str = "modal") -> list[str]:
    """What Slack would not take of a view of this kind, `modal` or `home`."""
    if not isinstance(view, dict):
        return [said("must be an object", "/view")]
    if view.get("type") != kind:
        return [said(f"unsupported type: {view.get('type')}", "/view/type")]
    found = list(_parts(view, kind))
    if isinstance(view.get("blocks"), list):
        found += problems(view["blocks"], kind, "/view/blocks")
        asks = [place for place, each in enumerate(view["blocks"]) if isinstance(each, dict) and each.get("type") == "input"]
        if asks and kind == "modal" and not view.get("submit"):
            found.append(said("must define `submit` to use an `input` block in modals", f"/view/blocks/{asks[0]}/input"))
    if len(json.dumps(view, ensure_ascii=False)) > LARGEST_VIEW:
        found.append(said("view is too large", "/view"))
    return found


def _parts(view: dict[str, Any], kind: str) -> Found:
    modal = kind == "modal"
    yield from keys(view, "/view", ("title", "blocks") if modal else ("blocks",), (*OF_VIEWS, *(OF_MODALS if modal else ())))
    if view.get("blocks") is not None and not isinstance(view["blocks"], list):
        yield said("must be an array", "/view/blocks")
    for key in ("title", "submit", "close") if modal else ():
        yield from optional(view, key, "/view", text(24, PLAIN))
    for key, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        yield from optional(view, key, "/view", within(most))
    yield from flags(view, "/view", "clear_on_close", "notify_on_close", "submit_disabled")
