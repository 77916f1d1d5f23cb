"""Secrets: a playbook names them, `secret://env/NAME` or `secret://file/PATH`; they are looked up at the moment of use and never said.

No message and no exception here carries a value, only the reference, which is no secret.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable

_REFERENCE = re.compile(r"secret://(?P<source>[^/\s]*)/?(?P<name>\S*)")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OWN = re.compile(r"(GAMEDAY_|TEMPORAL_|PG)[A-Z0-9_]*")
"""What gameday itself is let in with: a playbook may have it sent nowhere."""
_FORMS = "secret://env/NAME or secret://file/PATH"
_MOST_BYTES = 64 * 1024


class SecretMissing(Exception):
    """A reference that leads to no usable value. The message names the reference."""


def check(text: str) -> str:
    """Refuses text with a reference that could never be looked up; looks nothing up.

    Raises:
        ValueError: a reference is malformed.
    """
    for reference in _REFERENCE.finditer(text):
        source, name = reference["source"], reference["name"]
        if source not in {"env", "file"}:
            raise ValueError(f"there is no source of secrets {source!r}; expected {_FORMS}")
        if not name or (source == "env" and not _ENV_NAME.fullmatch(name)):
            raise ValueError(f"{reference[0]!r} names no secret; expected {_FORMS}")
        if source == "env" and _OWN.fullmatch(name):
            raise ValueError(f"{reference[0]!r} is a secret of gameday's own; expected one of the target's")
    return text


def reveal(text: str, own: bool = False) -> str:
    """The text with every reference replaced by its secret, such as `Bearer secret://env/TOKEN`.

    Raises:
        SecretMissing: a secret is not there, cannot be read, could not stand in one line, or is gameday's own.
    """
    return _REFERENCE.sub(lambda reference: _value(reference[0], reference["source"], reference["name"], own), text)


def hide(said: str, texts: Iterable[str]) -> str:
    """What a server said, with every secret that it was sent by these texts as its reference again: it may repeat what it was told."""
    for text in texts:
        for reference in _REFERENCE.finditer(text):
            with contextlib.suppress(SecretMissing):
                said = said.replace(_value(reference[0], reference["source"], reference["name"]), reference[0])
    return said


def _value(reference: str, source: str, name: str, own: bool = False) -> str:
    if source == "env" and _OWN.fullmatch(name) and not own:
        raise SecretMissing(f"{reference} is a secret of gameday's own")
    value = os.environ.get(name) if source == "env" else _file(reference, "/" + name.lstrip("/"))
    if not value:
        raise SecretMissing(f"{reference} is not set")
    # A line break in a header would begin another header.
    if not value.isprintable():
        raise SecretMissing(f"{reference} holds more than one line of text")
    return value


def _file(reference: str, path: str) -> str:
    """The content of a regular file without the line end that editors add. Never waits: a pipe is refused, not read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SecretMissing(f"{reference} cannot be read: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise SecretMissing(f"{reference} is no file")
        if _is_own(handle):
            raise SecretMissing(f"{reference} is a secret of gameday's own")
        content = os.read(handle, _MOST_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > _MOST_BYTES:
        raise SecretMissing(f"{reference} is larger than {_MOST_BYTES // 1024} KiB")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretMissing(f"{reference} is no UTF-8 text") from None


def _is_own(handle: int) -> bool:
    """Whether this is the file with the keys of what Temporal keeps, by whatever name it was opened."""
    own = os.environ.get("GAMEDAY_PAYLOAD_KEY_FILE")
    with contextlib.suppress(OSError, ValueError):
        return own is not None and os.path.samestat(os.fstat(handle), os.stat(own))  # noqa: PTH116  # beside a handle
    return False
