"""One thing that Slack tells the app, from when somebody did it until the app has taken it, or Slack has given up."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field

from tests.rigs.slack.things import Json

EVENTS, COMMANDS, INTERACTIVE = "events_api", "slash_commands", "interactive"


@dataclass(frozen=True)
class Taken:
    """What came of one attempt: in `failed` why it is none, in the word that the next attempt gives as its reason."""

    after: float | None = None
    status: int | None = None
    answer: Json | None = None
    failed: str = ""
    final: bool = False
    """Whether the app asked not to be told again."""


@dataclass
class Delivery:
    """`acked_after` in seconds, None for never. `error` is what the person, or the app's owner, is told."""

    kind: str
    payload: Json
    asked: Json | None = None
    """The dialog in which the person was asked whether they mean it."""
    attempts: int = 0
    acked_after: float | None = None
    status: int | None = None
    """Of the last attempt over HTTP."""
    answer: Json | None = None
    errors: dict[str, str] = field(default_factory=dict)
    """Of a modal that was sent off: what the app says is wrong in it, by block."""
    error: str = ""
    envelope_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    def __str__(self) -> str:
        return f"{self.payload.get('type', self.kind)} after {self.attempts} attempts"

    @property
    def over(self) -> bool:
        return self._over.is_set()

    def end(self, error: str = "") -> None:
        self.error = self.error or error
        self._over.set()

    def wait(self, timeout: float = 5) -> Delivery:
        """Until it is taken, or Slack has given up: then `error` says why.

        Raises:
            AssertionError: neither came in time.
        """
        assert self._over.wait(timeout), f"{self} is neither taken nor given up after {timeout} s"
        return self
