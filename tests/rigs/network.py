"""Two hosts under test: network namespaces with a wire between them, and a process in each. Made by the test, and taken away with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.rigs.lab import until

HERE, THERE = "10.203.0.1", "10.203.0.2"
PORT = 7000
SERVER = f"""
import socket
server = socket.create_server(("{THERE}", {PORT}))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    peer.sendall(b"hello")
    peer.close()
"""

CLIENT = f"""
import socket
try:
    print(socket.create_connection(("{THERE}", {PORT}), 0.2).recv(10).decode())
except OSError:
    pass
"""
RECEIVER = f"""
import select, socket, sys
box = socket.socket(type=socket.SOCK_DGRAM)
box.bind(("{THERE}", {PORT}))
print("ready", flush=True)
count, told = 0, False  # that all were sent
while True:
    ready, _, _ = select.select([box] if told else [box, sys.stdin], [], [], 0.2 if told else None)
    if box in ready:
        box.recv(10)
        count += 1
    elif told:
        break
    else:
        told = True
print(count, flush=True)
"""
SENDER = f"""
import socket, time
box = socket.socket(type=socket.SOCK_DGRAM)
for _ in range({{count}}):
    try:
        box.sendto(b"x", ("{THERE}", {PORT}))
    except PermissionError:
        pass  # dropped on its way out: the kernel says so
    time.sleep(0.0005)
"""
SLEEPER = "import time; print('ready', flush=True); time.sleep(1000)"


def needs_namespaces() -> None:
    """Skips, with the reason, where no network namespaces can be made."""
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("nsenter", "util-linux")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: apt-get install --no-install-recommends {package})")
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "nft", "list", "tables"], capture_output=True, check=False).returncode:
        pytest.skip("kernel: it lets this user make no network namespace, or has no nftables")


class Wire:
    """`here` is the pid of a process whose namespace is faulted; a server answers at THERE:PORT in the other one."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        here, there = self._host(), self._host()
        self.here, self.there = here.pid, there.pid
        self._ip("link", "add", "gd-here", "netns", str(here.pid), "type", "veth", "peer", "name", "gd-there", "netns", str(there.pid))
        for pid, name, address in ((here.pid, "gd-here", HERE), (there.pid, "gd-there", THERE)):
            self._in(pid, "ip", "addr", "add", f"{address}/24", "dev", name)
            self._in(pid, "ip", "link", "set", name, "up")
        self._started(["nsenter", f"--net=/proc/{there.pid}/ns/net", sys.executable, "-S", "-c", SERVER])
        until(self.answers)

    def _host(self) -> subprocess.Popen[bytes]:
        return self._started(["unshare", "--net", sys.executable, "-S", "-c", SLEEPER])

    def _started(self, argv: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        self.processes.append(process)
        return process

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _in(self, pid: int, *argv: str) -> str:
        return subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *argv], check=True, capture_output=True, text=True).stdout

    def answers(self) -> bool:
        """Whether a new connection from here to there is answered, within 0.2 s."""
        return "hello" in self._in(self.here, sys.executable, "-S", "-c", CLIENT)

    def lost(self, count: int) -> int:
        """How many of so many datagrams to the other host do not arrive."""
        receiver = self._started(["nsenter", f"--net=/proc/{self.there}/ns/net", sys.executable, "-S", "-c", RECEIVER])
        self._in(self.here, sys.executable, "-S", "-c", SENDER.format(count=count))
        assert receiver.stdin is not None and receiver.stdout is not None
        receiver.stdin.write(b"all were sent\n")
        receiver.stdin.flush()
        return count - int(receiver.stdout.readline())

    def rules(self) -> str:
        """Everything that is in nftables here, but for how long its elements still last."""
        return re.sub(r" expires [0-9a-z]+", "", self._in(self.here, "nft", "list", "ruleset"))

    def ours(self, commands: str) -> None:
        """Rules that were there before: somebody else's."""
        self._in(self.here, "nft", commands)

    def close(self) -> None:
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.communicate()
