"""Every error that gameday raises on purpose.

    GamedayError
    ├── BadInput               what was given cannot be used; nothing was started (exit 2)
    │   ├── LanguageError      a tolerance, guardrail, expectation or duration that does not parse
    │   ├── PlaybookError      a playbook with problems, all of them at once
    │   └── SettingsError      the settings file or the environment
    ├── Refused                understood, but the rules or the moment do not allow it
    │   ├── FaultEnded         a late attempt at a fault that has been ended
    │   └── TargetTaken        another live fault holds the target
    ├── NotFound               no such run, host, process, binary
    ├── Unavailable            something needed does not answer: Temporal, the store, a host
    │   └── Unreadable         Temporal holds something encrypted, and this process has not the key
    ├── InjectFailed           a fault could not be put on; what was applied has been taken back
    └── NotReverted            a fault could not be proven gone; it is tried again, for ever

Each message says what happened, to what, what was expected and what to do about it.
"""


class GamedayError(Exception):
    """The root: `except GamedayError` catches what gameday means to say to a person."""

    retryable = False


class BadInput(GamedayError):
    """What was given cannot be used."""


class LanguageError(BadInput, ValueError):  # ValueError, so that pydantic reports it with its place
    """A phrase of the playbook's small language does not parse.

    Args:
        message: what is wrong.
        column: offset into the phrase, in characters from 0.
        expected: what would have been right there.
    """

    def __init__(self, message: str, column: int = 0, expected: str = "") -> None:
        super().__init__(message)
        self.message, self.column, self.expected = message, column, expected

    def __str__(self) -> str:
        return f"{self.message}; expected {self.expected}" if self.expected else self.message


class PlaybookError(BadInput):
    """A playbook that cannot be run. `problems` holds them all, in the order of the file."""

    def __init__(self, message: str, problems: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class SettingsError(BadInput):
    """The settings file or an environment variable is wrong."""


class Refused(GamedayError):
    """Understood, but not allowed: the message tells the sender why."""


class FaultEnded(Refused):
    """The fault has a tombstone, was told to end, or its deadline has passed: nothing is applied any more."""


class TargetTaken(Refused):
    """Another live fault holds the same knob of the same target."""


class NotFound(GamedayError):
    """There is no such thing here."""


class Unavailable(GamedayError):
    """Something needed does not answer now; trying again may help."""

    retryable = True


class Unreadable(Unavailable):
    """Something in Temporal is encrypted with a key that this process has not. It is there, and can be read once the key is."""


class InjectFailed(GamedayError):
    """The fault could not be put on. Whatever had been applied was taken back before this was raised."""


class NotReverted(GamedayError):
    """The target was read back and does not look as it did before. Tried again until it does."""

    retryable = True
