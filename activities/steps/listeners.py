"""Which process listens on a local TCP port, from /proc alone. Source: proc(5), net/tcp."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import Any

from activities.steps import processes

_LISTEN = "0A"


def listener(host: str, port: int) -> dict[str, Any] | None:
    """The pid and identity of the process that listens there; None when it cannot be seen (another user's, another namespace)."""
    inode = _inode(host, port)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            handles = [str((Path("/proc") / entry / "fd" / fd).readlink()) for fd in os.listdir(f"/proc/{entry}/fd")]
        except OSError:
            continue
        if wanted in handles:
            return {"pid": int(entry), "born": processes.born(int(entry))}
    return None


def _inode(host: str, port: int) -> str | None:
    if ":" in host:
        return None  # IPv6 has a table of its own; not seen counts as unknown
    exact = f"{struct.unpack('=I', socket.inet_aton(host))[0]:08X}:{port:04X}"
    anywhere = f"00000000:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTEN and fields[1] in (exact, anywhere):
            return fields[9]
    return None
