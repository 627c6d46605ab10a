"""What is held of used tokens: little of each, of every one as long as it must be."""

from __future__ import annotations

import asyncio
import random
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from cds_service import seen_tokens, spent_tokens
from cds_service.auth import Caller
from cds_service.errors import Unauthorized
from cds_service.seen_tokens import Answer, SeenTokens
from cds_service.spent_tokens import SpentTokens
from cds_service.tenants import Tenant
from tests.cds_clients import tenant

TENANT = Tenant.model_validate(tenant())
ENDS = time.time() + 3600
_OF_TOKEN, _OF_SPENT = 400, 12
"""bytes of a token that may be repeated, with a short answer; of one that may not be any more"""


def caller(number: int) -> Caller:
    return Caller(TENANT, f"{number:032x}", ENDS)


async def used(seen: SeenTokens, number: int, body: bytes) -> None:
    """A token spent and answered, as by a call. Its hash and answer are objects of its own, as there."""
    assert await seen.claim(caller(number), f"{number:032x}") is None
    seen.answered(caller(number), Answer(bytes(body), "application/json"))
    seen.answered(caller(number), None)


def test_a_token_that_may_be_repeated_takes_little() -> None:
    async def go() -> float:
        seen = SeenTokens()
        await used(seen, 0, b'{"cards":[]}')
        timers = len(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1, 5001):
            await used(seen, number, bytes(bytearray(b'{"cards":[]}')))
        taken = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert len(seen) == 5001
        assert len(asyncio.get_running_loop()._scheduled) == timers, "one timer for all"  # type: ignore[attr-defined]
        return taken / 5000

    # what another thread takes meanwhile is counted too, so the least of three
    assert min(asyncio.run(go()) for _ in range(3)) < _OF_TOKEN


def test_a_spent_token_takes_a_few_bytes() -> None:
    held = SpentTokens(90)
    held.tidy(1000.0)
    pick = random.Random(5)
    names = [pick.randrange(2**64) for _ in range(20 * spent_tokens._LOOSE)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for name in names:
        held.add(name)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(held) == 20 * spent_tokens._LOOSE
    assert taken / len(held) < _OF_SPENT


def test_every_spent_token_is_found_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed or not, in every generation, and none that was never spent."""
    monkeypatch.setattr(spent_tokens, "_LOOSE", 7)
    pick = random.Random(6)
    held, begun = SpentTokens(90), 5000.0
    when: dict[int, float] = {}
    longest = 0
    for second in range(400):
        now = begun + second
        held.tidy(now)
        for _ in range(pick.randint(0, 3)):
            name = pick.randrange(2**64)
            when[name] = now
            held.add(name)
        for name, added in when.items():
            assert name in held or now - added > 90
            assert name not in held or now - added <= 90 + spent_tokens._GENERATION_SECONDS
        assert not any(pick.randrange(2**64) in held for _ in range(20))
        longest = max(longest, len(held))
    assert longest < 4 * 90
    held.tidy(begun + 10_000)
    assert not held


def test_a_full_generation_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spent_tokens, "_MOST", 10)
    monkeypatch.setattr(spent_tokens, "_LOOSE", 5)
    held = SpentTokens(90)
    for name in range(1000):
        held.tidy(60.0)
        held.add(name)
    assert len(held) <= 4 * 15
    assert 999 in held


def test_more_tokens_than_are_held_are_still_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest can't be repeated any more, but are known to have been used."""
    monkeypatch.setattr(seen_tokens, "_MAX_SEEN", 10)

    async def go() -> None:
        seen = SeenTokens()
        for number in range(50):
            await used(seen, number, b"{}")
        assert len(seen._seen) == len(seen._order) == 11
        for number in (0, 25, 38):
            with pytest.raises(Unauthorized):
                await seen.claim(caller(number), f"{number:032x}")
        assert await seen.claim(caller(49), f"{49:032x}") == Answer(b"{}", "application/json")

    asyncio.run(go())


def test_a_clock_that_is_set_lets_no_token_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0, 50.0]
    monkeypatch.setattr(seen_tokens, "time", SimpleNamespace(time=lambda: clock[0], monotonic=lambda: clock[1]))

    async def go() -> None:
        seen = SeenTokens()
        await used(seen, 1, b"{}")
        clock[0] += 86_400
        with pytest.raises(Unauthorized):
            await seen.claim(caller(1), "another request")
        clock[1] += seen_tokens._REPEAT_SECONDS + 1
        with pytest.raises(Unauthorized):
            await seen.claim(caller(1), f"{1:032x}")
        clock[1] += seen_tokens._HELD_SECONDS - seen_tokens._REPEAT_SECONDS - 2
        with pytest.raises(Unauthorized):
            await seen.claim(caller(1), f"{1:032x}")

    asyncio.run(go())


def test_tenants_may_use_the_same_name() -> None:
    async def go() -> None:
        seen, other = SeenTokens(), Tenant.model_validate(tenant(id="other"))
        await used(seen, 1, b"{}")
        assert await seen.claim(Caller(other, f"{1:032x}", ENDS), "another request") is None

    asyncio.run(go())


def test_answers_go_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """One timer lets go of each in its time, though none came after it."""
    monkeypatch.setattr(seen_tokens, "_REPEAT_SECONDS", 0.5)

    async def go() -> None:
        seen = SeenTokens()
        for number in range(3):
            await used(seen, number, b"{}")
            await asyncio.sleep(0.04)
        assert len(seen._answers) == 3
        await asyncio.sleep(0.8)
        assert not seen._answers
        assert not seen._kept
        assert seen._timer is None

    asyncio.run(go())
