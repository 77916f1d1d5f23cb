"""A guess, and what seals it: a commitment is `SHA-256(run, scenario, name, salt, guesses)`.

The record has the hash before the go, and the guesses with their salt after the end, so that anybody can see that none was edited.
Source: the commitments of Blum, "Coin flipping by telephone" (1981).
"""

from __future__ import annotations

import hashlib
import json

from pydantic import Field

from gameday.model import Line, Model

MOST_GUESSES = 20
"""As many as a scenario may have questions."""


class Guess(Model):
    """One answer, as its author wrote it: `10s` or `never` to `first alert after`, `2 %` to `worst errors`, a text to a free question."""

    question: Line
    answer: Line


class Commitment(Model):
    """What one person committed to at one time."""

    name: Line
    salt: Line
    guesses: tuple[Guess, ...] = Field(min_length=1, max_length=MOST_GUESSES)

    def digest(self, run_id: str, scenario: int) -> str:
        """What the record has of it before the go: 64 hex digits."""
        said = [run_id, scenario, self.name, self.salt, [[each.question, each.answer] for each in self.guesses]]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
