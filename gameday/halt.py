"""The lever: everything off, and nothing new until it is released. Standard library only, as hosts and the start of a run read it."""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE, HERE = "everywhere", "here"


@dataclass(frozen=True)
class Halt:
    """Who pulled the lever, when (UTC, ISO 8601) and why; `scope` is `everywhere`, or `here` for one host alone."""

    actor: str
    actor_id: str
    reason: str
    at: str
    scope: str = EVERYWHERE

    @property
    def said(self) -> str:
        """Why a fault is taken off, or a run ended."""
        return f"halted by {self.actor}: {self.reason}"

    def __str__(self) -> str:
        lift = "gameday halt --local --release" if self.scope == HERE else "gameday halt --release"
        return f"halted by {self.actor} at {self.at[:16].replace('T', ' ')} UTC: {self.reason}; `{lift}` lifts it"
