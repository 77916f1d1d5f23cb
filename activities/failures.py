"""The one place where gameday's errors become Temporal's."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from gameday.errors import GamedayError


def as_application_error(error: GamedayError) -> ApplicationError:
    """An error for a workflow: its class as the type, its message, and whether trying again may help.

    Benign, so that the SDK does not log it: the record tells it, and a host's log must not name the target of a sealed scenario.
    """
    return ApplicationError(str(error), type=type(error).__name__, non_retryable=not error.retryable, category=ApplicationErrorCategory.BENIGN)
