"""`python -m worker.snapshot RUN SCENARIO PATH`: a picture of the main probes so far, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from activities.store import RunStore
from gameday.errors import GamedayError
from gameday.settings import load_settings


async def paint(run_id: str, scenario: int, path: Path) -> bool:
    """Draws the main probes of a scenario as they are now into a PNG file. False where there is nothing to show yet.

    Raises:
        GamedayError: it could not be drawn.
    """
    argv = (sys.executable, "-P", "-m", "worker.snapshot", run_id, str(scenario), str(path))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe)
    _, complained = await process.communicate()
    if process.returncode != 0:
        last = complained.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise GamedayError(f"the picture could not be drawn: {last[0][:300]}")
    return path.is_file()


def main(run_id: str, scenario: int, path: Path) -> None:
    """Draws it from the store; makes no file where there is nothing to show."""
    from reports.snapshot import snapshot

    drawn = snapshot(RunStore(load_settings().store_url).read(run_id), scenario)
    if drawn is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(drawn)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
