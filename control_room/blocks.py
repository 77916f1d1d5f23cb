"""Block Kit, built from text that others wrote: kept within Slack's limits, and never read as markup.

Source of the limits: docs.slack.dev, *Block Kit reference*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)

SECTION, BUTTON, HEADER, MOST_BLOCKS, CONTEXT, ACTIONS = 3000, 75, 150, 50, 10, 25

Blocks = list[dict[str, Any]]


def harmless(text: str) -> str:
    """Text that may repeat what others wrote: no mention and no link."""
    for sign, stands_for in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, stands_for)
    return text


def plain(text: str) -> str:
    """Text of others, so that it reads as it was written: no mention, no link, no formatting."""
    return "".join(f"{each}\N{ZERO WIDTH SPACE}" if each in "*_~`" else each for each in harmless(text))


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def mention(user: str) -> str:
    return f"<@{user}>" if user else ""


def section(text: str, button: ButtonElement | None = None) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=cut(text or "–", SECTION)), accessory=button)


def header(text: str) -> HeaderBlock:
    return HeaderBlock(text=PlainTextObject(text=cut(text, HEADER)))


def context(*texts: str) -> ContextBlock:
    return ContextBlock(elements=[MarkdownTextObject(text=cut(text, 2000)) for text in texts if text][:CONTEXT])


def button(action: str, label: str, value: dict[str, str], style: str | None = None, sure: tuple[str, str] | None = None) -> ButtonElement:
    """A button; with `sure`, a question and its yes, Slack asks before it is pressed."""
    confirm = ConfirmObject(title="Sure?", text=cut(sure[0], 300), confirm=cut(sure[1], 30), deny="No") if sure else None
    if confirm is not None and style == "danger":
        confirm.style = "danger"
    return ButtonElement(text=cut(label, BUTTON), action_id=action, value=packed(value), style=style, confirm=confirm)


def choice(action: str, label: str, options: Iterable[tuple[str, str]]) -> StaticSelectElement:
    """A list to choose from: what is shown, and what is meant."""
    return StaticSelectElement(
        placeholder=cut(label, 150), action_id=action, options=[Option(text=cut(text, 75), value=value) for text, value in options]
    )


def actions(block: str, elements: Sequence[ButtonElement | StaticSelectElement]) -> list[ActionsBlock]:
    return [ActionsBlock(block_id=block, elements=list(elements[:ACTIONS]))] if elements else []


def built(blocks: Iterable[Block]) -> Blocks:
    """As Slack takes them. Slack's own models refuse what is over a limit."""
    return [block.to_dict() for block in list(blocks)[:MOST_BLOCKS]]


def packed(value: dict[str, str]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def unpacked(text: str) -> dict[str, str]:
    """What a button or a dialog carries; nothing where it is not what we have packed."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {key: each for key, each in found.items() if isinstance(each, str)} if isinstance(found, dict) else {}
