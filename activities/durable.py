"""Files that are there after a crash: written beside, synced, renamed, and the directory synced too."""

from __future__ import annotations

import os
from pathlib import Path


def sync_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    """All of it: on a nearly full disk one write may take only a part."""
    while data:
        data = data[os.write(handle, data) :]


def write(path: Path, data: bytes, durable: bool = True) -> None:
    """Replaces a file as a whole; readers see the old or the new. Without `durable` it may be lost with the machine, never torn."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(handle, data)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)
    beside.rename(path)
    if durable:
        sync_directory(path.parent)


def reserve(path: Path, size: int) -> None:
    """Makes a file of zeros, so that its space is there when the disk is full."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(handle, b"\0" * size)
        os.fsync(handle)
    finally:
        os.close(handle)


def fill(path: Path, data: bytes, into: Path) -> None:
    """Writes into reserved space and gives it its final name. Needs no new space while `data` fits.

    A crash in the middle leaves the reserve, which is filled again.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        os.pwrite(handle, data.ljust(size, b"\n"), 0)
        os.fsync(handle)
    finally:
        os.close(handle)
    path.rename(into)
    sync_directory(into.parent)
