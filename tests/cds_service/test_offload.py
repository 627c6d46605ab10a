"""Blocking work in threads: tenants in turn, together where it can be, bounded for each tenant."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from cds_service import offload
from cds_service.offload import InTurn, Offload


def test_tenants_take_turns() -> None:
    waiting: InTurn[str] = InTurn()
    for number in range(3):
        waiting.put("noisy", f"noisy {number}")
    waiting.put("quiet", "quiet")
    waiting.end()
    assert waiting.take(2) == ["noisy 0", "quiet"]
    assert waiting.take(9) == ["noisy 1", "noisy 2"]
    assert waiting.take(9) == []


class _Held:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.begun, self.free, self.rounds = threading.Event(), threading.Event(), list[list[str]]()

    def __call__(self, asked: Sequence[str]) -> list[str]:
        self.rounds.append(list(asked))
        self.begun.set()
        self.free.wait(5)
        if "bad" in asked:
            raise ValueError("bad")
        return [text.upper() for text in asked]


def test_what_waits_is_done_together_and_each_is_told_its_own() -> None:
    async def go() -> tuple[list[object], list[list[str]]]:
        held = _Held()
        desk = Offload("desk", held, together=3)
        calls = [asyncio.create_task(desk.call("noisy", 5, "a0"))]
        await asyncio.to_thread(held.begun.wait, 5)
        calls += [asyncio.create_task(desk.call("noisy", 5, f"a{number}")) for number in range(1, 4)]
        calls.append(asyncio.create_task(desk.call("quiet", 5, "bad")))
        await asyncio.sleep(0)
        assert desk.pending == 5
        held.free.set()
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert desk.pending == 0
        desk.close()
        return list(found), held.rounds

    found, rounds = asyncio.run(go())
    assert rounds == [["a0"], ["a1", "bad", "a2"], ["a3"]]
    assert [each if isinstance(each, str) else type(each) for each in found] == [
        "A0", ValueError, ValueError, "A3", ValueError,
    ]  # fmt: skip


def test_a_tenant_has_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offload, "_MOST_PENDING", 2)

    async def go() -> None:
        held = _Held()
        desk = Offload("desk", held)
        calls = [asyncio.create_task(desk.call("noisy", 5, "a")) for _ in range(2)]
        await asyncio.sleep(0)
        third = asyncio.create_task(desk.call("noisy", 5, "a"))
        await asyncio.sleep(0)
        assert third.done(), "refused at once"
        with pytest.raises(TimeoutError):
            third.result()
        calls.append(asyncio.create_task(desk.call("quiet", 5, "b")))
        held.free.set()
        assert await asyncio.gather(*calls) == ["A", "A", "B"]
        assert await desk.call("noisy", 5, "a") == "A", "what is done counts no more"
        desk.close()

    asyncio.run(go())


def test_nobody_waits_longer_than_it_said() -> None:
    async def go() -> None:
        held = _Held()
        desk = Offload("desk", held)
        with pytest.raises(TimeoutError):
            await desk.call("noisy", 0.02, "a")
        assert desk.pending == 1, "it goes on without us"
        held.free.set()
        assert await desk.call("noisy", 5, "b") == "B"
        assert desk.pending == 0
        desk.close()

    asyncio.run(go())
