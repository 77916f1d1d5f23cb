"""What an injector is. To add one: a file in this folder with one subclass, and its test (CONTRIBUTING.md).

It says which steps make its kind of fault, and does nothing itself: the guarantee is the engine's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from activities.steps.step import Step
from gameday.catalogue import InjectorParams
from gameday.fault import ResolvedTarget
from gameday.settings import CommandSettings, HostSettings

P = TypeVar("P", bound=InjectorParams)

WATCHDOG = "the watchdog, or an agent's next start"


@dataclass(frozen=True)
class Host:
    """The host that an injector speaks of: its name, what its settings say is on it, and the commands that its operator allows.

    `needed` are the addresses or names that must stay within its reach: Temporal's, and where the conductor is here too, the probes'.
    """

    name: str
    settings: HostSettings
    commands: dict[str, CommandSettings]
    home: Path
    """Where gameday keeps its own things on this host."""
    needed: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    """What must go on answering, as `host:port`: Temporal, and where the conductor is here too, what tells the day of others."""
    until: datetime | None = None
    """How long what is put on now may last: credentials must be good for longer."""


class Injector(ABC, Generic[P]):
    """One kind of fault."""

    kind: ClassVar[str]
    Params: ClassVar[type[InjectorParams]]
    things: ClassVar[frozenset[str]] = frozenset()
    momentary: ClassVar[bool] = False
    by_hand: ClassVar[bool] = False
    """Whether it is asked of somebody in the place of a host (gameday/by_hand.py)."""
    ends: ClassVar[str] = WATCHDOG
    opted_in: ClassVar[bool] = False
    """Whether what it does is named in the host's settings anyway, so that a host where targets opt in needs no further word."""

    @classmethod
    def is_momentary(cls, params: P) -> bool:
        """Whether a fault with these parameters is over in a moment, so that nothing is on that could be taken off."""
        return cls.momentary

    def label(self, params: P, target: ResolvedTarget) -> str:
        """What people read of the target: on the timeline, at the gate, in the proof."""
        return target.label

    def preflight(self, params: P, target: ResolvedTarget, host: Host) -> Iterator[str]:
        """What stands in the way of this fault on this target, one problem a line. Nothing is changed."""
        yield from ()

    @abstractmethod
    def steps(self, params: P, target: ResolvedTarget, host: Host) -> tuple[Step, ...]:
        """The reversible changes that make the fault, in the order of applying."""
