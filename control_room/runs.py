"""What the control room asks of the runs, and the board where it sees them. Whoever assembles the process says how it is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from control_room.identity import Directory
from control_room.payloads import Who
from control_room.writing import first_word
from gameday.commands import Actor, Command
from gameday.view import RunView


@dataclass(frozen=True)
class Pulled:
    """A lever that was pulled: `said` is for everybody; `found`, on each host and of each run, for who may see it, and `short` for who may not."""

    said: str
    found: str
    short: str


class Runs(Protocol):
    """Telling runs something. Every method raises GamedayError with words for people where it cannot be done."""

    async def tell(self, run_id: str, command: Command) -> str:
        """Sends a command; returns the run's answer."""

    async def start(self, identity: str, playbook: Path, values: Mapping[str, str], by: Actor) -> str:
        """Starts a run; returns its id, which follows from the identity of what asked for it, so that it is one run."""

    async def halt(self, by: Actor, reason: str) -> Pulled:
        """Pulls the lever."""

    async def add(self, run_id: str, notes: Sequence[Command]) -> str:
        """Adds notes to a run that is over, and has its report written anew; returns what is said of it."""

    async def report(self, run_id: str, open_seals: bool) -> str:
        """A run's report, in Markdown, as somebody may see it."""


RUN_ID = re.compile(r"[a-z0-9]{4}-[a-z0-9-]{1,75}")


class Seen(Protocol):
    """One run that goes on, or has ended a while ago."""

    @property
    def open(self) -> RunView:
        """Everything of it."""

    @property
    def veiled(self) -> RunView:
        """What a responder may see of it."""

    @property
    def rooms(self) -> frozenset[str]:
        """Its channels."""

    @property
    def own(self) -> str:
        """The channel of its own; empty where it has none."""

    @property
    def announced(self) -> bool:
        """Whether everybody may know that it goes on."""


class Board:
    """The runs at hand, the newest first."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._seen: dict[str, Seen] = {}

    def put(self, run_id: str, seen: Seen) -> None:
        self._seen[run_id] = seen

    def drop(self, run_id: str) -> None:
        self._seen.pop(run_id, None)

    def view(self, run_id: str, who: Who) -> RunView | None:
        """A run as this person may see it; None where it is not at hand."""
        seen = self._seen.get(run_id)
        if seen is None:
            return None
        return seen.open if self.directory.may_look(who, seen.open.plan) else seen.veiled

    def going_on(self, who: Who | None = None) -> list[str]:
        """The ids of the runs that have not ended; with `who`, of those that this person may know of."""
        found = [seen.open for run, seen in self._seen.items() if not seen.open.outcome and (who is None or self.may_know(run, who))]
        return [view.plan.run_id for view in sorted(found, key=lambda view: view.plan.started_at, reverse=True)]

    def may_know(self, run_id: str, who: Who) -> bool:
        """Whether somebody may know that a run goes on: of a day that is not announced only who leads or observes it. What is over is no secret."""
        seen = self._seen.get(run_id)
        return seen is None or seen.announced or bool(seen.open.outcome) or self.directory.may_look(who, seen.open.plan)

    def meant(self, said: str, channel: str | None, urgent: bool = False) -> tuple[str | None, str]:
        """Which run somebody means: named by how its id begins in the first word, the one of this channel, or the only one. Then the other words.

        None where that is not clear. What is urgent is for the newest one of the channel then.
        """
        first, rest = first_word(said)
        named = [run for run in self._seen if first and run.startswith(first) and len(first) >= 4]
        if len(named) == 1:
            return named[0], rest
        if not urgent and RUN_ID.fullmatch(first) and any(each.isdigit() for each in first[:4]):  # an id, and no word such as well-known
            return None, said.strip()
        here = [run for run in self.going_on() if channel in self._seen[run].rooms]
        for some in (here[:1] if urgent else here, self.going_on()):
            if len(some) == 1:
                return some[0], said.strip()
        return None, said.strip()

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._seen

    def of_room(self, channel: str) -> str | None:
        """The run that takes place in this channel now, the newest where there are several; of a run's own channel it stays that one."""
        own = (run for run, seen in self._seen.items() if channel == seen.own)
        return next((run for run in self.going_on() if channel in self._seen[run].rooms), None) or next(own, None)


Leases = Callable[[RunView], Mapping[str, float]]
"""Seconds left of the leases whose journal is at hand."""


def listed(runs: Iterable[str]) -> str:
    return ", ".join(f"`{run}`" for run in runs)
