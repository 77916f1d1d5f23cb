"""The image: built from the Dockerfile, and started as the compose file starts it, against a real Temporal and a real PostgreSQL.

Needs a Docker engine, or root and `dockerd` to start one; takes about two minutes the first time, then less. Leave out: -m 'not docker'.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from gameday.settings import Settings
from tests.deploy import base_image, engine
from tests.deploy.engine import Engine
from tests.rigs import database
from worker import temporal_server

pytestmark = [pytest.mark.docker, pytest.mark.timeout(420)]

ROOT = Path(__file__).parents[2]
IMAGE = "gameday-test:built"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

PLAYBOOK = """\
name: image-day
objective: Does an agent in its container reach this machine's processes?
environment: test
team: {commander: {name: Ada, user: ada}}
probes: {answer: {tcp: {host: 127.0.0.1, port: PORT}}}
sampling: {every: 500ms, timeout: 400ms, baseline: 2s, steady_samples: 2}
steady_state: ['answer < 10 s']
abort_when: ['answer > 20 s']
scenarios:
  - title: A sleeper is stopped
    hypothesis: Nobody notices
    faults: [{name: stopped, inject: process.pause, on: {host: local, process: gd-image-test}, for: LENGTH}]
    expect: ['answer < 10 s']
    rollback_plan: ['Continue it']
    afterwards: {steady_for: 1s, recover_within: 20s}
"""


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    with engine.running() as found:
        yield found


@pytest.fixture(scope="module")
def image(docker: Engine) -> Iterator[str]:
    """The image, on the default base where this engine has it, else on one made of this machine's Python."""
    default = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert default is not None
    base = default[1] if docker.attempt("image", "inspect", default[1]).returncode == 0 else base_image.ensure(docker)
    docker.docker("build", "--quiet", "--network=host", f"--build-arg=BASE={base}", f"--tag={IMAGE}", str(ROOT), timeout=400)
    yield IMAGE
    docker.attempt("image", "rm", "--force", IMAGE)


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal server on loopback; its address."""
    program = temporal_server.binary(Settings())
    assert program is not None, "no `temporal` program; the extra `server` brings one"
    folder, port = tmp_path_factory.mktemp("temporal"), temporal_server.free_port()
    command = temporal_server.command(program, folder / "temporal.db", port, temporal_server.free_port())
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_die_with_parent)
    try:
        until(lambda: subprocess.run([program, "operator", "cluster", "health", f"--address=127.0.0.1:{port}"], capture_output=True).returncode == 0)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def start(docker: Engine, image: str) -> Iterator[Callable[..., str]]:
    """Starts containers from the image in the background; each is gone after the test. Returns the container's id."""
    started: list[str] = []

    def run(*arguments: str, options: list[str]) -> str:
        started.append(docker.docker("run", "--detach", "--network=host", *options, image, *arguments))
        return started[-1]

    yield run
    for each in started:
        docker.attempt("rm", "--force", "--volumes", each)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of another user than root's, to be stopped."""
    program = tmp_path / "gd-image-test"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(0o755)
    user = "nobody" if os.geteuid() == 0 else None
    process = subprocess.Popen([program, "600"], cwd="/", user=user, preexec_fn=_die_with_parent)
    yield process
    process.kill()
    process.wait()


def as_in_compose(name: str) -> list[str]:
    """What the compose file lets a service do, as options of `docker run`. Without the OOM score, which an engine within a container refuses."""
    service = SERVICES[name]
    options = ["--read-only", "--tmpfs=/tmp"] if service["read_only"] else []
    options += [f"--cap-drop={each}" for each in service["cap_drop"]] + [f"--cap-add={each}" for each in service.get("cap_add", [])]
    options += [f"--security-opt={each.replace('apparmor:', 'apparmor=')}" for each in service["security_opt"]]
    options += [f"--{option}={service[key]}" for key, option in {"pid": "pid", "cgroup": "cgroupns", "user": "user"}.items() if key in service]
    homes = [volume.split(":")[1] for volume in service["volumes"] if not volume.startswith(".")]
    return [*options, *(f"--volume={home}" for home in homes)]


def is_healthy(docker: Engine, container: str, name: str) -> bool:
    """By the health check of the compose file."""
    return docker.attempt("exec", container, *SERVICES[name]["healthcheck"]["test"][1:]).returncode == 0


def agents_home() -> str:
    return str(SERVICES["agent"]["environment"]["GAMEDAY_HOME"])


def until(found: Callable[[], object], patience: float = 60) -> None:
    deadline = time.monotonic() + patience
    while not found():
        assert time.monotonic() < deadline, f"not within {patience} s"
        time.sleep(0.2)


