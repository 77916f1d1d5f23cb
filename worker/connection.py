"""Which Temporal: the one that Temporal's own environment configuration names, else the embedded one that is up under this home."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from activities.steps import processes
from gameday.errors import BadInput, GamedayError, Unavailable
from worker.codec import Encryption, encryption

UP_FILE = "up.json"
FOR_EVER = 10 * 365 * 86400.0
ONE_TRY = 5.0
"""Seconds that one try may take: a server can take the connection and say nothing."""


@dataclass(frozen=True)
class Embedded:
    """The embedded server that is up: where it listens, and the process that holds it."""

    address: str
    ui: str
    pid: int
    born: str


def configured() -> bool:
    """Whether Temporal's environment configuration (variables, or its file with a profile) names a server."""
    if os.environ.get("TEMPORAL_ADDRESS"):
        return True
    try:
        return "target_host" in ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise BadInput(f"Temporal's environment configuration cannot be used: {error}") from None


def embedded(home: Path) -> Embedded | None:
    """The embedded server under this home, when its holder is alive."""
    try:
        found = Embedded(**json.loads((home / UP_FILE).read_bytes()))
        return found if processes.same(found.pid, found.born) else None
    except (OSError, ValueError, TypeError, GamedayError):
        return None


def at_hand(home: Path) -> bool:
    """Whether there is a Temporal to connect to: a configured one, or an embedded one that is up."""
    return configured() or embedded(home) is not None


def address(home: Path) -> str:
    """The address that would be connected to, for messages."""
    if configured():
        return ClientConfig.load_client_connect_config().get("target_host", "localhost:7233")
    up = embedded(home)
    return up.address if up else "none"


def data_converter(keyless: bool = False) -> DataConverter:
    """How everything that Temporal keeps is written and read: the same for every client and worker, with the keys of the environment.

    Args:
        keyless: without any key, for what must be said even where the keys cannot be used.

    Raises:
        SettingsError: a key cannot be used.
    """
    codec = Encryption({}) if keyless else encryption()
    if not codec.key_ids:  # what others have encrypted is told all the same
        return dataclasses.replace(pydantic_data_converter, payload_codec=codec)
    return dataclasses.replace(pydantic_data_converter, payload_codec=codec, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)


async def connect(home: Path, patience: float = 5.0, keyless: bool = False) -> Client:
    """Connects, trying again for `patience` seconds. `keyless` is as in `data_converter`.

    Raises:
        Unavailable: nothing answers, or nothing is up.
        SettingsError: a key for what Temporal keeps cannot be used.
    """
    converter = data_converter(keyless)
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            left = deadline - asyncio.get_running_loop().time()
            return await asyncio.wait_for(_connect(home, converter), min(max(left, 1.0), ONE_TRY))
        except ValueError as error:
            raise BadInput(f"TEMPORAL_ADDRESS cannot be used ({error}); expected host:port") from None
        except (RPCError, RuntimeError, OSError) as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise Unavailable(
                    f"Temporal at {address(home)} does not answer ({_cause(error)}); start it, or check TEMPORAL_ADDRESS and its TLS and key"
                ) from None
        except Unavailable:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(0.1)


def _cause(error: Exception) -> str:
    """What went wrong, out of the nested text of the SDK's transport: the innermost message."""
    if isinstance(error, TimeoutError):
        return "it takes the connection and says nothing"
    first = (str(error).splitlines() or [type(error).__name__])[0]
    inner = re.findall(r'message: "([^"]*)"', first)
    return (inner[-1] if inner else first)[:200]


async def _connect(home: Path, converter: DataConverter) -> Client:
    if configured():
        config = ClientConfig.load_client_connect_config()
        return await Client.connect(**{"target_host": "localhost:7233", **config}, data_converter=converter)  # type: ignore[arg-type]  # a TypedDict
    up = embedded(home)
    if up is None:
        raise Unavailable(f"no Temporal is configured, and none is up under {home}; start `gameday up`, or set TEMPORAL_ADDRESS")
    return await Client.connect(up.address, data_converter=converter)
