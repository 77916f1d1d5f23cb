"""Who a process of the shop is, and whose."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import sys

_PR_SET_NAME = 15


def introduce(name: str) -> None:
    """Names this process `shop-NAME` in `ps` and `top` (Linux only), and sets up its log."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name}: %(message)s")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"shop-{name}".encode(), 0, 0, 0)


async def leave_with_parent() -> None:
    """Ends this process soon after its parent; on Linux the kernel has usually done so before."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 (the end of a parent is no event that one could wait for)
        await asyncio.sleep(1)
    os._exit(1)
