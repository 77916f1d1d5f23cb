"""A real Prometheus and a real Alertmanager on free ports of loopback, each for as long as a test lasts.

Debian: apt-get install --no-install-recommends prometheus prometheus-alertmanager. Without them, tests that ask for these skip.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest


class Start(Protocol):
    """Starts a server with this configuration, and returns its base URL."""

    def __call__(self, config: dict[str, Any], past: str = "") -> str:
        """With `past`, an OpenMetrics page with times, a Prometheus knows that already."""


@pytest.fixture
def prometheus_server(tmp_path: Path) -> Iterator[Start]:
    """Starts Prometheus servers; rule files can be named relative to `tmp_path`."""
    binary = _binary("prometheus", "prometheus")
    with contextlib.ExitStack() as running:

        def start(config: dict[str, Any], past: str = "") -> str:
            port = _free_port()
            home = tmp_path / f"prometheus-{port}"
            _remember(home, past)
            arguments = [f"--storage.tsdb.path={home}/data", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
            return _start(running, binary, home, config, arguments, port)

        yield start


@pytest.fixture
def alertmanager_server(tmp_path: Path) -> Iterator[Start]:
    """Starts Alertmanager servers."""
    binary = _binary("prometheus-alertmanager", "prometheus-alertmanager")
    with contextlib.ExitStack() as running:

        def start(config: dict[str, Any], past: str = "") -> str:  # it keeps none
            port = _free_port()
            home = tmp_path / f"alertmanager-{port}"
            arguments = [f"--storage.path={home}/data", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
            return _start(running, binary, home, config, arguments, port)

        yield start


def _binary(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install --no-install-recommends {package})")
    return path


def _remember(home: Path, past: str) -> None:
    """Fills a Prometheus that has not been started. Source: promtool tsdb create-blocks-from openmetrics."""
    home.mkdir()
    if past:
        (home / "past").write_text(past)
        made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(home / "past"), str(home / "data")]
        subprocess.run(made, check=True, capture_output=True)


def _start(running: contextlib.ExitStack, binary: str, home: Path, config: dict[str, Any], arguments: list[str], port: int) -> str:
    home.mkdir(exist_ok=True)
    (home / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    log = running.enter_context((home / "log").open("wb"))
    process = subprocess.Popen(
        [binary, f"--config.file={home}/config.yml", *arguments], stdout=log, stderr=log, cwd=home, preexec_fn=_die_with_parent
    )
    running.callback(_stop, process)
    url = f"http://127.0.0.1:{port}"
    while not _ready(url):
        assert process.poll() is None, (home / "log").read_text()
        time.sleep(0.05)
    return url


def _die_with_parent() -> None:
    """No server outlives the tests, whatever kills them. Source: prctl(2), PR_SET_PDEATHSIG = 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/-/ready", timeout=1):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
