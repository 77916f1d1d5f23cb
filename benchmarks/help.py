"""`gameday --help`, from exec to exit."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.table import Result, Row, spread

ROUNDS = 20
LIMIT = 0.2
GAMEDAY = Path(sys.executable).with_name("gameday")


async def measure() -> Result:
    argv = [str(GAMEDAY), "--help"]
    bare = _times([sys.executable, "-c", "pass"])
    took = _times(argv)
    row = Row(
        "gameday --help",
        spread(took, "s"),
        f"python -c pass: median {statistics.median(bare):.2f} s",
        f"median under {LIMIT} s",
        statistics.median(took) < LIMIT,
    )
    return Result([row], [f"imports of `gameday --help`, the dearest with all that they import: {dearest(argv)}"])


def _times(argv: Sequence[str]) -> list[float]:
    times = []
    for _ in range(ROUNDS + 1):
        began = time.monotonic()
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        times.append(time.monotonic() - began)
    return times[1:]


def dearest(argv: Sequence[str], count: int = 8, environment: Mapping[str, str] | None = None) -> str:
    """The modules whose import by a Python program cost most, by Python's own account, each with all that it imported."""
    imports = [sys.executable, "-X", "importtime", *argv]
    said = subprocess.run(imports, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment).stderr
    found = [(int(match[1]), match[2]) for match in re.finditer(r"import time:\s+\d+ \|\s+(\d+) \|\s+([\w.]+)$", said, re.M)]
    shown = [f"{name} {took / 1000:.0f} ms" for took, name in sorted(found, reverse=True)[:count]]
    return ", ".join(shown)
