"""The `gameday` command. Heavy imports happen where they are used, so that help answers at once."""

from __future__ import annotations

import os
import sys

from gameday.errors import BadInput, GamedayError

BAD_INPUT, FAILURE = 2, 5


def main() -> None:
    """Runs the command line. What gameday means to say is one message, never a traceback."""
    from gameday.cli.app import app

    try:
        app()
    except GamedayError as error:
        print(f"gameday: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT if isinstance(error, BadInput) else FAILURE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output has had enough
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("GAMEDAY_DEBUG"):
            raise
        print(f"gameday: this should not happen ({type(error).__name__}: {error}); please report it. GAMEDAY_DEBUG=1 shows where", file=sys.stderr)
        sys.exit(FAILURE)
