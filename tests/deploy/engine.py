"""A Docker engine for as long as the tests last: the one that runs, else one of our own, started here where we are root.

Debian: apt-get install --no-install-recommends docker.io. Our own has its own socket, no bridge and no firewall rules, and keeps its
layers in the user's cache, so that the second run is quick.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers. `host` is its address, empty for the client's default; `ours` says that it ends with the tests."""

    host: str
    ours: bool

    def docker(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """What a docker command printed; its failure is the test's."""
        done = self.attempt(*arguments, stdin=stdin, timeout=timeout)
        assert done.returncode == 0, f"docker {' '.join(arguments)} failed with status {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def attempt(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        where = ["--host", self.host] if self.host else []
        return subprocess.run(["docker", *where, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout)


@contextlib.contextmanager
def running() -> Iterator[Engine]:
    """An engine that answers; skips, with the reason, where there is none and none can be started."""
    if shutil.which("docker") is None:
        pytest.skip("no Docker engine: the docker client is not installed (Debian: apt-get install --no-install-recommends docker.io)")
    theirs = Engine("", ours=False)
    if _answers(theirs):
        yield theirs
        return
    if os.geteuid() != 0:
        pytest.skip("no Docker engine: none answers, and only root could start one")
    if shutil.which("dockerd") is None:
        pytest.skip("no Docker engine: none answers, and dockerd is not installed (Debian: apt-get install --no-install-recommends docker.io)")
    with tempfile.TemporaryDirectory(prefix="gd-") as folder, _own(Path(folder)) as engine:
        yield engine


@contextlib.contextmanager
def _own(folder: Path) -> Iterator[Engine]:
    engine = Engine(f"unix://{folder}/docker.sock", ours=True)
    layers = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gameday-tests" / "docker"
    layers.mkdir(parents=True, exist_ok=True)
    arguments = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--log-level=warn"]
    places = [f"--data-root={layers}", f"--exec-root={folder}/exec", f"--pidfile={folder}/docker.pid", f"--host={engine.host}"]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(["dockerd", *arguments, *places], stdout=log, stderr=log, preexec_fn=_die_with_parent, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not _answers(engine):
            said = (folder / "log").read_text(errors="replace")[-2000:]
            if daemon.poll() is not None and "operation not permitted" in said.lower():
                pytest.skip(f"kernel: it, or a container around us, forbids dockerd ({said.strip().splitlines()[-1]})")
            assert daemon.poll() is None and time.monotonic() < deadline, f"dockerd did not come up:\n{said}"
            time.sleep(0.1)
        engine.docker("image", "prune", "--force", "--filter=until=72h")  # layers of builds that nobody repeats
        yield engine
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        _unmount(folder)


def _unmount(folder: Path) -> None:
    """dockerd leaves the mount of its network namespace behind."""
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in sorted((each for each in places if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=True)


def _answers(engine: Engine) -> bool:
    return engine.attempt("version", "--format", "{{.Server.Version}}", timeout=20).returncode == 0


def _die_with_parent() -> None:
    """No engine outlives the tests, whatever kills them; on SIGTERM it ends its containers too. Source: prctl(2), PR_SET_PDEATHSIG = 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
