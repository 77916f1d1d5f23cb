"""An outbox: documents that wait, each a file, in the order in which they came. What is done with leaves a mark, so that it is not done again.

Many may put in; one takes out. A disk that takes nothing is no reason to lose a document: it is kept in memory until it can be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from activities import durable

KEPT = 7 * 24 * 3600.0
"""Seconds that a mark is kept: longer than anything is delivered twice."""
MOST_HELD = 10_000
"""Documents kept in memory at the most while the disk is full."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Document:
    """One that waits. `since` is when it was put in, in seconds since 1970."""

    name: str
    since: float
    text: str


class Outbox:
    """The documents of one folder. Names of files: when, a group, a kind, a hash of the id."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock = folder, clock
        self._numbers = itertools.count()
        self._held: dict[str, str] = {}
        self._done = set[str]()
        """What is done with and could not be marked so on disk."""
        with contextlib.suppress(OSError):  # a full disk again
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, group: str, kind: str, identity: str, text: str, safely: bool = True) -> None:
        """Keeps a document, once for each identity, whatever has become of it. Never fails."""
        tail = f".{group}.{kind}.{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
        if any(name.rpartition(".")[0].endswith(tail) for name in (*self._names(), *self._held, *self._done)):
            return
        name = f"{int(self._clock() * 1e9):020}-{next(self._numbers) % 1_000_000:06}{tail}.json"
        try:
            durable.write(self._folder / name, text.encode(), safely)
        except OSError as error:
            if not self._held:
                log.error("calls are kept in memory until they can be written to %s: %s", self._folder, error)
            if len(self._held) < MOST_HELD:
                self._held[name] = text

    def waiting(self) -> list[Document]:
        """What is not done with, the oldest first. What is in memory is written, if there is room by now."""
        for name, text in list(self._held.items()):
            try:
                durable.write(self._folder / name, text.encode())
            except OSError:
                break
            self._held.pop(name, None)
        names = {name for name in self._names() if name.endswith(".json")} - self._done
        return [found for name in sorted(names | set(self._held)) if (found := self._read(name)) is not None]

    def kept(self, group: str, kinds: frozenset[str]) -> list[str]:
        """The texts of a group's documents of these kinds, done with or not."""
        names = {name for name in (*self._names(), *self._held) if name.split(".")[1:2] == [group] and name.split(".")[2] in kinds}
        return [found.text for name in sorted(names) if (found := self._read(name)) is not None]

    def done(self, document: Document, forget: bool = False) -> None:
        """It needs nothing any more. Marked by a rename, for which a full disk has room; `forget` leaves no mark. Never fails."""
        if self._held.pop(document.name, None) is not None:
            self._done.add(document.name)
            return
        path = self._folder / document.name
        try:
            path.unlink(missing_ok=True) if forget else path.rename(path.with_suffix(".done"))
        except OSError as error:
            log.error("%s cannot be marked as done with: %s", path, error)
            self._done.add(document.name)

    def tidy(self) -> None:
        """Takes marks away that nobody needs any more."""
        for name in self._names():
            if name.endswith(".done") and _since(name) < self._clock() - KEPT:
                with contextlib.suppress(OSError):
                    (self._folder / name).unlink(missing_ok=True)

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir() if path.suffix in (".json", ".done") and path.name[:1].isdigit()]
        except OSError:
            return []

    def _read(self, name: str) -> Document | None:
        """None when it is done with or gone by now."""
        if name in self._held:
            return Document(name, _since(name), self._held[name])
        try:
            return Document(name, _since(name), (self._folder / name).read_text())
        except (OSError, UnicodeDecodeError):
            return None


def _since(name: str) -> float:
    return int(name.partition("-")[0]) / 1e9
