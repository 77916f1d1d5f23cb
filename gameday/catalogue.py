"""What kinds of fault and probe there are, as the language sees them: a name, a schema and a few facts.

The kinds live in `activities`; whoever loads a playbook hands their catalogue in, so that this room imports no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from gameday.model import Line, Model
from gameday.units import UNITS, Unit


class InjectorParams(Model):
    """The base of an injector's `Params`: what a playbook may write under `with`."""


class ProbeParams(Model):
    """The base of a probe's `Params`. Override `measured_in` where the unit follows from other parameters."""

    unit: Line = "count"
    """The unit of what is read; unless written it follows from what is measured, and is a count where nothing says it."""

    def measured_in(self) -> Unit:
        """The unit of the values that this probe returns.

        Raises:
            ValueError: the playbook names a unit that there is not.
        """
        if self.unit not in UNITS:
            raise ValueError(f"there is no unit {self.unit!r}; expected one of {', '.join(UNITS)}")
        return UNITS[self.unit]


class InjectorKind(Protocol):
    """What the language needs to know of an injector; every injector class satisfies it."""

    kind: ClassVar[str]
    Params: ClassVar[type[InjectorParams]]
    things: ClassVar[frozenset[str]]
    """Which thing on a host it can touch (`process`, `envoy`, …); empty for the host itself, `host` among them where that will do too."""
    momentary: ClassVar[bool]
    """Whether it is over in a moment as a rule; `is_momentary` knows it of a fault."""
    by_hand: ClassVar[bool]
    """Whether it is asked of somebody, and no host carries it out: its `Params` are a `gameday.by_hand.Errand`."""
    ends: ClassVar[str]
    """Who ends the fault when every gameday process is dead: said in `gameday catalog`."""

    @classmethod
    def is_momentary(cls, params: Any) -> bool:
        """Whether a fault with these `Params` is over in a moment, so that nothing is on that could be taken off."""


class ProbeKind(Protocol):
    """What the language needs to know of a probe; every probe class satisfies it."""

    kind: ClassVar[str]
    Params: ClassVar[type[ProbeParams]]


@dataclass(frozen=True)
class Catalogue:
    """The kinds at hand, by name."""

    injectors: Mapping[str, type[InjectorKind]] = field(default_factory=dict)
    probes: Mapping[str, type[ProbeKind]] = field(default_factory=dict)
