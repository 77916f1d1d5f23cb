"""Block Kit as HTML, in the manner of Slack's light theme: what the control room's blocks look like to those who read them.

Draws what gameday makes and nothing else; what it does not know is a KeyError. The page fetches nothing.
Source: docs.slack.dev, *Block Kit reference* and *Formatting message text*.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
People = Mapping[str, str]
"""What people are called, by their Slack ids."""

_SPAN = r"{0}(?![\s\u200b])(?P<{1}>(?:[^{0}\n]|{0}\u200b)+?)(?<!\s){0}(?![\w\u200b])"
MARKUP = re.compile(
    "|".join(
        (
            r"<(?P<link>[^<>]+)>",
            r"`(?!\u200b)(?P<code>[^`\n]+)`",
            *(r"(?<!\w)" + _SPAN.format(sign, name) for sign, name in ((r"\*", "b"), ("_", "i"), ("~", "s"))),
        )
    )
)
"""What means something in mrkdwn. A sign before a zero-width space is only a sign."""

ICON = """<svg viewBox="0 0 36 36" aria-hidden="true"><rect width="36" height="36" rx="8" fill="#1f2933"/>
<path d="M5 19.5h6.5l3-8.5 5.5 15 3.5-9 1.5 2.5h6" fill="none" stroke="#f7b84b" stroke-width="2.6" stroke-linejoin="round"/></svg>"""
ARROW = '<svg class="arrow" viewBox="0 0 20 20"><path d="m5.5 8 4.5 4.5L14.5 8" fill="none" stroke="#616061" stroke-width="1.8"/></svg>'
CROSS = '<svg class="cross" viewBox="0 0 20 20"><path d="m4.5 4.5 11 11m0-11-11 11" stroke="#616061" stroke-width="1.8"/></svg>'

STYLE = """
* { box-sizing: border-box; margin: 0 }
body { width: 760px; background: #fff; color: #1d1c1d; font: 15px/22px Lato, "DejaVu Sans", sans-serif; font-variant-ligatures: none }
svg { display: block } b { font-weight: 700 } a, .name { color: #1264a3; text-decoration: none }
.room { border: 1px solid #d5d5d6; border-radius: 8px; padding-bottom: 12px; overflow: hidden }
.title { border-bottom: 1px solid #dddddd; padding: 11px 20px; margin-bottom: 8px; font-size: 17px; font-weight: 900 }
.title span { color: #616061; font-size: 13px; font-weight: 400; margin-left: 8px }
.message { display: flex; gap: 8px; padding: 8px 20px } .replies ~ .message { padding-bottom: 2px } .message.next { padding: 3px 20px 2px }
.icon { width: 36px; flex: none } .body { flex: 1; min-width: 0 }
.icon svg { width: 36px; height: 36px } .next .icon { height: 1px }
.who { font-weight: 900; margin-right: 6px }
.app { background: #e8e8e8; color: #616061; border-radius: 2px; font: 700 10px/14px Lato; padding: 1px 3px; margin-right: 8px; vertical-align: 1.5px }
.time { color: #616061; font-size: 12px }
.section { display: flex; gap: 16px; justify-content: space-between; overflow-wrap: break-word } .section > div { min-width: 0 }
.section, .header, .context, .actions, hr { margin: 0 0 8px } .message .body > :last-child { margin-bottom: 0 }
.header { font-size: 18px; font-weight: 900; line-height: 24px } .context { color: #616061; font-size: 13px; line-height: 20px }
hr { border: 0; border-top: 1px solid #dddddd }
.actions { display: flex; flex-wrap: wrap; gap: 8px; padding-top: 2px }
.button, .select { background: #fff; border: 1px solid #bbbabb; border-radius: 8px; font-size: 13px; font-weight: 700; line-height: 26px;
  height: 28px; padding: 0 11px; white-space: nowrap; flex: none }
.primary { background: #007a5a; border-color: #007a5a; color: #fff } .danger { background: #e01e5a; border-color: #e01e5a; color: #fff }
.select { display: flex; align-items: center; font-weight: 400; color: #454447; gap: 14px; padding-right: 7px }
.arrow, .cross { width: 16px; flex: none }
code { background: #f8f8f8; border: 1px solid #dddddd; border-radius: 3px; color: #c01343; font: 12px/18px "DejaVu Sans Mono", monospace;
  padding: 1px 3px; white-space: nowrap }
.name { background: #e8f5fa; border-radius: 3px; padding: 0 2px 1px }
.replies { display: flex; align-items: center; gap: 8px; color: #616061; font-size: 13px; padding: 6px 20px 2px }
.replies::after { content: ""; flex: 1; border-top: 1px solid #dddddd } .earlier { font-size: 13px; padding: 2px 20px 0 64px }
.behind { background: #8e8d8e; padding: 28px 0 } .modal { background: #fff; border-radius: 8px; margin: 0 auto; width: 520px }
.modal .top { display: flex; align-items: center; gap: 12px; padding: 20px 24px 16px; font-size: 22px; font-weight: 900; line-height: 28px }
.modal .top svg:first-child { width: 28px; height: 28px } .modal .cross { width: 20px; margin-left: auto }
.modal .inside { padding: 0 24px } .modal .bottom { display: flex; justify-content: flex-end; gap: 12px; padding: 12px 24px 24px }
.modal .bottom .button { font-size: 15px; line-height: 34px; height: 36px; min-width: 80px; text-align: center }
.label { font-weight: 700 } .label span { color: #616061; font-weight: 400 }
.entry { margin-bottom: 20px } .entry .field, .entry .select { border: 1px solid #bbbabb; border-radius: 8px; color: #616061; font-size: 15px;
  height: 38px; line-height: 22px; margin-top: 6px; padding: 7px 12px }
.entry .field.lines { height: 82px } .entry .select { justify-content: space-between }
"""


@dataclass(frozen=True)
class Post:
    """A message of the app: when it was posted, as the room's clock has it, and what is in it."""

    time: str
    blocks: Iterable[Json]


def text(of: Json, people: People) -> str:
    """A text object."""
    return mrkdwn(of["text"], people) if of["type"] == "mrkdwn" else html.escape(of["text"])


def mrkdwn(written: str, people: People) -> str:
    """Slack's markup as HTML. Whatever is not markup is escaped."""
    parts, at = [], 0
    for found in MARKUP.finditer(written):
        parts += [_said(written[at : found.start()]), _marked(found, people)]
        at = found.end()
    return "".join((*parts, _said(written[at:])))


def _said(written: str) -> str:
    """Text without markup: Slack's three entities mean signs, and line breaks are kept."""
    for stands_for, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        written = written.replace(stands_for, sign)
    return html.escape(written).replace("\n", "<br>").replace("   ", " &emsp;")


def _marked(found: re.Match[str], people: People) -> str:
    kind, inside = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "link":
        return _link(inside, people)
    if kind == "code":
        return f"<code>{_said(inside)}</code>"
    return f"<{kind}>{mrkdwn(inside, people)}</{kind}>"


def _link(inside: str, people: People) -> str:
    """A mention by the name that it is shown with, or a link by its words."""
    what, _, words = inside.partition("|")
    if what[0] in "@#!":
        return f'<span class="name">{"#" if what[0] == "#" else "@"}{_said(people.get(what[1:], words or what[1:]))}</span>'
    return f"<a>{_said(words or what)}</a>"


def block(of: Json, people: People) -> str:
    match of["type"]:
        case "section":
            accessory = element(of["accessory"]) if of.get("accessory") else ""
            return f'<div class="section"><div>{text(of["text"], people)}</div>{accessory}</div>'
        case "context":
            return f'<div class="context">{" &emsp;".join(text(each, people) for each in of["elements"])}</div>'
        case "actions":
            return f'<div class="actions">{"".join(element(each) for each in of["elements"])}</div>'
        case "input":
            optional = " <span>(optional)</span>" if of.get("optional") else ""
            return f'<div class="entry"><div class="label">{text(of["label"], people)}{optional}</div>{element(of["element"])}</div>'
        case "header":
            return f'<div class="header">{text(of["text"], people)}</div>'
        case "divider":
            return "<hr>"
        case unknown:
            raise KeyError(unknown)


def element(of: Json) -> str:
    """A button, a list to choose from, or a field to write into, before anybody has touched it."""
    match of["type"]:
        case "button":
            return f'<div class="button {of.get("style") or ""}">{text(of["text"], {})}</div>'
        case "static_select":
            return f'<div class="select">{text(of["placeholder"], {}) if of.get("placeholder") else "Select an item"}{ARROW}</div>'
        case "plain_text_input":
            shown = html.escape(of.get("initial_value") or "") or (text(of["placeholder"], {}) if of.get("placeholder") else "")
            return f'<div class="field{" lines" if of.get("multiline") else ""}">{shown}</div>'
        case unknown:
            raise KeyError(unknown)


def blocks(of: Iterable[Json], people: People) -> str:
    return "".join(block(each, people) for each in of)


def message(post: Post, people: People, follows: bool = False) -> str:
    """A message under the app's name; one that follows another of the same minutes is shown without it, as Slack does."""
    shown = blocks(post.blocks, people)
    if follows:
        return f'<div class="message next"><div class="icon"></div><div class="body">{shown}</div></div>'
    who = f'<div><span class="who">gameday</span><span class="app">APP</span><span class="time">{html.escape(post.time)}</span></div>'
    return f'<div class="message"><div class="icon">{ICON}</div><div class="body">{who}{shown}</div></div>'


def room(title: str, *inside: str, about: str = "") -> str:
    """A channel, or what Slack shows in the place of one, with its title."""
    return f'<div class="room"><div class="title">{html.escape(title)}<span>{html.escape(about)}</span></div>{"".join(inside)}</div>'


def thread(answers: list[Post], people: People, last: int) -> str:
    """What was answered to a message: how many answers there are, and the last of them."""
    earlier = f'<div class="earlier"><a>Show {len(answers) - last} more replies</a></div>' if len(answers) > last else ""
    shown = (message(each, people, follows=place > 0) for place, each in enumerate(answers[-last:]))
    return f'<div class="replies">{len(answers)} replies</div>{earlier}{"".join(shown)}'


def modal(view: Json, people: People) -> str:
    """A dialog, over whatever was there before it."""
    top = f'<div class="top">{ICON}{text(view["title"], people)}{CROSS}</div>'
    submit = f'<div class="button primary">{text(view["submit"], people)}</div>' if view.get("submit") else ""
    bottom = f'<div class="bottom"><div class="button">{text(view["close"], people)}</div>{submit}</div>'
    return f'<div class="behind"><div class="modal">{top}<div class="inside">{blocks(view["blocks"], people)}</div>{bottom}</div></div>'


def home(view: Json, people: People) -> str:
    """The app's home tab."""
    return room("gameday", f'<div class="message"><div class="body">{blocks(view["blocks"], people)}</div></div>', about="Home")


def page(body: str) -> str:
    """A page that fetches nothing and runs nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}"><style>{STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
