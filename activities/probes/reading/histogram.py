"""Quantiles of a histogram's buckets, the very number that Prometheus' `histogram_quantile` gives."""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantile(fraction: float, buckets: Mapping[float, float]) -> float | None:
    """The value below which `fraction` of the observations lie, interpolated linearly within its bucket.

    An answer beyond the last finite bound is that bound: a histogram knows no more.

    Args:
        fraction: above 0 and below 1.
        buckets: cumulative counts by upper bound, that is by `le`.

    Returns:
        None when nothing was observed, or when the bucket of +Inf or any finite one is missing.

    Source: promql/quantile.go, `bucketQuantile`, of Prometheus 2.42.
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or not math.isinf(bounds[-1]):
        return None
    counts = _rising([buckets[bound] for bound in bounds])
    if counts[-1] <= 0:
        return None
    rank = fraction * counts[-1]
    index = next((index for index, count in enumerate(counts[:-1]) if count >= rank), len(bounds) - 1)
    if index == len(bounds) - 1:
        return bounds[-2]
    if index == 0:
        return bounds[0] if bounds[0] <= 0 else bounds[0] * rank / counts[0]
    below, start = counts[index - 1], bounds[index - 1]
    return start + (bounds[index] - start) * (rank - below) / (counts[index] - below)


def _rising(counts: list[float]) -> list[float]:
    """Counts that never fall: series that began at different moments can add up to some that do."""
    highest = -math.inf
    return [highest := max(highest, count) for count in counts]
