"""Encryption of everything that Temporal keeps for gameday: AES-256-GCM, with keys that Temporal never sees. Source: NIST SP 800-38D.

    GAMEDAY_PAYLOAD_KEY_FILE   the file with the keys, private to its owner
    GAMEDAY_PAYLOAD_KEY        the keys themselves

Either holds lines of `id:key`, the key being 32 bytes in base64. The first encrypts, every one decrypts: so a key is followed by another. What
is not encrypted is read as it is, so that a run from before the key goes on, and an abort from somebody without it is taken.

A failure to decrypt fails the whole task, which Temporal gives again until somebody has the key: no signal is dropped, no run ends by it.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from gameday.errors import SettingsError, Unreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENCODING = b"binary/encrypted"
NONCE_BYTES, KEY_BYTES = 12, 32
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST_BYTES = 64 * 1024
_FORM = "expected lines of `id:key`, the key being 32 random bytes in base64, as `openssl rand -base64 32` makes them"

log = logging.getLogger(__name__)


class Encryption(PayloadCodec):
    """Encrypts with the first of its keys. Without any it encrypts nothing, and says so of what it cannot read."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers: dict[str, AESGCM] = {}
        self._told: set[str] = set()
        self._encrypts = True
        if keys:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only where there is a key: a command shall begin at once

            self._ciphers = {name: AESGCM(key) for name, key in keys.items()}

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys, the one that encrypts first. They are no secret: every payload carries its own."""
        return tuple(self._ciphers)

    def in_the_clear(self) -> Encryption:
        """The same keys for what is read; what is written is not encrypted, so that whoever has any key, or none, can take it."""
        clear = Encryption({})
        clear._ciphers, clear._encrypts = self._ciphers, False
        return clear

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if not self._ciphers or not self._encrypts:
            return list(payloads)
        key_id, cipher = next(iter(self._ciphers.items()))
        return [self._sealed(payload, key_id, cipher) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._opened(payload) if payload.metadata.get("encoding") == ENCODING else payload for payload in payloads]

    @staticmethod
    def _sealed(payload: Payload, key_id: str, cipher: AESGCM) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        metadata = {"encoding": ENCODING, "encryption-key-id": key_id.encode()}
        return Payload(metadata=metadata, data=nonce + cipher.encrypt(nonce, payload.SerializeToString(), _bound_to(key_id)))

    def _opened(self, payload: Payload) -> Payload:
        key_id = payload.metadata.get("encryption-key-id", b"").decode(errors="replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise self._unreadable(key_id, "this process has no such key")
        from cryptography.exceptions import InvalidTag

        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, _bound_to(key_id)))
        except (InvalidTag, ValueError):
            raise self._unreadable(key_id, "the key of that name here is another one, or it was changed on its way") from None

    def _unreadable(self, key_id: str, why: str) -> Unreadable:
        """The error for a payload. A log has it once for each key, since tasks are tried again; a command has no log, and says it itself."""
        named = repr(key_id) if _ID.fullmatch(key_id) else "of no usable name"
        error = Unreadable(
            f"what Temporal holds is encrypted with the key {named}, and cannot be read here: {why}. "
            "Give this process the keys of the others: GAMEDAY_PAYLOAD_KEY_FILE or GAMEDAY_PAYLOAD_KEY (docs/security.md)"
        )
        if log.hasHandlers() and key_id not in self._told and len(self._told) < 100:
            self._told.add(key_id)
            log.error("%s", error)
        return error


def _bound_to(key_id: str) -> bytes:
    """What is authenticated beside the content: that it is encrypted, and with which key."""
    return ENCODING + b"\n" + key_id.encode()


def encryption() -> Encryption:
    """As the environment says.

    Raises:
        SettingsError: a key cannot be used. No message has any of a key.
    """
    file = os.environ.get("GAMEDAY_PAYLOAD_KEY_FILE")
    inline = os.environ.get("GAMEDAY_PAYLOAD_KEY")
    return Encryption(_keys(file, inline))


def _keys(file: str | None, inline: str | None) -> dict[str, bytes]:
    if file and inline:
        raise SettingsError("GAMEDAY_PAYLOAD_KEY_FILE and GAMEDAY_PAYLOAD_KEY are both set; expected one of the two")
    if file:
        return _parsed(_read(Path(file)), f"GAMEDAY_PAYLOAD_KEY_FILE: {file}")
    if inline:
        return _parsed(inline, "GAMEDAY_PAYLOAD_KEY")
    return {}


def _read(path: Path) -> str:
    """The text of a regular file that nobody else may read. Never waits: a pipe is refused, not read."""
    where = f"GAMEDAY_PAYLOAD_KEY_FILE: {path}"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{where} cannot be read ({getattr(error, 'strerror', None) or 'its name is not a path'})") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise SettingsError(f"{where} is no file")
        if found.st_uid not in (os.geteuid(), 0):
            raise SettingsError(f"{where} belongs to another user (uid {found.st_uid}); expected a file of this user's, or root's")
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(f"{where} can be read or written by others: whoever has it reads every run. chmod 600 {path}")
        return os.read(handle, _MOST_BYTES).decode(errors="replace")
    finally:
        os.close(handle)


def _parsed(text: str, where: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, encoded = line.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not _ID.fullmatch(name) or len(key) != KEY_BYTES:
            raise SettingsError(f"{where}, line {number}: this is no key; {_FORM}")
        if name in keys:
            raise SettingsError(f"{where}, line {number}: there are two keys of this id; expected each id once")
        keys[name] = key
    if not keys:
        raise SettingsError(f"{where} holds no key; {_FORM}")
    return keys
