"""Helper processes that cannot outlive their fault unseen. Standard library only.

A helper waits on a pipe until its pid is journaled, and leaves at end of file. So whoever takes over finds it by its entry, ends it, and
only then undoes: a helper of a killed holder never applies after the tombstone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from activities import durable
from activities.bare import helper_environment
from activities.steps import processes
from gameday.errors import InjectFailed, NotReverted

OUTPUT_BYTES = 2000
_LAST = 126


class JournaledHands:
    """The hands of one operation on one fault. `folder` is its entry (None before there is one: then nothing has been changed either)."""

    def __init__(self, folder: Path | None, progress: Callable[[], None], lease: float = 0.0) -> None:
        self._folder, self.progress, self.lease = folder, progress, lease
        self._limit = float("inf")

    @contextlib.contextmanager
    def hurried(self, limit: float) -> Iterator[None]:
        """Meanwhile no helper may take longer than this many seconds."""
        before, self._limit = self._limit, limit
        try:
            yield
        finally:
            self._limit = before

    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Runs a helper in a session of its own, to its end.

        Raises:
            InjectFailed: it could not be started.
            NotReverted: it took longer than its time-out, and was ended.
        """
        timeout = min(timeout, self._limit)
        output_read, output_write = os.pipe()
        pid = self._spawn(argv, output_write, "helper")
        os.close(output_write)
        try:
            return self._await(pid, output_read, argv, timeout)
        finally:
            os.close(output_read)
            self._forget()

    def start(self, argv: tuple[str, ...]) -> None:
        """Starts a process that lives on: in a session of its own, reparented, with none of our files open."""
        middle = os.fork()
        if middle == 0:
            null = os.open(os.devnull, os.O_RDWR)
            with contextlib.suppress(BaseException):
                self._spawn(argv, null, "started")
            os._exit(0)
        os.waitpid(middle, 0)

    def has_started(self) -> bool:
        """Whether what was started last for this fault still runs: it may take its time to be found."""
        started = self._recorded("started")
        return started is not None and processes.same(int(started["pid"]), str(started["born"])) is not None

    def tell_started(self, number: int) -> bool:
        started = self._recorded("started")
        return started is not None and processes.send(int(started["pid"]), str(started["born"]), signal.Signals(number))

    def end_started(self) -> None:
        self._end("started")

    def intend(self, what: str) -> None:
        """Raises OSError where the disk does not take it: then the change must not begin."""
        assert self._folder is not None
        durable.write(self._folder / f"intended-{what}", b"")

    def intended(self, what: str) -> bool:
        return self._folder is not None and (self._folder / f"intended-{what}").exists()

    def give_up(self, what: str) -> None:
        assert self._folder is not None
        (self._folder / f"intended-{what}").unlink(missing_ok=True)

    def end_helper(self) -> None:
        """Ends the helper that an earlier holder left running, with its session's group, and waits until it is gone."""
        if self._end("helper"):
            self._forget()

    def _end(self, name: str) -> bool:
        """Ends a process that was journaled, with its session's group. Returns whether there was one."""
        found = self._recorded(name)
        if found is None:
            return False
        deadline = time.monotonic() + 5
        while processes.same(int(found["pid"]), str(found["born"])) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(found["pid"]), signal.SIGKILL)
            if time.monotonic() > deadline:
                raise NotReverted(f"the process {found['pid']} does not end")
            self.progress()
            time.sleep(0.01)
        return True

    def _recorded(self, name: str) -> dict[str, Any] | None:
        if self._folder is None:
            return None
        try:
            found: dict[str, Any] = json.loads((self._folder / name).read_bytes())
        except (OSError, ValueError):
            return None
        return found

    def _forget(self) -> None:
        if self._folder is not None:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / "helper").rename(self._folder / "helper.reserve")

    def _spawn(self, argv: tuple[str, ...], output: int, name: str) -> int:
        """Starts a process that is journaled under this name before it may begin."""
        go_read, go_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become(argv, go_read, go_write, output)
        os.close(go_read)
        try:
            if self._folder is not None:
                self._record(name, {"pid": pid, "born": processes.born(pid)})
            os.write(go_write, b"g")
        finally:
            os.close(go_write)
        return pid

    def _record(self, name: str, process: dict[str, Any]) -> None:
        """Into the space that is kept for it, or that the last one of this name had."""
        assert self._folder is not None
        path, reserve = self._folder / name, self._folder / f"{name}.reserve"
        with contextlib.suppress(FileNotFoundError):
            path.rename(reserve)
        durable.fill(reserve, json.dumps(process).encode(), path)

    def _await(self, pid: int, output: int, argv: tuple[str, ...], timeout: float) -> tuple[int, str]:
        said, deadline = b"", time.monotonic() + timeout
        open_ended, pause = True, 0.0005
        while True:
            self.progress()
            if open_ended:
                said, open_ended = _listen(output, said, 0.02)
            else:  # it is about to end
                time.sleep(pause)
                pause = min(pause * 2, 0.02)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise NotReverted(f"{Path(argv[0]).name} took longer than {timeout:g} s and was ended")
        if open_ended:
            said, _ = _listen(output, said, 0.0)
        code = os.waitstatus_to_exitcode(status)
        text = said.decode(errors="replace")
        if code == _LAST and text.startswith("gameday: "):
            raise InjectFailed(text.removeprefix("gameday: ").strip())
        return code, text


def _listen(output: int, said: bytes, patience: float) -> tuple[bytes, bool]:
    """What was said so far, and whether more may come. All of it is read, so that no helper waits for us; what is too much is dropped."""
    while select.select([output], [], [], patience)[0]:
        more = os.read(output, 65_536)
        if not more:
            return said, False
        said, patience = (said + more)[:OUTPUT_BYTES], 0.0
    return said, True


def _become(argv: tuple[str, ...], go_read: int, go_write: int, output: int) -> None:
    """The child's side of a spawn: waits for its go, then becomes the command. Never returns."""
    try:
        os.setsid()
        os.close(go_write)
        if os.read(go_read, 1) != b"g":
            os._exit(0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 256)
        for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(argv[0], argv, helper_environment())  # noqa: S606  # an argv list from the operator's settings, no shell
    except OSError as error:
        os.write(2, f"gameday: {argv[0]} cannot be run ({error.strerror})".encode())
    finally:
        os._exit(_LAST)
