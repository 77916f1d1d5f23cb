"""What nothing can take away: a shielded piece of work, and the failures that a workflow answers for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio.exceptions import ApplicationError

T = TypeVar("T")
U = TypeVar("U")

FAILURES = (Exception, asyncio.CancelledError)
"""Never BaseException: that would catch the eviction of a workflow from its worker's cache."""


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Carries work to its end whatever is cancelled around it. A cancel is delivered once, so the loop ends with the work."""
    task = asyncio.ensure_future(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise


async def both(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Two pieces of work at once. When this is cancelled, or one of them fails, neither goes on."""
    tasks = asyncio.ensure_future(one), asyncio.ensure_future(other)
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def reason_of(error: BaseException) -> str:
    """The innermost message of a failure: Temporal wraps what an activity said in what it did."""
    inner: BaseException = error
    while isinstance(getattr(inner, "cause", None), BaseException):
        inner = inner.cause  # type: ignore[attr-defined]  # asked for in the line above
    if isinstance(inner, asyncio.CancelledError):
        return "cancelled"
    return (inner.message if isinstance(inner, ApplicationError) else str(inner)) or type(inner).__name__
