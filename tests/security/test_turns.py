"""Tenants in turn: at the event loop, for heavy work, and outside of both."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
import yaml

from cds_service.app import create_app
from cds_service.auth import Authenticator
from cds_service.errors import Overloaded, Unauthorized
from cds_service.loop_turns import LoopTurns
from cds_service.scheduler import Scheduler, Turns
from cds_service.settings import Settings
from cds_service.tenants import NOBODY, Tenants
from tests.cds_clients import BRAIN, tenant, token
from tests.security.test_overload import refused


def test_nobody_waits_longer_than_an_answer_is_worth() -> None:
    async def go() -> None:
        scheduler = Scheduler(seconds=0.05, most=10)
        blocking = asyncio.create_task(scheduler.run("noisy", True, lambda: __import__("time").sleep(0.4)))
        await asyncio.sleep(0.02)
        assert await scheduler.run("quiet", False, lambda: 5) == 5, "light work goes on meanwhile"
        begun = asyncio.get_running_loop().time()
        with pytest.raises(Overloaded):
            await scheduler.run("quiet", True, lambda: 5)
        assert asyncio.get_running_loop().time() - begun < 0.3
        await blocking
        assert await scheduler.run("quiet", True, lambda: 6) == 6
        scheduler.close()

    asyncio.run(go())


def test_nobody_waits_behind_a_crowd_of_its_own() -> None:
    async def go() -> None:
        turns = Turns(most=2)

        async def work(tenant: str) -> None:
            async with turns.of(tenant):
                await asyncio.sleep(0.02)

        crowd = [asyncio.create_task(work("noisy")) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await work("noisy")
        await work("quiet")
        await asyncio.gather(*crowd)

    asyncio.run(go())


def test_a_crowd_comes_in_one_by_one_and_others_between() -> None:
    async def go() -> list[tuple[int, str]]:
        turns, came_in, passes = LoopTurns(seconds=5, most=100), [], 0

        async def comes(tenant: str) -> None:
            await turns.enter(lambda: tenant)
            came_in.append((passes, tenant))

        crowd = [asyncio.create_task(comes("noisy")) for _ in range(30)]
        crowd.append(asyncio.create_task(comes("quiet")))
        while not all(task.done() for task in crowd):
            passes += 1
            await asyncio.sleep(0)
        alone = asyncio.create_task(comes("quiet"))
        await asyncio.sleep(0)
        assert alone.done(), "nobody waits where nobody is"
        return came_in[:-1]

    came_in = asyncio.run(go())
    assert len({at for at, _ in came_in}) == len(came_in), "one in each pass"
    assert [tenant for _, tenant in came_in].index("quiet") <= 2


def test_who_has_come_in_goes_before_those_outside() -> None:
    async def go() -> list[str]:
        turns, order = LoopTurns(seconds=5, most=100), []

        async def call(name: str) -> None:
            await turns.enter(lambda: "noisy")
            order.append(f"{name} in")
            await turns.go_on("noisy")
            order.append(f"{name} done")

        await asyncio.gather(*(call(name) for name in "abc"))
        return order

    assert asyncio.run(go()) == ["a in", "a done", "b in", "b done", "c in", "c done"]


def test_who_has_come_in_is_not_sent_away() -> None:
    """What it has read would be lost; who waits outside is told to come again."""

    async def go() -> tuple[list[object], list[object]]:
        turns = LoopTurns(seconds=0.02, most=100)

        async def inside() -> None:
            await turns.go_on("noisy")
            time.sleep(0.01)

        calls = [asyncio.create_task(inside()) for _ in range(6)]
        outside = [asyncio.create_task(turns.enter(lambda: "noisy")) for _ in range(2)]
        return (
            await asyncio.gather(*calls, return_exceptions=True),
            await asyncio.gather(*outside, return_exceptions=True),
        )

    inside, outside = asyncio.run(go())
    assert inside == [None] * 6
    assert all(isinstance(each, Overloaded) for each in outside)


def test_passes_without_a_turn_let_short_steps_catch_up() -> None:
    """What takes as many short passes as a connection does waits for one turn of the crowd, not for one in each."""

    async def go() -> int:
        turns, taken = LoopTurns(seconds=5, most=100), 0

        async def crowd() -> None:
            nonlocal taken
            await turns.enter(lambda: "noisy")
            taken += 1

        calls = [asyncio.create_task(crowd()) for _ in range(20)]
        await asyncio.sleep(0)
        before = taken
        for _ in range(4):
            await asyncio.sleep(0)
        after = taken
        await asyncio.gather(*calls)
        return after - before

    assert asyncio.run(go()) <= 1


def test_light_work_is_done_one_piece_at_a_time_tenants_in_turn() -> None:
    async def go() -> list[tuple[int, str]]:
        scheduler, done, passes = Scheduler(seconds=5, most=100), [], 0

        async def call(tenant: str) -> None:
            for _ in range(3):
                await scheduler.run(tenant, False, lambda: done.append((passes, tenant)))

        crowd = [asyncio.create_task(call("noisy")) for _ in range(10)]
        crowd.append(asyncio.create_task(call("quiet")))
        while not all(task.done() for task in crowd):
            passes += 1
            await asyncio.sleep(0)
        return done

    done = asyncio.run(go())
    assert len({at for at, _ in done}) == len(done) == 33
    assert [tenant for _, tenant in done[:7]] == ["noisy", "quiet"] * 3 + ["noisy"]


def test_calls_are_looked_at_one_in_each_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures above all: they take the longest of what is done for everybody who calls."""
    passes, looked_at = 0, []

    async def authenticate(*_: object) -> None:
        looked_at.append(passes)
        raise Unauthorized("not authorized")

    monkeypatch.setattr(Authenticator, "authenticate", authenticate)
    app = create_app(Settings(profile="sandbox", database_url="sqlite://"), brain=BRAIN)

    async def go() -> None:
        nonlocal passes
        crowd = [asyncio.create_task(refused(app)) for _ in range(10)]
        while not all(task.done() for task in crowd):
            passes += 1
            await asyncio.sleep(0)

    asyncio.run(go())
    assert len(looked_at) == len(set(looked_at)) == 10


