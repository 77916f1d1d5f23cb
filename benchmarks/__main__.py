"""`python -m benchmarks [name…]`: measures, and prints the table."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import traceback
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.table import Result, Row, load, machine, markdown

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program keeps its compiled modules

NAMES = ("help", "memory", "observer", "history", "abort", "start", "many", "halt", "brakes", "slack")


def measure(name: str) -> Result:
    """One benchmark; one that cannot be made says so in the table, and the others go on."""
    print(f"measuring {name} (load {load():.1f})…", file=sys.stderr, flush=True)
    try:
        result: Result = asyncio.run(import_module(f"benchmarks.{name}").measure())
    except Exception as error:  # noqa: BLE001  # whatever it was, it is said and the next one is measured
        traceback.print_exc()
        return Result([Row(name, f"not measured: {type(error).__name__}", reached=False)])
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(NAMES)}; all without one")
    names = parser.parse_args().names or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; expected some of {', '.join(NAMES)}")
    before = load()
    results = [measure(name) for name in names]
    print(f"{machine()}; load {before:.1f} before and {load():.1f} after; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
    print(markdown(row for result in results for row in result.rows))
    print("".join(f"\n- {note}" for result in results for note in result.notes))
    return 1 if any(row.measured.startswith("not measured") and row.reached is False for result in results for row in result.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
