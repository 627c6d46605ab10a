"""Waiting for an HTTP call only so long, without ever cancelling it.

httpcore loses a connection whose request is cancelled at the wrong moment: it stays in the pool, neither free nor
closed, until the pool is full of such connections and the server can't be reached any more (encode/httpcore#1093).
So the caller goes on without the call, and the call ends by the time limits of its own operations, which release what
they hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
_LATE: set[asyncio.Task[Any]] = set()
"""calls that nobody waits for any more; the event loop itself keeps no reference to a task."""


async def uncancelled(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """The result of `work`; TimeoutError when it takes longer. Give `work` time limits of its own."""
    task = asyncio.create_task(work)
    _LATE.add(task)
    task.add_done_callback(_ended)
    done, _ = await asyncio.wait((task,), timeout=seconds)
    if not done:
        raise TimeoutError
    try:
        return task.result()
    finally:
        # a failure knows this frame, by its traceback, and the task knows the failure: the ring would hold all of it
        del task, done


def _ended(task: asyncio.Task[Any]) -> None:
    _LATE.discard(task)
    if not task.cancelled():
        task.exception()  # seen: a late failure is nobody's any more