def test_the_last_of_the_longest_queue_is_sent_away() -> None:
    async def go() -> None:
        turns = LoopTurns(seconds=5, most=3)

        async def comes(tenant: str) -> None:
            await turns.enter(lambda: tenant)

        crowd = [asyncio.create_task(comes("noisy")) for _ in range(4)]
        crowd.append(asyncio.create_task(comes("quiet")))
        found = await asyncio.gather(*crowd, return_exceptions=True)
        assert [isinstance(each, Overloaded) for each in found] == [False, False, False, True, False]

    asyncio.run(go())


def test_nobody_waits_outside_longer_than_an_answer_is_worth() -> None:
    async def go() -> None:
        turns = LoopTurns(seconds=0.05, most=100)
        crowd = [asyncio.create_task(turns.enter(lambda: "noisy")) for _ in range(20)]
        for _ in range(3):
            await asyncio.sleep(0)
            time.sleep(0.05)  # passes that take long
        found = await asyncio.gather(*crowd, return_exceptions=True)
        assert found[0] is None
        assert sum(isinstance(each, Overloaded) for each in found) > 10

    asyncio.run(go())


def test_a_token_that_is_not_verified_only_tells_whose_queue(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(yaml.safe_dump({"tenants": [tenant(), tenant(id="b", issuer="https://b.example.org")]}))
    authenticator = Authenticator(Tenants(file))
    assert authenticator.claimed([f"Bearer {token()}x"]) == "hospital"
    assert authenticator.claimed([f"Bearer {token(iss='https://b.example.org')}"]) == "b"
    unknown = f"Bearer {token(iss='https://c.example.org')}"
    for odd in ([], ["Bearer a.b.c"], ["Bearer e30.e30.x"], ["Bearer x.WzFd.x"], [unknown], ["x"] * 2):
        assert authenticator.claimed(odd) == NOBODY
