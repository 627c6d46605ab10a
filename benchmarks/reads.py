"""A request without prefetch, read from a FHIR server that takes 50 ms for every answer.

    python -m benchmarks.reads

The server is a process of its own. It makes every answer once, with the sandbox's own server, and gives it again from
memory: what a search costs there is a matter of that server, and the 50 ms stand for it. It tells the calls: all
searches begin at once, and only the further pages of one follow each other. `depth` is the searches and the longest
chain of pages; the floor is depth times latency, and what is over it is work. The caller keeps its connection, as an
EHR does; two requests open ours and teach the service what the server can do, as in one that has been running. A long
chart is read from three servers: one gives pages as long as they are asked for, two give 200 resources at most, with
links that say in which place a page begins, as HAPI FHIR writes them, and with opaque ones, as Epic and Oracle do."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import httpx
import orjson

from benchmarks import bodies
from benchmarks.service import PATH, check
from cds_service.pipeline import load_brain

LATENCY = 0.05
_REPEATS = 12
_LOG = "/benchmark-calls"
_PAGE = "page="
"""in the address of every further page."""
_SHORT = 200
Pages = Literal["as asked for", "200, placed", "200, opaque"]
_SIZES: tuple[tuple[int, Pages], ...] = (
    (100, "as asked for"),
    (1000, "as asked for"),
    (1000, "200, placed"),
    (1000, "200, opaque"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Wall time in milliseconds: median, and quartiles of the repeats; `ratio` is the median over depth x latency."""

    who: bodies.Who
    resources: int
    pages: Pages
    calls: int
    depth: int
    wall: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        return self.wall / (self.depth * LATENCY * 1000)


def depth(calls: list[tuple[str, float, float]]) -> int:
    """One for the searches, and one for each page that was asked for after the page before it had come."""
    deepest: list[tuple[float, int]] = []  # (end, length of the chain of pages that ends there)
    for query, begun, ended in sorted(calls, key=lambda call: call[1]):
        if _PAGE in query:
            deepest.append((ended, 1 + max((length for end, length in deepest if end <= begun), default=0)))
    return 1 + max((length for _, length in deepest), default=0)


