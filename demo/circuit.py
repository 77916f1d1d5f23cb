"""When checkout stops waiting for a ledger, and which of the two ledgers it books with. Decisions only, no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["ledger", "standby"]

FAILURES_TO_OPEN = 5
"""Failures in a row after which the circuit opens: a tenth of a second's worth at 50 orders a second."""

FAIL_OVER_AFTER = 6.0
"""Seconds from the first failure until the other ledger may take over. Sooner, and a hiccup would move the books."""

GO_BACK_AFTER = 10.0
"""Seconds the primary has to be well again before checkout trusts it with the books."""


@dataclass
class Circuit:
    """Closed, checkout waits for the active ledger; open, it does not.

    Attributes:
        clock: Tells the time, in seconds.
        active: The ledger that books.
        is_open: Whether checkout has stopped waiting for it.
    """

    clock: Callable[[], float] = time.monotonic
    active: Side = "ledger"
    is_open: bool = False
    _failures: int = 0
    _failing_since: float = 0.0
    _primary_well_since: float | None = None

    @property
    def wants_probes(self) -> bool:
        """Whether anything depends on the ledgers' health now."""
        return self.is_open or self.active == "standby"

    def succeeded(self) -> None:
        """The active ledger booked an order."""
        if not self.is_open:
            self._failures = 0

    def failed(self) -> None:
        """The active ledger did not book an order: too late, or an error."""
        if self._failures == 0:
            self._failing_since = self.clock()
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self.is_open = True

    def probed(self, well: Mapping[Side, bool]) -> None:
        """Takes the outcome of a round of health checks and decides what follows from it."""
        if not self.is_open:
            self._consider_going_back(well["ledger"])
        elif well[self.active]:
            self._close(self.active)
        elif self.clock() - self._failing_since >= FAIL_OVER_AFTER:
            other: Side = "ledger" if self.active == "standby" else "standby"
            if well[other]:
                self._close(other)

    def _close(self, active: Side) -> None:
        self.active = active
        self.is_open = False
        self._failures = 0
        self._primary_well_since = None

    def _consider_going_back(self, primary_well: bool) -> None:
        if not primary_well:
            self._primary_well_since = None
        elif self._primary_well_since is None:
            self._primary_well_since = self.clock()
        elif self.clock() - self._primary_well_since >= GO_BACK_AFTER:
            self._close("ledger")
