"""What a probe is. To add one: a file in this folder with one subclass, and its test (CONTRIBUTING.md)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from gameday.catalogue import ProbeParams

if TYPE_CHECKING:
    import httpx

    from activities.probes.reading.reach import Reach

P = TypeVar("P", bound=ProbeParams)


class Unknown(Exception):
    """There is no measurement, and this is why: short, for people, without secrets. Never 0, never the last value."""


class Probe(ABC, Generic[P]):
    """Reads one measurement, again and again, in the base unit of `params.measured_in()`.

    One instance lives as long as its run is observed, so a probe may keep what it needs between readings (a counter's last value).
    Each call has the playbook's time limit around it; a probe needs none of its own.

    `http` connects to nothing that a playbook may not have asked; a probe that connects by other means goes through `reach`.
    """

    kind: ClassVar[str]
    Params: ClassVar[type[ProbeParams]]

    reach: Reach | None = None
    """What may be connected to, as the operator says; whoever reads the probe sets it."""

    def __init__(self, params: P, http: httpx.AsyncClient) -> None:
        self.params = params
        self.http = http

    @abstractmethod
    async def sample(self) -> float:
        """One reading, in the base unit.

        Raises:
            Unknown: there is no answer, or none that can be believed.
        """

    async def past(self, start: datetime, end: datetime, step: timedelta) -> list[tuple[datetime, float]] | None:
        """What it would have read before, a reading a step, in the base unit; None where its source keeps no past.

        Raises:
            Unknown: as `sample`.
        """
        return None
