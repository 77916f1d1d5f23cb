"""A second machine under a stock Debian kernel, emulated (no KVM needed): on the host's own file system, with disks of its own, and a plug to pull.

What the guest writes is lost with it, except on its disks (`/run/<name>`, ext4 with a journal). There its kernel writes back nothing by
itself: what it was told to sync survives `pull_the_plug`, and of the rest only what ext4 commits in the same transaction. It has no network
unless asked for.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rigs.lab import ROOT
from tests.rigs.stock_kernel import PATH, StockKernel, stock_kernel

BOOTS_WITHIN = 120.0
MEMORY_MIB = 1536
DISK_BYTES = 64 * 1024 * 1024
NETWORK = ("-netdev", "user,id=wire", "-device", "virtio-net-pci,netdev=wire")
HOST_ADDRESS = "10.0.2.2"
"""Where the guest finds the loopback of the host, with a network. Source: QEMU's documentation of user networking."""


@dataclass(frozen=True)
class Done:
    """What a command in the guest printed, and how it ended."""

    status: int
    said: str


class Guest:
    """The machine. Boots when it is made, and again after each `pull_the_plug`."""

    def __init__(self, folder: Path, kernel: StockKernel, disks: Sequence[str] = (), network: bool = False) -> None:
        self.folder, self.kernel, self.disks, self.network = folder, kernel, tuple(disks), network
        self.kernel.initrd(folder / "initrd")
        for name in self.disks:
            with (folder / name).open("wb") as disk:
                disk.truncate(DISK_BYTES)
            subprocess.run(["mkfs.ext4", "-q", folder / name], check=True, env={**os.environ, "PATH": PATH})
        self._boot()

    def run(self, *argv: str, env: Mapping[str, str] | None = None, typed: str = "", timeout: float = 120.0, status: int | None = 0) -> str:
        """Runs a command as the guest's root; what it prints is shown as it comes, and returned.

        Args:
            typed: its standard input.
            timeout: seconds.
            status: the exit status that it must have; None for any.
        """
        done = self.attempt(*argv, env=env, typed=typed, timeout=timeout)
        assert status in (None, done.status), f"in the guest {' '.join(argv)} ended with {done.status}, expected {status}:\n{done.said[-3000:]}"
        return done.said

    def attempt(self, *argv: str, env: Mapping[str, str] | None = None, typed: str = "", timeout: float = 120.0) -> Done:
        """The same, whatever its exit status."""
        self._ask({"argv": argv, "env": dict(env or {}), "cwd": str(ROOT), "input": typed})
        said: list[str] = []
        deadline = time.monotonic() + timeout
        while True:
            answer = self._answer(deadline, " ".join(argv))
            if "status" in answer:
                return Done(answer["status"], "".join(said))
            said.append(answer["said"])
            sys.stdout.write(answer["said"])

    def start(self, *argv: str, env: Mapping[str, str] | None = None, typed: str = "", log: str = "/dev/null") -> int:
        """Starts a command that goes on by itself; its pid in the guest."""
        self._ask({"argv": argv, "env": dict(env or {}), "cwd": str(ROOT), "input": typed, "log": log})
        answer = self._answer(time.monotonic() + 60, " ".join(argv))
        assert "pid" in answer, f"in the guest {' '.join(argv)} could not be started: {answer}"
        return int(answer["pid"])

    def until(self, script: str, what: str, env: Mapping[str, str] | None = None, timeout: float = 120.0) -> None:
        """Waits until a line of shell is true in the guest."""
        waiting = f"until ({script}); do sleep 0.05; done"
        done = self.attempt("timeout", str(timeout), "sh", "-c", waiting, env=env, timeout=timeout + 30)
        assert done.status == 0, f"never came in the guest: {what} ({script})\n{done.said[-2000:]}"

    def pull_the_plug(self) -> None:
        """A hard reset, in the middle of whatever it does: no signal, no sync, the memory is lost. Then it boots again, with the same disks.

        The emulator is killed. That is harder than its own reset, which lets requests that are under way come to their end first.
        """
        self._cut()
        self._boot()

    def close(self) -> None:
        self._cut()

    def console(self) -> str:
        """The last that its kernel said."""
        return (self.folder / "console").read_text(errors="replace")[-3000:]

    def _boot(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs, (self.folder / "qemu.log").open("ab") as log:
            self._qemu = subprocess.Popen(
                self._argv(theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PATH": PATH},
                preexec_fn=_die_with_parent,
            )
        self._port, self._heard = ours, b""
        try:
            self._furnish()
        except BaseException:
            self._cut()
            raise

    def _furnish(self) -> None:
        self.run("true", timeout=BOOTS_WITHIN)
        for letter, name in zip("abcdef", self.disks, strict=False):
            self.run("mkdir", f"/run/{name}")
            self.run("mount", "-t", "ext4", "-o", "commit=6000", f"/dev/vd{letter}", f"/run/{name}")
        if self.network:
            for words in ("addr add 10.0.2.15/24 dev eth0", "link set eth0 up"):
                self.run("ip", *words.split())

    def _argv(self, port: int) -> list[str]:
        line = f"console=ttyS0 quiet panic=-1 mitigations=off gd_python={sys.executable} gd_modules={self.kernel.modules}"
        drives = [f"file={self.folder / name},if=virtio,format=raw,cache=writeback" for name in self.disks]
        return [
            "qemu-system-x86_64",
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", f"file:{self.folder / 'console'}"),
            *("-M", "pc", "-accel", "tcg,thread=multi", "-cpu", "Nehalem,+rdrand", "-smp", "2", "-m", str(MEMORY_MIB)),
            *("-kernel", str(self.kernel.image), "-initrd", str(self.folder / "initrd"), "-append", line),
            *("-fsdev", "local,id=root,path=/,security_model=none,multidevs=remap,readonly=on"),
            *("-device", "virtio-9p-pci,fsdev=root,mount_tag=host"),
            *("-chardev", f"socket,id=port,fd={port}", "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port"),
            *(word for drive in drives for word in ("-drive", drive)),
            *(NETWORK if self.network else ("-nic", "none")),
        ]

    def _cut(self) -> None:
        self._qemu.kill()
        self._qemu.wait()
        self._port.close()

    def _ask(self, request: dict[str, Any]) -> None:
        self._port.sendall(json.dumps(request).encode() + b"\n")

    def _answer(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\n" not in self._heard:
            self._port.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                heard = self._port.recv(65_536)
            except TimeoutError:
                raise AssertionError(f"the guest did not answer in time: {what}. Its kernel said:\n{self.console()}") from None
            except ConnectionResetError:
                heard = b""
            assert heard, f"the guest has ended during: {what}. Its kernel said:\n{self.console()}\n{(self.folder / 'qemu.log').read_text()[-1000:]}"
            self._heard += heard
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _die_with_parent() -> None:
    """No machine outlives the tests, whatever kills them. Source: prctl(2), PR_SET_PDEATHSIG = 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextlib.contextmanager
def guest(folder: Path, *disks: str, network: bool = False) -> Iterator[Guest]:
    """A machine for the time of the block; skips, with the reason, where none can be had. One at a time: each wants two processors."""
    kernel = stock_kernel()
    folder.mkdir(parents=True, exist_ok=True)
    with (kernel.folder.parent / ".running").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = Guest(folder, kernel, disks, network)
        try:
            yield built
        finally:
            built.close()
