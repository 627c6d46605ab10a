"""Pages asked for ahead: fewer waits, and never another answer than following the links gives."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.outbound import OutboundClient, Policy
from cds_service.fhir.parallel_pages import pages_from
from cds_service.fhir.search import read_need

BASE = "https://ehr.example.org/fhir"
HAPI = f"{BASE}?_getpages=0f-1&_getpagesoffset=%d&_count=%d&_pretty=true&_bundletype=searchset"


@pytest.mark.parametrize(
    ("link", "came", "size", "total", "told"),
    [
        (HAPI % (200, 200), 200, 200, 766, [HAPI % (n, 200) for n in (200, 400, 600)]),
        (HAPI % (200, 200), 200, 200, 600, [HAPI % (n, 200) for n in (200, 400)]),
        (HAPI % (800, 200), 800, 200, 1100, [HAPI % (n, 200) for n in (800, 1000)]),
        (f"{BASE}/O?_count=10&_offset=10", 10, 10, 19, [f"{BASE}/O?_count=10&_offset=10"]),
        (f"{BASE}/O?patient=10&_skip=10", 10, 10, 30, []),
        (f"{BASE}/O?page=2&x=a%20b", 50, 50, 120, [f"{BASE}/O?page=2&x=a%20b", f"{BASE}/O?page=3&x=a%20b"]),
        (f"{BASE}/O?page=3", 100, 50, 170, [f"{BASE}/O?page=3", f"{BASE}/O?page=4"]),
        (f"{BASE}/O?page=3", 50, 50, 120, []),
        (f"{BASE}/O?_offset=150", 200, 200, 766, []),
        (f"{BASE}/O?_offset=200&_from=200", 200, 200, 766, []),
        (f"{BASE}/O?_count=200", 200, 200, 766, []),
        (f"{BASE}/O?-pageContext=eJxlj&-pageDirection=NEXT", 50, 50, 500, []),
        (f"{BASE}/O?continue=VS.4EF43488", 20, 20, 100, []),
        (f"{BASE}/O?_offset=0", 0, 0, 100, []),
        (f"{BASE}/O", 20, 20, 100, []),
        (HAPI % (200, 200), 200, 200, 100, []),
    ],
)
def test_links_that_say_where_the_page_begins(link: str, came: int, size: int, total: int, told: list[str]) -> None:
    assert pages_from(link, came, size, total) == told


@dataclass
class Offsets:
    """A server that pages by offset. `waves` are the calls that were under way together."""

    held: int = 766
    most: int = 200
    total: Callable[[int], Any] = lambda held: held
    link: Callable[[int], int] = lambda offset: offset
    """the offset that the link to a page really has"""
    together: int = 99
    broken: int | None = None
    """the offset of a page that is always a 500"""
    under_way: int = 0
    waves: int = 0
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return httpx.Response(404)
        self.asked.append(request.url.query.decode())
        self.waves += self.under_way == 0
        self.under_way += 1
        crowd = self.under_way
        try:
            await asyncio.sleep(0.005)
        finally:  # a call that is given up is no longer under way
            self.under_way -= 1
        offset = int(request.url.params.get("_offset", 0))
        if crowd > self.together or offset == self.broken:
            return httpx.Response(500, text="busy")
        size = min(self.most, int(request.url.params.get("_count", 50)))
        ids = range(self.held)[offset : offset + size]
        body: dict[str, Any] = {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "Observation", "id": f"o{n}"}} for n in ids],
        }
        total = self.total(self.held)
        if total is not None:
            body["total"] = total
        if offset + size < self.held:
            query = f"patient=p&_count={size}&_offset={self.link(offset + size)}"
            body["link"] = [{"relation": "next", "url": f"{BASE}/Observation?{query}"}]
        return httpx.Response(200, json=body)


def read(server: Offsets, *, one_by_one: bool = False, times: int = 1) -> Read:
    async def go() -> Read:
        async with OutboundClient(transport=httpx.MockTransport(server)) as http:
            http.breakers.failures = 10**6
            client = FhirClient(http, Policy((BASE,)), BASE)
            if one_by_one:
                client.has_manner("*", "one-by-one")
            for _ in range(times):
                server.asked.clear()
                server.waves = 0
                found = await read_need(client, "observations", "p", Deadline.after(20_000))
            return found

    return asyncio.run(go())


def told(found: Read) -> tuple[list[str], str | None, str | None]:
    return [str(r["id"]) for r in found.resources], found.partial, found.failed


def test_the_pages_behind_the_second_are_asked_for_beside_it() -> None:
    server = Offsets()
    assert told(read(server)) == ([f"o{n}" for n in range(766)], None, None)
    assert (len(server.asked), server.waves) == (4, 2)
    assert (len(server.asked), read(server, one_by_one=True).count, server.waves) == (4, 766, 4)


def test_a_long_chart_is_asked_for_a_few_pages_at_a_time() -> None:
    server = Offsets(held=1990, most=100)
    assert read(server).count == 1990
    assert (len(server.asked), server.waves) == (20, 4)


def test_a_server_whose_links_turn_out_otherwise_is_followed_and_not_asked_so_again() -> None:
    server = Offsets(link=lambda offset: offset - 10 if offset > 200 else offset)
    assert told(read(server)) == told(read(Offsets(link=server.link), one_by_one=True))
    once = len(server.asked)
    read(server, times=2)
    assert (once, len(server.asked), server.waves) == (6, 4, 4)


def test_a_page_that_is_refused_beside_another_is_asked_for_again_alone() -> None:
    server = Offsets(together=1)
    assert told(read(server)) == ([f"o{n}" for n in range(766)], None, None)
    read(server, times=2)
    assert (len(server.asked), server.waves) == (4, 4), "and the next chart is read page by page"


def test_no_total_no_guess() -> None:
    for total in (None, "766", True, 5):
        server = Offsets(total=lambda _, total=total: total)
        assert read(server).count == 766
        assert len(server.asked) == 4


def test_whatever_a_server_does_it_is_as_if_its_links_were_followed() -> None:
    pick = random.Random(11)
    for _ in range(60):
        held, most, shift = pick.randrange(1, 1500), pick.choice([20, 60, 200, 1000]), pick.choice([0, 0, 7, -7, 3000])
        kind = pick.randrange(4)
        settings: dict[str, Any] = {
            "held": held,
            "most": most,
            "total": lambda held, kind=kind: [held, held + 500, max(held - 300, 0), None][kind],
            "link": lambda offset, shift=shift: offset + shift if offset > 300 else offset,
            "broken": pick.choice([None, None, 200, 400, 600]),
        }
        wanted = told(read(Offsets(**settings), one_by_one=True))
        assert told(read(Offsets(**settings))) == wanted, settings
