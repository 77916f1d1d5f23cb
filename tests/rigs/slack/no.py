"""How Slack says no: a word of its own, and what it adds to it."""

from __future__ import annotations

from typing import Any


class No(Exception):
    """A method's refusal, as it goes into the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error, self.more = error, more

    @property
    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.more}


def not_valid(error: str, problems: list[str]) -> No:
    """What Slack says of blocks and views that it does not take: each mistake, with its place."""
    messages = [f"[ERROR] {problem}" for problem in problems]
    more = {"errors": problems} if error == "invalid_blocks" else {}
    return No(error, response_metadata={"messages": messages}, **more)
