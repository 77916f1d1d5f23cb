"""A command that the operator allowed by name, with the commands that take it back and read it back."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import ClassVar

from activities.steps.step import Hands, Reading, State, Step, Undo, primitive
from gameday.errors import InjectFailed, NotReverted, Refused

_APPLIED, _NOT_APPLIED = 0, 1
_SYNC = ("sync",)
"""Every disk: what a command touches is only known to itself. Source: sync(2)."""
_SYNCED_WITHIN = 5.0
"""Seconds."""


@primitive
@dataclass(frozen=True)
class RunCommand(Step):
    """Runs `do`; `back` undoes it, whatever the state, again and again if need be; `look` exits 0 when it is applied and 1 when it is not.

    What a command changes may be on a disk, and outlive the host. So its undo is synced, as far as that goes quickly, before anybody calls it
    proven: otherwise a hard reset soon afterwards could bring the fault back, and the tombstone would say that it had gone.

    Args:
        name: its name in the settings.
        do, back, look: argv lists, complete; nothing is ever interpreted by a shell.
        timeout: seconds each may take.
    """

    name: str
    do: tuple[str, ...]
    back: tuple[str, ...]
    look: tuple[str, ...]
    timeout: float = 10.0

    primitive: ClassVar[str] = "command"
    settle: ClassVar[float] = 3.0

    def __post_init__(self) -> None:
        for argv in (self.do, self.back, self.look):
            if not argv or not all(isinstance(word, str) and "\0" not in word for word in argv):
                raise ValueError("a command is a list of words")
        if not 0 < self.timeout <= 300:
            raise ValueError("a command's time-out is up to 300 s")

    def knobs(self) -> tuple[str, ...]:
        words = "\0".join(self.do)  # not themselves: knobs are told to Temporal, and the operator's words may hold a secret
        return (f"command/{self.name}/{hashlib.sha256(words.encode()).hexdigest()[:32]}",)

    def capture(self, hands: Hands) -> Undo:
        reading = self.read({}, hands)
        if reading.state is State.APPLIED:
            raise Refused(f"the command {self.name!r} is applied already, and not by this fault; undo it first")
        return {"seen": reading.seen}

    def apply(self, undo: Undo, hands: Hands) -> None:
        if self.read(undo, hands).state is State.APPLIED:
            return  # an earlier attempt did it, and could not say so
        code, output = hands.run(self.do, self.timeout)
        if code != 0:
            raise InjectFailed(f"the command {self.name!r} failed with status {code}: {output[-200:].strip() or 'it printed nothing'}")

    def read(self, undo: Undo, hands: Hands) -> Reading:
        code, output = hands.run(self.look, self.timeout)
        said = f": {output.strip().splitlines()[0][:100]}" if output.strip() else ""
        if code not in (_APPLIED, _NOT_APPLIED):
            raise NotReverted(f"the read-back of {self.name!r} gave status {code}{said}; expected 0 (applied) or 1 (not applied)")
        return Reading(State.APPLIED if code == _APPLIED else State.BEFORE, f"{'applied' if code == _APPLIED else 'not applied'}{said}")

    def undo(self, undo: Undo, hands: Hands) -> None:
        code, output = hands.run(self.back, self.timeout)
        if code != 0:
            raise NotReverted(f"the undo of {self.name!r} failed with status {code}: {output[-200:].strip() or 'it printed nothing'}")
        with contextlib.suppress(NotReverted, InjectFailed):  # a disk so slow, or a host without `sync`: the revert does not wait for it
            hands.run(_SYNC, _SYNCED_WITHIN)

    def before(self, undo: Undo) -> str:
        return str(undo["seen"])
