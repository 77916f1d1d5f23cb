"""A change that changes nothing: a file of gameday's own stands for it, so that a dry run goes the whole way of a fault. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from activities import durable
from activities.steps.step import Hands, Reading, State, Step, Undo, primitive
from gameday.errors import Refused


@primitive
@dataclass(frozen=True)
class DryRun(Step):
    """Writes a file of its own in the home, and removes it."""

    primitive: ClassVar[str] = "dry-run"
    path: str
    over: bool = False
    """It stands for a change that is over in a moment."""

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path.startswith("/") or Path(self.path).parent.name != "dry":
            raise ValueError("a dry run writes one file, in the folder `dry` of the home")

    @property
    def momentary(self) -> bool:  # type: ignore[override]  # it depends on what it stands for
        return self.over

    def knobs(self) -> tuple[str, ...]:
        return (f"dry-run/{self.path}",)

    def capture(self, hands: Hands) -> Undo:
        if Path(self.path).exists():
            raise Refused(f"{self.path} is there already; it is not gameday's. Move it away")
        return {}

    def apply(self, undo: Undo, hands: Hands) -> None:
        Path(self.path).parent.mkdir(exist_ok=True, mode=0o700)
        durable.write(Path(self.path), b"dry run\n")

    def read(self, undo: Undo, hands: Hands) -> Reading:
        there = Path(self.path).exists()
        return Reading(State.APPLIED if there else State.BEFORE, "dry run: nothing is changed" if there else "dry run: over")

    def undo(self, undo: Undo, hands: Hands) -> None:
        Path(self.path).unlink(missing_ok=True)

    def before(self, undo: Undo) -> str:
        return "dry run: nothing is changed"
