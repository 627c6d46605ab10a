"""Rates and turns: a tenant over its rate is told so, and a crowd of one tenant does not hold up another."""

from __future__ import annotations

import asyncio

import pytest

from cds_service.errors import TooMany
from cds_service.overload import Rates
from cds_service.scheduler import Turns


def test_a_bucket_holds_ten_seconds_and_fills_again() -> None:
    rates = Rates(per_minute=60)
    for _ in range(10):
        rates.take("noisy", now=0.0)
    with pytest.raises(TooMany):
        rates.take("noisy", now=0.5)
    rates.take("quiet", now=0.5)
    rates.take("noisy", now=1.0)
    with pytest.raises(TooMany):
        rates.take("noisy", now=1.1)


def test_a_tenant_may_have_its_own_rate() -> None:
    rates = Rates(per_minute=6000)
    rates.take("small", per_minute=6, now=0.0)
    with pytest.raises(TooMany):
        rates.take("small", per_minute=6, now=1.0)


def test_tenants_take_turns() -> None:
    """A hundred calls of one tenant are waiting; another's single call waits for three of them at most."""

    async def go() -> list[str]:
        turns, order = Turns(), []

        async def work(tenant: str) -> None:
            async with turns.of(tenant):
                order.append(tenant)
                await asyncio.sleep(0)

        crowd = [asyncio.create_task(work("noisy")) for _ in range(100)]
        await asyncio.sleep(0)
        await asyncio.gather(work("quiet"), *crowd)
        return order

    order = asyncio.run(go())
    assert len(order) == 101
    assert order.index("quiet") <= 3


def test_a_turn_given_up_goes_on_to_the_next() -> None:
    async def go() -> None:
        turns = Turns()

        async def work() -> None:
            async with turns.of("a"):
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(work()) for _ in range(5)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        tasks[0].cancel()
        await asyncio.wait(tasks)
        async with asyncio.timeout(1), turns.of("b"):
            pass

    asyncio.run(go())
