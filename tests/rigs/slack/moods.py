"""What Slack does instead of answering: what a test ordered, and, where it is strict, its own rate limits.

Source: docs.slack.dev, *Rate limits*: a message a second in a channel, with short bursts; `chat.update` is of tier 3, 50 a minute.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

BURST, A_SECOND = 4, 1.0
UPDATES, MINUTE = 50, 60.0
ANY = "*"


@dataclass(frozen=True)
class Mood:
    """One refusal (`error`), one pause (`retry_after`), or one answer that never comes (`hang`, seconds until the connection is cut)."""

    error: str = ""
    retry_after: int = 0
    hang: float | None = None


@dataclass
class Moods:
    """Ordered ones first, a method's own before those for any method."""

    strict_rate: bool = False
    ordered: dict[str, deque[Mood]] = field(default_factory=dict)
    _room: dict[str, tuple[float, float]] = field(default_factory=dict)
    _updates: deque[float] = field(default_factory=deque)

    def order(self, method: str, mood: Mood, times: int) -> None:
        self.ordered.setdefault(method, deque()).extend([mood] * times)

    def take(self, method: str, channel: str = "") -> Mood:
        for name in (method, ANY):
            if self.ordered.get(name):
                return self.ordered[name].popleft()
        wait = self._too_fast(method, channel) if self.strict_rate else 0
        return Mood(retry_after=wait)

    def _too_fast(self, method: str, channel: str) -> int:
        """Seconds to wait; 0 for none."""
        now = time.monotonic()
        if method == "chat.postMessage":
            left, at = self._room.get(channel, (BURST, now))
            left = min(BURST, left + (now - at) * A_SECOND)
            self._room[channel] = (left - 1 if left >= 1 else left, now)
            return 0 if left >= 1 else 1
        if method == "chat.update":
            while self._updates and now - self._updates[0] > MINUTE:
                self._updates.popleft()
            if len(self._updates) >= UPDATES:
                return int(MINUTE - (now - self._updates[0])) + 1
            self._updates.append(now)
        return 0
