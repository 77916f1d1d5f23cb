"""The `process` probe on real processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pydantic import ValidationError

from activities.probes.probe import Unknown
from activities.probes.process import ProcessParams, ProcessProbe
from gameday.units import Dimension
from tests.rigs.web import until

Started = Callable[..., subprocess.Popen[bytes]]


def probe(http: httpx.AsyncClient, **params: Any) -> ProcessProbe:
    return ProcessProbe(ProcessParams.model_validate(params), http)


@pytest.fixture
def start() -> Iterator[Started]:
    """Starts processes that are killed at the end."""
    with contextlib.ExitStack() as running:

        def begin(*arguments: str) -> subprocess.Popen[bytes]:
            process = running.enter_context(subprocess.Popen(arguments))
            running.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def pid_file(tmp_path: Path, start: Started) -> tuple[str, subprocess.Popen[bytes]]:
    process = start("sleep", "600")
    path = tmp_path / "service.pid"
    path.write_text(f"{process.pid}\n")
    return str(path), process


async def state(pid: int, wanted: str) -> None:
    await until(lambda: psutil.Process(pid).status() == wanted)


async def test_running_paused_and_gone_are_told_apart(http: httpx.AsyncClient, pid_file: tuple[str, subprocess.Popen[bytes]]) -> None:
    path, process = pid_file
    running, stopped = probe(http, pid_file=path), probe(http, pid_file=path, measure="stopped")
    await state(process.pid, "sleeping")
    assert (await running.sample(), await stopped.sample()) == (1.0, 0.0)
    process.send_signal(signal.SIGSTOP)
    await state(process.pid, "stopped")
    assert (await running.sample(), await stopped.sample()) == (0.0, 1.0)
    process.kill()
    await state(process.pid, "zombie")
    assert (await running.sample(), await stopped.sample()) == (0.0, 0.0)
    process.wait()
    assert (await running.sample(), await stopped.sample()) == (0.0, 0.0)


async def test_a_name_is_of_the_command_or_of_its_file_and_stands_for_all_that_bear_it(
    http: httpx.AsyncClient, start: Started, tmp_path: Path
) -> None:
    name = f"a-very-long-service-name-{os.getpid()}"
    shutil.copy(shutil.which("sleep") or "", tmp_path / name)
    both = [start(str(tmp_path / name), "600") for _ in range(2)]
    for process in both:
        await state(process.pid, "sleeping")
    assert await probe(http, name=name).sample() == 1.0
    assert await probe(http, name=name, measure="open_files").sample() == sum(psutil.Process(process.pid).num_fds() for process in both)
    both[0].send_signal(signal.SIGSTOP)
    await state(both[0].pid, "stopped")
    assert await probe(http, name=name).sample() == 0.5
    assert await probe(http, name=name, measure="stopped").sample() == 0.5


async def test_memory_and_open_files_are_those_that_the_system_shows(http: httpx.AsyncClient, start: Started, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    hold = f"x = b'x' * 50_000_000; f = [open('/dev/null') for _ in range(20)]; open({str(ready)!r}, 'w').close(); import time; time.sleep(600)"
    process = start(sys.executable, "-c", hold)
    await until(ready.exists)
    (tmp_path / "pid").write_text(str(process.pid))
    assert 50_000_000 < await probe(http, pid_file=f"{tmp_path}/pid", measure="memory").sample() < 200_000_000
    assert 23 <= await probe(http, pid_file=f"{tmp_path}/pid", measure="open_files").sample() < 40


async def test_a_busy_core_is_one(http: httpx.AsyncClient, start: Started, tmp_path: Path) -> None:
    process = start(sys.executable, "-c", "while True: pass")
    (tmp_path / "pid").write_text(str(process.pid))
    busy = probe(http, pid_file=f"{tmp_path}/pid", measure="cpu")
    with pytest.raises(Unknown, match=r"^this needs two readings, and there is one$"):
        await busy.sample()
    spent = sum(psutil.Process(process.pid).cpu_times()[:2])
    await until(lambda: sum(psutil.Process(process.pid).cpu_times()[:2]) >= spent + 0.3)
    assert 0.0 < await busy.sample() < 1.3


async def test_the_cpu_time_of_a_successor_is_its_own(http: httpx.AsyncClient, start: Started, tmp_path: Path) -> None:
    first = start(sys.executable, "-c", "while True: pass")
    (tmp_path / "pid").write_text(str(first.pid))
    busy = probe(http, pid_file=f"{tmp_path}/pid", measure="cpu")
    with pytest.raises(Unknown):
        await busy.sample()
    await until(lambda: psutil.Process(first.pid).cpu_times().user >= 0.2)
    second = start("sleep", "600")
    (tmp_path / "pid").write_text(str(second.pid))
    assert 0.0 <= await busy.sample() < 0.2


@pytest.mark.parametrize("measure", ["cpu", "memory", "open_files"])
async def test_a_process_that_is_not_there_has_no_numbers(http: httpx.AsyncClient, measure: str) -> None:
    with pytest.raises(Unknown, match=r"^there is no process no-such-service$"):
        await probe(http, name="no-such-service", measure=measure).sample()


async def test_no_process_and_no_pid_file_is_not_running(http: httpx.AsyncClient, tmp_path: Path) -> None:
    assert await probe(http, name="no-such-service").sample() == 0.0
    assert await probe(http, pid_file=str(tmp_path / "none")).sample() == 0.0


async def test_a_pid_that_went_to_another_is_not_the_process(http: httpx.AsyncClient, pid_file: tuple[str, subprocess.Popen[bytes]]) -> None:
    await state(pid_file[1].pid, "sleeping")
    assert await probe(http, pid_file=pid_file[0], name="sleep").sample() == 1.0
    assert await probe(http, pid_file=pid_file[0], name="ledger").sample() == 0.0


@pytest.mark.parametrize("content", ["", "ledger", "12x"])
async def test_a_pid_file_of_junk_is_unknown(http: httpx.AsyncClient, tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    with pytest.raises(Unknown, match=r"^the pid file holds no pid$"):
        await probe(http, pid_file=f"{tmp_path}/pid").sample()


@pytest.mark.parametrize("content", ["-1", "0", "99999999999999"])
async def test_a_pid_that_nobody_can_have_is_not_running(http: httpx.AsyncClient, tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    assert await probe(http, pid_file=f"{tmp_path}/pid").sample() == 0.0


async def test_a_pipe_in_the_pid_file_s_place_does_not_hold_the_probe(http: httpx.AsyncClient, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    with pytest.raises(Unknown, match=r"^the pid file is no file$"):
        await probe(http, pid_file=f"{tmp_path}/pid").sample()


@pytest.mark.parametrize(
    ("measure", "dimension"),
    [
        ("running", Dimension.RATIO),
        ("stopped", Dimension.RATIO),
        ("cpu", Dimension.RATIO),
        ("memory", Dimension.SIZE),
        ("open_files", Dimension.COUNT),
    ],
)
def test_the_unit_follows_from_what_is_measured(measure: str, dimension: Dimension) -> None:
    assert ProcessParams.model_validate({"name": "ledger", "measure": measure}).measured_in().dimension is dimension


@pytest.mark.parametrize("params", [{}, {"pid_file": "relative"}, {"name": "a b"}, {"name": "ledger", "measure": "threads"}])
def test_bad_parameters_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProcessParams.model_validate(params)
