"""What a notifier is: it tells people one notice, once, or says why it could not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from gameday.notice import Notice
from gameday.notify import About


class NotSent(Exception):
    """It was not sent, and this is why: short, for the log, without secrets.

    Args:
        after: seconds that the other side asks to be left alone.
        final: trying again would not help.
    """

    def __init__(self, message: str, after: float | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.after, self.final = after, final


class Notifier(ABC):
    """Calls people in one way. The caller has a time limit around each call, and tries again: a notifier does neither."""

    kind: ClassVar[str]
    about: frozenset[About] = frozenset(About)
    """What it is for."""

    @abstractmethod
    async def send(self, notice: Notice) -> None:
        """Tells it. The same notice may come twice, after a crash: its `id` says so.

        Raises:
            NotSent: it did not get there, or nobody can say that it did.
        """
