"""What people wrote in Slack, as the plain text of a timeline."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from gameday.printable import printable

_TOKEN = re.compile(r"<([@#!]?)([^>|]*)(?:\|([^>]*))?>")
MOST = 1900
"""Characters that a note takes."""


def first_word(text: str) -> tuple[str, str]:
    """The first word, and what follows it, whatever space there is between."""
    found = text.split(maxsplit=1)
    return (found[0] if found else "", found[1].strip() if len(found) > 1 else "")


def plain_text(written: str, name_of: Callable[[str], str] = lambda user: user) -> str:
    """Mentions by the names that the team uses, links by what they show, nothing that does not print.

    Source: docs.slack.dev, *Formatting message text*.
    """

    def read(token: re.Match[str]) -> str:
        sign, what, shown = token.groups()
        if sign == "@":
            return f"@{name_of(what)}"
        if sign == "#":
            return f"#{shown or what}"
        if sign == "!":
            return f"@{shown or what}"
        return f"{shown} ({what})" if shown and shown != what else what

    return printable(" ".join(html.unescape(_TOKEN.sub(read, written)).split()))[:MOST].strip()
