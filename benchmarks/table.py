"""Rows of the table, and how numbers become them."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One line of the table. `reached` is None for what is only shown, not demanded."""

    what: str
    measured: str
    beside: str = ""
    limit: str = ""
    reached: bool | None = None

    def cells(self) -> tuple[str, ...]:
        verdict = "" if self.reached is None else "ok" if self.reached else "OVER"
        return (self.what, self.measured, self.beside, self.limit, verdict)


@dataclass
class Result:
    """What one benchmark found: its rows, and where the time or the memory goes."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


HEAD = ("what", "measured", "beside it", "limit", "")


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """`median 31, p95 44 ms (30 rounds)`."""
    return f"median {_number(statistics.median(values))}, p95 {_number(percentile(values, 0.95))} {unit} ({len(values)} rounds)"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def markdown(rows: Iterable[Row]) -> str:
    """A table that reads well in a terminal and is Markdown as it stands."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])


def machine() -> str:
    """What class of machine this is, and how busy: the load says how much the others took."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    cores = len(os.sched_getaffinity(0))
    processor = models[0] if models else platform.machine()
    return f"{cores} cores ({processor}), {memory:.0f} GB, Linux {platform.release()}, Python {platform.python_version()}"


def load() -> float:
    return os.getloadavg()[0]
