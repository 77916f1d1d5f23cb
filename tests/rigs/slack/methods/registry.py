"""A method as a function of the workspace and its arguments, and lists that are handed out a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.no import No
from tests.rigs.slack.things import Json
from tests.rigs.slack.workspace import Workspace

Do = Callable[[Workspace, Arguments], Json]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Method:
    do: Do
    scopes: tuple[str, ...] = ()
    """One of them is needed; none where this is empty."""

    def allowed(self, granted: set[str]) -> None:
        if self.scopes and not granted & set(self.scopes):
            raise No("missing_scope", needed=",".join(self.scopes), provided=",".join(sorted(granted)))


def page(found: Sequence[Item], args: Arguments, otherwise: int = 100) -> tuple[list[Item], Json]:
    """A page of them, and the `response_metadata` that leads to the next one."""
    most, start = args.number("limit", otherwise), 0
    if args.text("cursor"):
        try:
            start = int(base64.b64decode(args.text("cursor"), validate=True).decode().removeprefix("next:"))
        except (ValueError, binascii.Error):
            raise No("invalid_cursor") from None
    end = start + most
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(found) else ""
    return list(found[start:end]), {"next_cursor": cursor}


def ok(**more: Any) -> Json:
    return {"ok": True, **more}
