"""The memory allocator of the C library, told not to hoard: glibc keeps a heap for each thread and what was freed in
it, so that a busy hour would be paid for ever after. Elsewhere (musl, macOS) nothing is done and nothing is missing."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
from collections.abc import Callable
from functools import cache
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_OPTIONS = (
    # one heap: Python's threads seldom run at the same time, and each further heap keeps its own freed pages
    ("MALLOC_ARENA_MAX", _M_ARENA_MAX, 1),
    # bodies and tables of a large chart are mapped apart and unmapped when it was answered; set, the threshold stays
    # where it is, and does not follow the largest body that was ever freed
    ("MALLOC_MMAP_THRESHOLD_", _M_MMAP_THRESHOLD, 256 * 1024),
    ("MALLOC_TRIM_THRESHOLD_", _M_TRIM_THRESHOLD, 512 * 1024),
)
"""name in the environment, number of mallopt, value. What the operator has set in the environment stays."""
_LOOK_SECONDS = 5.0
_MOST_SECONDS = 60.0


def tune() -> None:
    """Sets the options for this process. Call it before the first thread is started; again does no harm."""
    library = _glibc()
    if library is None:
        return
    for name, option, value in _OPTIONS:
        if name not in os.environ:
            library.mallopt(option, value)


def give_back() -> None:
    """Collects what only refers to itself, and returns freed pages to the system."""
    gc.collect()
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


async def tidying(busy: Callable[[], bool]) -> None:
    """Gives memory back every minute, in a moment when nothing is under way if there is one. Ends when cancelled."""
    since = 0.0
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        since += _LOOK_SECONDS
        if since >= _MOST_SECONDS or (since >= _MOST_SECONDS / 2 and not busy()):
            give_back()
            since = 0.0


@cache
def _glibc() -> Any | None:
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - raises where the C library is another
        library.mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
        library.malloc_trim.argtypes = (ctypes.c_size_t,)
    except (AttributeError, OSError, TypeError):
        return None
    return library