def state(process: subprocess.Popen[bytes]) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def _die_with_parent() -> None:
    """Nothing outlives the tests, whatever kills them. Source: prctl(2), PR_SET_PDEATHSIG = 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def test_it_says_its_version(docker: Engine, image: str) -> None:
    assert docker.docker("run", "--rm", image, "--version") == "gameday 0.1.0"


def test_it_is_not_root_and_has_only_what_it_needs(docker: Engine, image: str) -> None:
    script = (
        "import importlib.util, json, os, pathlib, workflows, reports, control_room, slack_sdk, psycopg;"
        "spare = [name for name in ('pytest', 'mypy', 'hatchling', 'ruff', 'pip') if pathlib.Path('/opt/gameday') in "
        "pathlib.Path(getattr(importlib.util.find_spec(name), 'origin', None) or '/').parents];"
        "print(json.dumps([os.getuid(), spare, os.path.exists('/src'), os.access('/opt/gameday', os.W_OK), os.getcwd()]))"
    )
    said = docker.docker("run", "--rm", "--entrypoint=python", image, "-c", script)
    assert json.loads(said) == [10001, [], False, False, "/var/lib/gameday"]


def test_it_holds_no_more_than_the_dockerfile_names(docker: Engine, image: str) -> None:
    """What lies about in a checkout, such as .env or .git, is not even sent to the builder."""
    listing = docker.docker("run", "--rm", "--user=0:0", "--entrypoint=python", image, "-c", "import os; [print(p) for p, _, _ in os.walk('/')]")
    assert not [line for line in listing.splitlines() if re.search(r"/\.(git|venv|env)$", line)]
    assert "/var/lib/gameday-agent" in listing


def test_the_doctor_is_content(docker: Engine, image: str, temporal: str, postgresql: str) -> None:
    options = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--volume=/var/lib/gameday", f"--env=TEMPORAL_ADDRESS={temporal}"]
    store = ["--env=GAMEDAY_STORE=postgresql+psycopg://admin@" + postgresql + "/postgres", f"--env=PGPASSWORD={database.PASSWORD}"]

    said = json.loads(docker.docker("run", "--rm", "--network=host", *options, *store, image, "doctor", "--json"))

    verdicts = {finding["about"].lower(): finding["verdict"] for finding in said}
    assert [verdicts[about] for about in ("gameday", "temporal", "journal", "store", "watchdog")] == ["ok"] * 5
    assert database.PASSWORD not in json.dumps(said)


def test_a_conductor_serves_and_says_so(docker: Engine, start: Callable[..., str], temporal: str) -> None:
    check = SERVICES["conductor"]["healthcheck"]["test"]
    assert check[0] == "CMD"
    conductor = start("worker", options=[*as_in_compose("conductor"), f"--env=TEMPORAL_ADDRESS={temporal}"])

    until(partial(is_healthy, docker, conductor, "conductor"))

    wrong = docker.attempt("exec", conductor, *check[1:-1], "agent")
    assert wrong.returncode == 1
    assert "not healthy: nobody here" in wrong.stdout
    docker.docker("stop", "--time=30", conductor)
    assert docker.docker("inspect", "--format={{.State.ExitCode}}", conductor) == "0"


@pytest.mark.parametrize("end", ["its time", "its agent is killed"])
def test_a_fault_on_this_machine_ends_by(
    end: str, docker: Engine, start: Callable[..., str], temporal: str, sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """With the privileges of the compose file and no more: another user's process is stopped, and runs again."""
    seen = f"import os; print(os.path.exists('/proc/{sleeper.pid}'))"
    if docker.docker("run", "--rm", "--pid=host", "--entrypoint=python", IMAGE, "-c", seen) != "True":
        pytest.skip("the Docker engine is elsewhere: its containers do not see our processes")
    playbook = tmp_path / "image-day.yaml"
    playbook.write_text(PLAYBOOK.replace("PORT", temporal.split(":")[1]).replace("LENGTH", "4s" if end == "its time" else "3m"))
    playbook.chmod(0o644)
    address = f"--env=TEMPORAL_ADDRESS={temporal}"
    conductor = start("worker", options=[*as_in_compose("conductor"), address, f"--volume={playbook}:/day.yaml:ro"])
    home = f"--env=GAMEDAY_HOME={agents_home()}"
    watchdog = start(*SERVICES["watchdog"]["entrypoint"][1:], options=[*as_in_compose("watchdog"), home, "--entrypoint=/bin/sh"])
    agent = start("agent", options=[*as_in_compose("agent"), f"--volumes-from={watchdog}", home, address])
    for container, name in ((conductor, "conductor"), (watchdog, "watchdog"), (agent, "agent")):
        until(partial(is_healthy, docker, container, name))

    docker.docker("exec", "--env=USER=ada", conductor, "gameday", "run", "/day.yaml", "--approve=auto", "--detach")
    until(lambda: state(sleeper) == "T")
    if end == "its agent is killed":
        docker.docker("kill", agent)
    until(lambda: state(sleeper) == "S")

    until(lambda: docker.attempt("exec", watchdog, "gameday", "leftovers").returncode == 0)  # proven and buried, a moment later
    if end == "its time":
        docker.docker("stop", "--time=40", agent)
        assert docker.docker("inspect", "--format={{.State.ExitCode}}", agent) == "0"