class _Slow:
    """The FHIR endpoint with the wait, and with a page that tells the calls since it was last asked."""

    def __init__(self, app: Any, pages: Pages) -> None:
        self._app, self._pages, self._calls = app, pages, list[tuple[str, float, float]]()
        self._answers: dict[tuple[str, bytes], list[dict[str, Any]]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == _LOG:
            told, self._calls = self._calls, []
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": orjson.dumps(told)})
            return
        begun = time.monotonic()
        asked = (scope["path"], scope["query_string"])
        if asked not in self._answers:
            await self._make(scope, receive)
        await asyncio.sleep(begun + LATENCY - time.monotonic())
        for message in self._answers[asked]:
            await send(message)
        if not scope["path"].endswith("/metadata"):  # read beside a chart, never waited for
            self._calls.append((scope["query_string"].decode(), begun, time.monotonic()))

    async def _make(self, scope: Any, receive: Any) -> None:
        """The sandbox's answer, in pages."""
        made: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            made.append(message)

        await self._app(scope, receive, keep)
        start, whole = made[0], b"".join(message["body"] for message in made[1:])
        base = "http://" + dict(scope["headers"])[b"host"].decode()
        asked = (scope["path"], scope["query_string"])
        for number, body in enumerate(_cut(whole, self._pages, base, scope["path"])):
            headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            if number:
                asked = ("/", _link(self._pages, scope["path"], number).encode())
            self._answers[asked] = [
                start | {"headers": [*headers, length]},
                {"type": "http.response.body", "body": body},
            ]


def _cut(whole: bytes, pages: Pages, base: str, path: str) -> list[bytes]:
    """An answer in pages, each with a link to the next."""
    bundle = orjson.loads(whole)
    entries = bundle.get("entry", ())
    if pages == "as asked for" or len(entries) <= _SHORT:
        return [whole]
    found = []
    for number in range(-(-len(entries) // _SHORT)):
        links = [{"relation": "next", "url": f"{base}/?{_link(pages, path, number + 1)}"}]
        more = (number + 1) * _SHORT < len(entries)
        page = bundle | {
            "entry": entries[number * _SHORT : (number + 1) * _SHORT],
            "link": links if more else [],
        }
        found.append(orjson.dumps(page))
    return found


def _link(pages: Pages, path: str, number: int) -> str:
    token = blake2b(f"{path} {number}".encode(), digest_size=12).hexdigest()
    if pages == "200, opaque":
        return f"_page={token}"
    search = blake2b(path.encode(), digest_size=12).hexdigest()
    return f"_getpage={search}&_getpagesoffset={number * _SHORT}&_count={_SHORT}&_bundletype=searchset"


@contextmanager
def slow_server(resources: list[dict[str, Any]], pages: Pages = "as asked for") -> Iterator[str]:
    """The base URL of the slow FHIR server that holds these resources."""
    import uvicorn

    from cds_service.sandbox.fhir_server import fhir_app
    from cds_service.sandbox.store import Store

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    pid = os.fork()
    if not pid:
        store = Store()
        store.load(resources)
        uvicorn.run(_Slow(fhir_app(store), pages), host="127.0.0.1", port=port, access_log=False, log_level="error")
        os._exit(0)
    url = f"http://127.0.0.1:{port}"
    try:
        _calls(url, wait=30)
        yield url
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _calls(url: str, wait: float = 0) -> list[tuple[str, float, float]]:
    last = time.monotonic() + wait
    while True:
        try:
            return [(query, begun, ended) for query, begun, ended in httpx.get(url + _LOG).json()]
        except httpx.TransportError:
            if time.monotonic() > last:
                raise
            time.sleep(0.05)


def measure_reads() -> list[Reading]:
    from cds_service.app import create_app
    from cds_service.settings import Settings
    from tests.serving import listening

    brain = load_brain(bodies.AS_OF)
    found = []
    for size, pages in _SIZES:
        for who in ("silent", "detection"):
            request = orjson.loads(bodies.body(who, size).content)
            held = [*_resources(request.pop("prefetch"))]
            settings = Settings(profile="sandbox", database_url="sqlite://", as_of=bodies.AS_OF, deadline_ms=20_000)
            app = create_app(settings, brain=brain)
            with slow_server(held, pages) as fhir, listening(app) as url, httpx.Client(base_url=url, timeout=30) as ehr:
                content = orjson.dumps(request | {"fhirServer": fhir})
                found.append(_measure(who, len(held), pages, ehr, fhir, content))
    return found


def _resources(prefetch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in prefetch.values():
        if value["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in value["entry"])
        else:
            yield value


def _measure(who: bodies.Who, resources: int, pages: Pages, ehr: httpx.Client, fhir: str, content: bytes) -> Reading:
    walls: list[float] = []
    depths: list[int] = []
    counts: list[int] = []
    for turn in range(_REPEATS + 2):
        begun = time.perf_counter()
        told = ehr.post(PATH, content=content, headers={"Content-Type": "application/json"}).content
        wall = (time.perf_counter() - begun) * 1000
        calls = _calls(fhir)
        check(who, told)
        if turn >= 2:  # the first opens the connections, and learns what the server can do
            walls.append(wall)
            depths.append(depth(calls))
            counts.append(len(calls))
    low, middle, high = statistics.quantiles(walls, n=4)
    return Reading(who, resources, pages, max(counts), max(depths), middle, low, high)


def table(rows: list[Reading]) -> str:
    lines = [
        "| Patient | Resources | Pages | Calls | Depth | Wall, ms | Quartiles | Over depth x latency |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {r.who} | {r.resources:,} | {r.pages} | {r.calls} | {r.depth} | {r.wall:.0f} "
            f"| {r.low:.0f} to {r.high:.0f} | {r.ratio:.2f} |"
            for r in rows
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(measure_reads()))
