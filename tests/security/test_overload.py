"""Floods: who is over its share is told at once, before its body is read, and the others are served."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from cds_service.app import create_app
from cds_service.errors import Overloaded
from cds_service.overload import Room, Slots
from cds_service.settings import Settings
from tests.cds_clients import BASE, BODY, BRAIN, PATH, tenant, token
from tests.serving import listening


def test_slots_of_all_and_of_a_tenant() -> None:
    slots = Slots(total=3, per_tenant=2)
    with slots.of_tenant("noisy"), slots.of_tenant("noisy"):
        with pytest.raises(Overloaded), slots.of_tenant("noisy"):
            pass
        with pytest.raises(Overloaded), slots.of_tenant("small", 0):
            pass
        with slots.of_tenant("quiet"):
            pass
    with slots.of_all(), slots.of_all(), slots.of_all(), pytest.raises(Overloaded), slots.of_all():
        pass
    assert slots.used == 0


def test_room_for_bodies() -> None:
    room = Room(total=100, per_tenant=40, seconds=1)
    with room.of("noisy") as first, room.of("noisy") as second, room.of("quiet") as other:
        first.take(50)  # alone, it may be larger than the share
        with pytest.raises(Overloaded):
            second.take(1)
        other.take(40)
        with room.of("third") as third, pytest.raises(Overloaded):
            third.take(11)
    assert room.used == 0
    with room.of("noisy") as again:
        again.take(40)


def test_who_finds_no_room_waits_behind_its_own_and_not_behind_others() -> None:
    async def go() -> list[str]:
        room, order = Room(total=100, per_tenant=40, seconds=5), []

        async def body(name: str, size: int) -> None:
            with room.of(name.split()[0]) as share:
                await share.reserve(size)
                order.append(name)
                await asyncio.sleep(0.01)

        crowd = [asyncio.create_task(body(f"noisy {number}", 40)) for number in range(4)]
        crowd.append(asyncio.create_task(body("noisy small", 1)))
        crowd.append(asyncio.create_task(body("quiet", 40)))
        await asyncio.sleep(0)
        assert order == ["noisy 0", "quiet"]
        crowd[2].cancel()  # who gives up is passed over
        await asyncio.gather(*crowd, return_exceptions=True)
        assert room.used == 0
        assert not room._waiting
        return order

    assert asyncio.run(go()) == ["noisy 0", "quiet", "noisy 1", "noisy 3", "noisy small"]


def test_nobody_waits_for_room_longer_than_an_answer_is_worth() -> None:
    async def go() -> None:
        room = Room(total=100, per_tenant=40, seconds=0.05)
        with room.of("noisy") as first:
            await first.reserve(40)
            begun = asyncio.get_running_loop().time()
            with room.of("noisy") as second, pytest.raises(Overloaded):
                await second.reserve(1)
            assert asyncio.get_running_loop().time() - begun < 2
        assert room.used == 0
        with room.of("noisy") as third:
            await third.reserve(40)

    asyncio.run(go())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    file = tmp_path_factory.mktemp("flood") / "tenants.yaml"
    file.write_text(yaml.safe_dump({"tenants": [tenant(), tenant(id="b", issuer="https://b.example.org")]}))
    settings = Settings(
        profile="production",
        tenants_file=file,
        public_url=BASE,
        max_concurrent=10,
        max_concurrent_per_tenant=4,
        max_bytes_at_once_per_tenant=1_000_000,
        max_body_bytes=2_000_000,
        body_timeout_ms=2000,
        deadline_ms=1000,
    )
    with listening(create_app(settings, brain=BRAIN)) as url:
        parts = urlsplit(url)
        yield parts.hostname or "", parts.port or 0


def half(service: tuple[str, int], bearer: str, length: int) -> socket.socket:
    """A connection whose body never ends."""
    connection = socket.create_connection(service, timeout=5)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {bearer}\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n{{".encode())
    return connection


def status(connection: socket.socket) -> int:
    with connection:
        return int(connection.recv(12)[9:12])


def whole(service: tuple[str, int], bearer: str) -> int:
    content = json.dumps(BODY).encode()
    with half(service, bearer, len(content)) as connection:
        connection.sendall(content[1:])
        return int(connection.recv(12)[9:12])


def test_bodies_that_never_end_take_the_slots_of_their_tenant_only(service: tuple[str, int]) -> None:
    held = [half(service, token(), 1000) for _ in range(4)]
    assert whole(service, token()) == 503
    assert whole(service, token(iss="https://b.example.org")) == 200
    assert [status(connection) for connection in held] == [408] * 4
    assert whole(service, token()) == 200


def test_bodies_of_nobody_take_no_slots(service: tuple[str, int]) -> None:
    held = [half(service, "no.such.token", 1000) for _ in range(12)]
    assert whole(service, token()) == 200
    assert [status(connection) for connection in held] == [401] * 12


def test_large_bodies_are_refused_before_they_are_read(service: tuple[str, int]) -> None:
    with half(service, token(), 900_000):
        assert status(half(service, token(), 200_000)) == 503
        assert whole(service, token(iss="https://b.example.org")) == 200


def test_what_is_refused_says_when_to_come_back(service: tuple[str, int]) -> None:
    held = [half(service, token(), 1000) for _ in range(4)]
    with half(service, token(), 1000) as connection:
        text = b""
        while b"}]}" not in text:
            text += connection.recv(4096)
    head, _, body = text.decode().partition("\r\n\r\n")
    assert "retry-after: 1" in head.lower()
    found: dict[str, Any] = json.loads(body)
    assert found["issue"][0]["code"] == "throttled"
    for connection in held:
        connection.close()


def test_a_refused_large_body_does_not_end_the_answer(service: tuple[str, int]) -> None:
    """The client that sends its body to the end reads the answer then; a reset in the middle would take it away."""
    held = [half(service, token(), 1000) for _ in range(4)]
    with half(service, token(), 1_900_000) as connection:
        connection.sendall(b" " * 1_899_999)
        text = b""
        while part := connection.recv(4096):
            text += part
    assert text.startswith(b"HTTP/1.1 503")
    assert b"connection: close" in text.lower()
    for each in held:
        each.close()


def test_nor_does_a_slow_line(service: tuple[str, int]) -> None:
    with half(service, "nobody", 1_000_001) as connection:
        for _ in range(25):
            connection.sendall(b" " * 40_000)
            time.sleep(0.1)
        text = b""
        while part := connection.recv(4096):
            text += part
    assert text.startswith(b"HTTP/1.1 401")


async def refused(app: Any, length: int = 1000) -> tuple[list[dict[str, Any]], int, float]:
    """(messages, pieces taken in, seconds to the answer) of a call of nobody whose body never ends."""
    pieces, answered, sent = 0, 0.0, []
    begun = time.monotonic()

    async def receive() -> dict[str, Any]:
        nonlocal pieces
        pieces += 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        nonlocal answered
        sent.append(message)
        if message.get("body"):
            answered = time.monotonic() - begun

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": PATH, "raw_path": PATH.encode(), "root_path": "", "query_string": b"", "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 80), "headers": [(b"content-length", str(length).encode())],
    }  # fmt: skip
    await app(scope, receive, send)
    return sent, pieces, answered


def test_what_comes_of_a_refused_body_is_taken_in_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.middleware._ENDING_SECONDS", 0.5)
    app = create_app(Settings(profile="sandbox", database_url="sqlite://"), brain=BRAIN)
    sent, pieces, answered = asyncio.run(refused(app, 1_000_000))
    assert sent[0]["status"] == 401
    assert answered < 0.4, "the answer does not wait for the body"
    assert not sent[-1]["more_body"], "and it ends"
    assert 1 <= pieces <= 100
