"""Wait for something to come up, and ask it over plain HTTP whether it has."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds to wait for any one process. Far more than it takes, for machines that are busy with other work."""

# The shop is all on loopback: a proxy from the environment could never reach it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str, post: bytes | None = None, timeout: float = 2.0) -> bytes:
    """Returns the body of a 2xx answer to a GET or, with a body to send, to a POST.

    Raises:
        OSError: On every other outcome; urllib's own errors are kinds of it.
    """
    with _OPENER.open(url, data=post, timeout=timeout) as answer:
        body: bytes = answer.read()
    return body


def answers(url: str) -> bool:
    """Whether a GET of `url` succeeds now."""
    try:
        fetch(url)
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Returns once `condition` holds.

    Raises:
        TimeoutError: If it does not hold within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.05)
