"""What `gameday doctor` finds, and looking at something that may never answer."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """`ok`, `part` or `no`; what it is about; what was found; what to do."""

    verdict: str
    about: str
    found: str
    advice: str = ""


def lines(finding: Finding) -> Iterator[str]:
    """One finding for people, its advice below."""
    first, *rest = textwrap.wrap(finding.found, 100, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{finding.verdict:<5} {finding.about:<11} {first}"
    yield from (f"{'':<17} {each}" for each in rest)
    yield from (f"{'':<17} {each}" for each in textwrap.wrap(f"→ {finding.advice}" if finding.advice else "", 100, break_on_hyphens=False))


def short(path: Path) -> str:
    """A path with the user's home as `~`."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if home != Path("/") and path.is_relative_to(home) else str(path)


class Look:
    """A look in a thread of its own, begun at once: several go on together, and one that never comes back keeps nobody.

    Args:
        look: what is tried.
        otherwise: what is said when it fails, or takes longer than `patience` seconds; it is told why.
    """

    def __init__(self, look: Callable[[], Finding], otherwise: Callable[[str], Finding], patience: float) -> None:
        self._look, self._otherwise, self._patience = look, otherwise, patience
        self._deadline = time.monotonic() + patience
        self._found: Finding | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._look()
        except Exception as error:  # noqa: BLE001  # whatever stands in the way of one look, the others are shown
            self._found = self._otherwise(str(error) or type(error).__name__)

    def found(self) -> Finding:
        """What was found; waits for it, but no longer than its time."""
        self._thread.join(max(self._deadline - time.monotonic(), 0.0))
        return self._found or self._otherwise(f"no answer within {self._patience:g} s")
