"""Secrets: a playbook names them, `secret://env/NAME` or `secret://file/PATH`; they are looked up at the moment of use and never said.

No message and no exception here carries a value, only the reference, which is no secret.
"""

from __future__ import annotations

import os
import re
import stat

_REFERENCE = re.compile(r"secret://(?P<source>[^/\s]*)/?(?P<name>\S*)")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
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
    return text


def reveal(text: str) -> str:
    """The text with every reference replaced by its secret, such as `Bearer secret://env/TOKEN`.

    Raises:
        SecretMissing: a secret is not there, cannot be read, or could not stand in one line.
    """
    return _REFERENCE.sub(lambda reference: _value(reference[0], reference["source"], reference["name"]), text)


def _value(reference: str, source: str, name: str) -> str:
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
        content = os.read(handle, _MOST_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > _MOST_BYTES:
        raise SecretMissing(f"{reference} is larger than {_MOST_BYTES // 1024} KiB")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretMissing(f"{reference} is no UTF-8 text") from None
