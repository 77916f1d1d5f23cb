"""The `gameday` command. Heavy imports happen where they are used, so that help answers at once."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from gameday.errors import BadInput, GamedayError, NotFound
from gameday.printable import printable

BAD_INPUT, FAILURE, INTERRUPTED = 2, 5, 130


def main() -> None:
    """Runs the command line. What gameday means to say is one message, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign shows another
    _leave(_run())


def _leave(code: int) -> None:
    """Ends the process. Temporal's client has threads that now and then crash a Python that is shutting down: they are not given the time."""
    if "temporalio.bridge" not in sys.modules:
        sys.exit(code)
    import logging

    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run() -> int:
    from gameday.cli import app as commands

    try:
        commands.app(prog_name="gameday")
    except SystemExit as exit_:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # how typer says that nobody reads any more
            return _hushed()
        return _flushed(exit_.code if isinstance(exit_.code, int) else 0 if exit_.code is None else FAILURE)
    except GamedayError as error:
        return _failed(str(error), BAD_INPUT if isinstance(error, BadInput | NotFound) else FAILURE)
    except BrokenPipeError:
        return _hushed()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if os.environ.get("GAMEDAY_DEBUG"):
            raise
        return _failed(_os_trouble(error), FAILURE)
    except Exception as error:
        if os.environ.get("GAMEDAY_DEBUG"):
            raise
        return _failed(f"this should not happen ({type(error).__name__}: {error}); please report it. GAMEDAY_DEBUG=1 shows where", FAILURE)
    return _flushed(0)


def _os_trouble(error: OSError) -> str:
    """What the system refused, and what to do about it."""
    where = f"{error.filename}: " if error.filename else ""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{where}a file is in the way; expected a folder there (GAMEDAY_HOME says where gameday keeps what it keeps)"
    if isinstance(error, PermissionError):
        return f"{where}permission denied; expected a place that {os.environ.get('USER') or 'this user'} may use (GAMEDAY_HOME says where)"
    return f"{where}{error.strerror or error}"


def _failed(message: str, code: int) -> int:
    print("gameday: " + printable(message, keep="\n"), file=sys.stderr)
    return code


def _flushed(code: int) -> int:
    """Whoever reads our output may have gone by now."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _hushed() or code
    return code


def _hushed() -> int:
    from gameday.cli.screens import hush

    hush()
    return 0
