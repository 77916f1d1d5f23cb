"""What a step is: one reversible change, as data.

A step is frozen and JSON-serialisable. It captures all that its undo needs before it changes anything; undo and read work from that alone.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from gameday.errors import BadInput

Undo = dict[str, Any]
"""A pre-image: JSON data, journaled before the change."""


class State(StrEnum):
    """What a read-back found. A classification, not a yes."""

    BEFORE = "before"
    APPLIED = "applied"
    PART = "part"
    FOREIGN = "foreign"
    """Somebody else has written since: undo leaves it alone."""
    GONE = "gone"
    """The target itself does not exist any more; a successor is never touched."""


RESTORED = frozenset({State.BEFORE, State.GONE, State.FOREIGN})
"""Nothing of the fault is left in these."""


@dataclass(frozen=True)
class Reading:
    """What was read, and in a few words what it looks like."""

    state: State
    seen: str


class Hands(Protocol):
    """What a step may use besides system calls: helper processes that cannot outlive their fault unseen, and patience."""

    lease: float
    """Seconds that a change may last from now without being renewed, for steps that `expires`."""

    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Runs a helper to its end. Returns its exit status and what it printed (at most 2,000 characters)."""

    def start(self, argv: tuple[str, ...]) -> None:
        """Starts a process that shall live on by itself, without any of our locks."""

    def has_started(self) -> bool:
        """Whether what was started last for this fault still runs."""

    def tell_started(self, number: int) -> bool:
        """Signals what was started last for this fault; False when it does not run."""

    def end_started(self) -> None:
        """Ends what was started last for this fault, and waits until it is gone."""

    def intend(self, what: str) -> None:
        """Notes on disk that a change begins which nobody can see at once: whoever undoes finishes it first."""

    def intended(self, what: str) -> bool:
        """Whether such a change may have begun."""

    def give_up(self, what: str) -> None:
        """It has not begun after all."""

    def progress(self) -> None:
        """Says that work goes on; a holder that makes no progress may be killed."""


class Step(ABC):
    """One reversible change. Every method may be called again after a crash at any line of it."""

    primitive: ClassVar[str]
    settle: ClassVar[float] = 1.0
    """Seconds that a read-back may take to show a change that was made."""
    momentary: ClassVar[bool] = False
    """There is nothing to undo: the change is over when it is made."""
    holds: ClassVar[bool] = True
    """The target stays changed until it is undone. A killed process may be started again by others at once."""

    expires: ClassVar[bool] = False
    """The kernel or a server takes the change away by itself, with everybody dead, unless it is renewed in time."""

    @abstractmethod
    def knobs(self) -> tuple[str, ...]:
        """What this step turns, as names that are equal exactly when two steps would turn the same thing."""

    @abstractmethod
    def capture(self, hands: Hands) -> Undo:
        """Reads the pre-image.

        Raises:
            Refused: the knob is already as the step would set it, or cannot be turned safely.
        """

    @abstractmethod
    def apply(self, undo: Undo, hands: Hands) -> None:
        """Makes the change. Idempotent."""

    @abstractmethod
    def read(self, undo: Undo, hands: Hands) -> Reading:
        """Looks, and changes nothing."""

    @abstractmethod
    def undo(self, undo: Undo, hands: Hands) -> None:
        """Takes the change back. Idempotent; never overwrites what others wrote, never touches a successor."""

    def renew(self, undo: Undo, hands: Hands) -> None:  # noqa: B027  # most changes last until they are undone
        """Lets a change that `expires` last for the lease from now. Never makes it again where somebody has taken it away."""

    @abstractmethod
    def before(self, undo: Undo) -> str:
        """The pre-image in a few words, for the proof."""


_PRIMITIVES: dict[str, type[Step]] = {}


def primitive(cls: type[Step]) -> type[Step]:
    """Registers a step primitive, so that the journal can name it."""
    _PRIMITIVES[cls.primitive] = cls
    return cls


def to_json(step: Step) -> dict[str, Any]:
    """A step as data."""
    return {"primitive": step.primitive, **dataclasses.asdict(step)}  # type: ignore[call-overload]  # every step is a dataclass


def from_json(data: dict[str, Any]) -> Step:
    """A step from data; each primitive checks its own values again.

    Raises:
        BadInput: there is no such primitive, or its values are not what it takes.
    """
    fields = dict(data)
    cls = _PRIMITIVES.get(str(fields.pop("primitive", None)))
    if cls is None:
        raise BadInput(f"there is no step primitive {data.get('primitive')!r}; expected one of {', '.join(sorted(_PRIMITIVES))}")
    try:
        return cls(**{name: _frozen(value) for name, value in fields.items()})
    except (TypeError, ValueError) as error:
        raise BadInput(f"the step {data.get('primitive')!r} has unusable values ({error}); it is not executed") from None


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
