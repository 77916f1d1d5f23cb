"""The keys of a live run, pressed in a terminal: what each says reaches the run, under the name of who sits there; and Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.store import RunStore
from gameday.cli import context
from gameday.event import Event, EventKind
from gameday.record import RunRecord
from tests.gameday.cli.pseudo import Terminal, restored
from tests.rigs.lab import until
from tests.rigs.town import DAY, Town

pytestmark = pytest.mark.timeout(120)

CTRL_C = b"\x03"


class Watched:
    """A run that somebody follows in a terminal."""

    def __init__(self, place: Town, playbook: Path) -> None:
        self.place, self.store = place, RunStore(place.settings.store_url)
        before = {line.run_id for line in self.store.list()}
        environment = {"GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}"}
        self.terminal = Terminal(sys.executable, "-m", "gameday", "run", str(playbook), **environment)
        self.terminal.until_so(lambda: {line.run_id for line in self.store.list()} > before, "the run is recorded")
        (self.run_id,) = {line.run_id for line in self.store.list()} - before

    @property
    def record(self) -> RunRecord:
        return self.store.read(self.run_id)

    def events(self, kind: EventKind) -> list[Event]:
        return list(self.record.of(kind))

    def goes(self) -> None:
        """From the gate to the fault."""
        self.terminal.until_shown("▶ GO?", "before you go, ask: who notices first?", "g go")
        self.terminal.types(b"g")
        self.terminal.until_shown("● active", "● observe", "d detected", "a abort")
        assert self.place.is_frozen

    def recorded(self, kind: EventKind) -> Event:
        """The only event of a kind, once there is one."""
        self.terminal.until_so(lambda: bool(self.events(kind)), f"{kind} is recorded")
        (found,) = self.events(kind)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One town for all: each test leaves it as it was."""
    built = Town(tmp_path_factory.mktemp("town") / "home")
    try:
        built.start("temporal", "worker", "agent")
        asyncio.run(built.client())
        RunStore(built.settings.store_url)
        yield built
    finally:
        built.close()


@pytest.fixture
def watched(place: Town, tmp_path: Path) -> Iterator[Watched]:
    """A day whose commander sits at the terminal, at its gate."""
    team = f"team: {{commander: {{name: Ada, user: {context.user()}}}}}\n"
    text = DAY.replace("PIDFILE", str(place.home / "sleeper.pid")).replace("PORT", str(place.port))
    text = text.replace("LENGTH", "5m").replace("GATE", "{timeout: 5m}").replace("    expect:", "    predict: ['who notices first']\n    expect:")
    (tmp_path / "day.yaml").write_text(text + team)
    run = Watched(place, tmp_path / "day.yaml")
    yield run
    run.terminal.close()


def test_each_key_reaches_the_run_under_the_name_of_who_pressed_it(watched: Watched) -> None:
    terminal = watched.terminal
    watched.goes()
    assert watched.recorded(EventKind.GATE_OPENED).actor == "Ada"

    terminal.types(b"n")
    terminal.until_shown("Note: ")
    terminal.types("the sleeper sleeps: 眠\r".encode())
    terminal.until_shown("“the sleeper sleeps: 眠”", "noted", gone="Note: ")
    note = watched.recorded(EventKind.NOTE)
    assert (note.actor, note.text("text")) == ("Ada", "the sleeper sleeps: 眠")

    terminal.types(b"h")
    terminal.until_shown("HELD", "h resume", "on hold; the fault stays on")
    assert watched.recorded(EventKind.HELD).actor == "Ada"
    terminal.types(b"h")
    terminal.until_shown("resumed by Ada", "h hold", gone="HELD")
    assert watched.recorded(EventKind.RESUMED).actor == "Ada"

    terminal.types(b"d")
    terminal.until_shown("marked by Ada", "· detected", gone="d detected")
    mark = watched.recorded(EventKind.MARK)
    assert (mark.actor, mark.text("clock")) == ("Ada", "detected")
    assert watched.place.is_frozen

    terminal.types(b"a")
    terminal.until_shown("Abort the day. Why?")
    terminal.types(b"\x1b")
    terminal.until_shown("a abort", gone="Abort the day.")
    assert not watched.events(EventKind.ABORTED), "Esc goes back"
    terminal.types(b"a")
    terminal.until_shown("Abort the day. Why?")
    terminal.types(b"seen enough\r")
    assert terminal.end() == 3
    assert restored(terminal)
    abort = watched.recorded(EventKind.ABORTED)
    assert (abort.actor, abort.text("reason")) == ("Ada", "seen enough")
    ends_well(watched)


def ends_well(watched: Watched) -> None:
    """The proof and the path of the report are the last that is told, and nothing is on any more."""
    told = watched.terminal.told.splitlines()
    assert "nothing is left behind: 1 fault, 1 reverted, 0 dirty" in told
    what, path = told[-1].split()
    assert what == "report" and Path(path).is_file()
    assert watched.place.is_clean


def test_ctrl_c_aborts_and_waits_for_the_proof(watched: Watched) -> None:
    watched.goes()
    watched.terminal.types(CTRL_C)
    assert watched.terminal.end() == 3
    assert restored(watched.terminal)
    abort = watched.recorded(EventKind.ABORTED)
    assert (abort.actor, abort.text("reason")) == ("Ada", "Ctrl-C")
    ends_well(watched)


def test_a_second_ctrl_c_leaves_and_the_abort_goes_on(watched: Watched) -> None:
    """With the conductor at a standstill, so that the proof cannot come before the second."""
    watched.goes()
    conductor = watched.place.processes["worker"].pid
    os.kill(conductor, signal.SIGSTOP)
    try:
        watched.terminal.types(CTRL_C)
        watched.terminal.until_shown("abort: sent; no answer yet. Ctrl-C again leaves without waiting")
        watched.terminal.types(CTRL_C)
        assert watched.terminal.end() == 130
        assert restored(watched.terminal)
        assert f"{watched.run_id} goes on without you. Come back with `gameday follow {watched.run_id}`" in watched.terminal.told
        assert watched.place.is_frozen, "nobody could take it off yet"
    finally:
        os.kill(conductor, signal.SIGCONT)
    until(lambda: watched.record.ended is not None, 60)
    assert (watched.record.outcome, watched.events(EventKind.ABORTED)[0].text("reason")) == ("aborted", "Ctrl-C")
    assert watched.place.is_clean
