"""Measurements: a sample is one reading with its time, or `unknown` with a reason."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from gameday.model import Model, ProbeName


class Sample(Model):
    """One reading of one probe.

    `at` is the tick that it belongs to (all probes of a tick share it), `value` is in the base unit of the probe. Exactly one of `value`
    and `unknown` is set; `unknown` says why there is no value.
    """

    probe: ProbeName
    at: datetime
    value: float | None = None
    unknown: str | None = Field(default=None, max_length=300)
    took_ms: float = 0.0

    @classmethod
    def read(cls, probe: str, at: datetime, value: float, took_ms: float = 0.0) -> Sample:
        """A sample of a value; NaN and infinities are unknown, not numbers."""
        if math.isfinite(value):
            return cls(probe=probe, at=at, value=value, took_ms=took_ms)
        return cls(probe=probe, at=at, unknown=f"the answer was {value}", took_ms=took_ms)


class Baseline(Model):
    """What a probe read while nothing was wrong: the median of the known samples of pre-check, in the base unit."""

    probe: ProbeName
    median: float | None
    low: float | None = None
    high: float | None = None
    known: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, probe: str, samples: Iterable[Sample]) -> Baseline:
        mine = [sample for sample in samples if sample.probe == probe]
        known = [sample.value for sample in mine if sample.value is not None]
        return cls(
            probe=probe,
            median=statistics.median(known) if known else None,
            low=min(known, default=None),
            high=max(known, default=None),
            known=len(known),
            unknown=len(mine) - len(known),
        )
