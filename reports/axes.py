"""The scales of a picture: limits that neither an outlier nor a far-away guardrail may spoil, and ticks that read well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.picture import Level, Picture, Point

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)

FEW = 0.02
"""This share of the samples, and at least one, may be cut off at the top when they would flatten all the others."""

FLAT = 4.0
"""How many times higher than all others they have to be for that."""


@dataclass(frozen=True)
class Scale:
    """The limits of the vertical axis, the levels inside and outside of them, and the points that are cut off."""

    low: float
    high: float
    inside: tuple[Level, ...]
    outside: tuple[Level, ...]
    cut: tuple[Point, ...]


def scale(picture: Picture) -> Scale:
    """Limits from the samples, widened for the levels near them."""
    values = sorted(value for _, value in picture.points)
    low, high = (values[0], _high(values)) if values else (0.0, 0.0)
    if low >= 0 and low < high * 0.6:
        low = 0.0
    near = [level for level in picture.levels if _is_near(level, low, high)]
    low, high = min([low, *(level.value for level in near)]), max([high, *(level.value for level in near)])
    room = (high - low or abs(high) or 1.0) * 0.1
    floor = low - room * 0.2 if low == 0 else low - room
    return Scale(
        low=floor,
        high=high + room,
        inside=tuple(near),
        outside=tuple(level for level in picture.levels if level not in near),
        cut=tuple(point for point in picture.points if point[1] > high + room),
    )


def _high(values: Sequence[float]) -> float:
    """The highest value that is no outlier."""
    low, few = values[0], max(1, int(len(values) * FEW))
    for rest in range(1, min(few, len(values) - 1) + 1):
        below = values[-1 - rest]
        if below > low and values[-rest] - low > FLAT * (below - low):
            return below
    return values[-1]


def _is_near(level: Level, low: float, high: float) -> bool:
    """A steady state always tells something, as long as it leaves the samples visible; a guardrail only when they come near it."""
    reach = {"baseline": 50.0, "steady": 20.0, "expected": 3.0, "guardrail": 2.5}[level.kind]
    size = max(abs(high), abs(low))
    return size == 0 or -reach * size <= level.value <= reach * size


def time_ticks(start: float, end: float, most: int = 11) -> list[int]:
    """Round offsets between two moments, in seconds, zero among them."""
    step = next((step for step in _STEPS if (end - start) / step < most), _STEPS[-1])
    return [step * number for number in range(-int(-start // step) if start < 0 else int(start // step), int(end // step) + 1)]


def apart(positions: Sequence[float], least: float) -> list[float]:
    """Of ascending positions as many as keep this distance from each other."""
    kept: list[float] = []
    for position in positions:
        if not kept or position - kept[-1] >= least:
            kept.append(position)
    return kept


def spread(wanted: Sequence[float], heights: Sequence[float], top: float = 1.0) -> list[float]:
    """Centres of labels that do not overlap, each as near as can be to where it is wanted; all between 0 and `top`.

    Args:
        wanted: centres, ascending.
        heights: of the labels, in the same measure.
    """
    placed: list[float] = []
    floor = 0.0
    for centre, height in zip(wanted, heights, strict=True):
        placed.append(max(centre, floor + height / 2))
        floor = placed[-1] + height / 2
    ceiling = top
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], ceiling - heights[index] / 2)
        ceiling = placed[index] - heights[index] / 2
    return placed


def rows(stretches: Sequence[tuple[float, float]]) -> list[int]:
    """The first row for each stretch in which it covers none of those before it."""
    taken: list[list[tuple[float, float]]] = []
    found = []
    for start, end in stretches:
        row = next((row for row, others in enumerate(taken) if all(end <= low or start >= high for low, high in others)), len(taken))
        if row == len(taken):
            taken.append([])
        taken[row].append((start, end))
        found.append(row)
    return found
