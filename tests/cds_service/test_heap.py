"""Memory that was freed goes back to the system; in processes of their own, since an allocator is set up once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service import heap

_ROOT = Path(__file__).parents[2]
glibc = pytest.mark.skipif(heap._glibc() is None, reason="only glibc keeps what was freed")
_HOLES = """
from cds_service import heap
from pathlib import Path
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
heap.tune()
before = resident()
full = [bytes(100_000) for _ in range(600)]
top = full.pop()
full.clear()  # free, below something that is not: nothing of it can be cut off the end of the heap
hoarded = resident() - before
heap.give_back()
print(hoarded, resident() - before)
"""
_THREADS = """
import ctypes, os, threading, tempfile
from cds_service import heap
heap.tune()
all_at_once = threading.Barrier(4)
def work():
    all_at_once.wait()
    held = [bytes(5000) for _ in range(500)]
    all_at_once.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
library = ctypes.CDLL(None)
library.fopen.restype, library.fopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)
library.malloc_info.argtypes = (ctypes.c_int, ctypes.c_void_p)
library.fclose.argtypes = (ctypes.c_void_p,)
name = tempfile.mktemp()
file = library.fopen(name.encode(), b"w")
library.malloc_info(0, file)
library.fclose(file)
print(open(name).read().count("<heap nr"))
os.unlink(name)
"""


def _printed(code: str, **environment: str) -> list[int]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    clean |= {"PYTHONPATH": str(_ROOT), **environment}
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=clean)
    return [int(part) for part in found.stdout.split()]


@glibc
def test_what_was_freed_is_given_back() -> None:
    hoarded, left = _printed(_HOLES)
    assert hoarded > 30, "else this test shows nothing"
    assert left < 5


@glibc
def test_threads_share_one_heap_unless_the_operator_wants_more() -> None:
    assert _printed(_THREADS) == [1]
    assert _printed(_THREADS, MALLOC_ARENA_MAX="3") > [1]


def test_it_is_done_in_a_quiet_moment_and_at_last_in_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(heap, "_MOST_SECONDS", 0.01)
    looks: list[int] = []
    given: list[int] = []
    monkeypatch.setattr(heap, "give_back", lambda: given.append(len(looks)))
    busy = True

    def under_way() -> bool:
        looks.append(1)
        return busy

    async def run(seconds: float) -> None:
        task = asyncio.create_task(heap.tidying(under_way))
        await asyncio.sleep(seconds)
        task.cancel()

    asyncio.run(run(0.1))
    assert given, "under load as well"
    assert given[0] == 5, "five times it hoped for a quiet moment"
    busy = False
    given.clear()
    looks.clear()
    asyncio.run(run(0.1))
    assert given[0] == 1
