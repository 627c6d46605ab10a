"""The service under measurement: the production profile in this process, a tenant with a key, every answer checked."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from benchmarks.bodies import Body, Who
from cds_service.app import create_app
from cds_service.pipeline import Brain
from cds_service.settings import Settings

BASE = "https://cds.example.org"
PATH = "/cds-services/calcinosis-patient-view"
ISSUER = "https://ehr.example.org"
_KEYS: dict[str, Any] = {}


def key(algorithm: str) -> Any:
    """One signing key of each algorithm for the life of the process."""
    if algorithm not in _KEYS:
        _KEYS[algorithm] = (
            RSAKey.generate_key(2048, {"kid": algorithm})
            if algorithm.startswith("RS")
            else ECKey.generate_key("P-384", {"kid": algorithm})
        )
    return _KEYS[algorithm]


def token(number: int, algorithm: str = "RS384") -> str:
    """A token that can be used once. Its lifetime is the longest that is accepted: under valgrind time is slow."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": BASE + PATH, "iat": now, "exp": now + 3600, "jti": f"benchmark-{number:07d}"}
    signing = key(algorithm)
    return jwt.encode({"alg": algorithm, "kid": signing.kid, "typ": "JWT"}, claims, signing, algorithms=[algorithm])


class Service:
    """The ASGI application with its start-up done, in the event loop that uvicorn serves with; `answer` is one request
    as a server would hand it over."""

    def __init__(self, folder: Path, brain: Brain) -> None:
        brain.prepare()  # in the service a thread does it meanwhile
        self.app = create_app(settings(folder), brain=brain)
        self.loop = uvloop.new_event_loop()
        self._life: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.loop.run_until_complete(self._start())

    async def _start(self) -> None:
        started = asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            assert message["type"] == "lifespan.startup.complete", message
            started.set()

        await self._life.put({"type": "lifespan.startup"})
        self._running = self.loop.create_task(self.app({"type": "lifespan"}, self._life.get, send))
        await started.wait()
        for thread in threading.enumerate():
            if thread.name == "prescan":
                thread.join()  # beside the first requests in the service; here it would be counted with them
        while self.app.state.cds.async_store.pending:
            await asyncio.sleep(0.1)  # what is removed at start. Asked more often, the asking counted in busy hours

    def stop(self) -> None:
        """Writes what is still queued, as at shutdown."""
        self.app.state.cds.async_store.close()

    def post(self, *requests: tuple[bytes, str]) -> list[bytes]:
        """The bytes of the answers to bodies with their tokens, one after another; fails unless each is 200."""

        async def sent() -> list[bytes]:
            return [await self.answer(content, bearer) for content, bearer in requests]

        return self.loop.run_until_complete(sent())

    async def answer(self, content: bytes, bearer: str) -> bytes:
        """As `post`, of one; for what measures inside of the loop, as a server runs in it: starting the loop costs a
        twentieth of a small request."""
        answer: list[bytes] = []
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                answer.append(message["body"])

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"cds.example.org"),
                (b"content-type", b"application/json"),
                (b"authorization", f"Bearer {bearer}".encode()),
                (b"content-length", str(len(content)).encode()),
            ],
            "server": ("cds.example.org", 443),
            "client": ("192.0.2.1", 40000),
        }
        await asyncio.sleep(0)  # a server hands over what came in another pass: in the same one it would wait in line
        await self.app(scope, receive, send)
        assert status == 200, (status, b"".join(answer)[:300])
        return b"".join(answer)


def settings(folder: Path) -> Settings:
    """Production, with a database in a file and one tenant."""
    tenants = folder / "tenants.yaml"
    tenant = {
        "id": "hospital",
        "issuer": ISSUER,
        "audience": BASE,
        "algorithms": ["ES384", "RS384"],
        "jwks": {"keys": [key(algorithm).as_dict(private=False) for algorithm in ("RS384", "ES384")]},
        "fhirServers": ["https://fhir.example.org/r4"],
        "maxPerMinute": 1_000_000,  # what is measured is not how soon the rate is full
    }
    tenants.write_text(yaml.safe_dump({"tenants": [tenant]}))
    return Settings(
        profile="production",
        tenants_file=tenants,
        public_url=BASE,
        database_url=f"sqlite:///{folder}/cds.sqlite3",
    )


def check(who: Who, answer: bytes) -> None:
    """The content of the answer: a fast wrong answer fails the benchmark."""
    cards = orjson.loads(answer)["cards"]
    if who == "silent":
        assert cards == [], cards[0]["summary"]
        return
    assert len(cards) == 1 and cards[0]["summary"].startswith("Possible dystrophic calcinosis cutis"), cards
    assert cards[0]["source"]["topic"]["code"] == "calcinosisDetection", cards[0]["source"]
    assert len(cards[0]["suggestions"]) >= 8
    assert all(suggestion["actions"] for suggestion in cards[0]["suggestions"])


def check_store(service: Service) -> None:
    """Fails when the store did: what a failing service needs says nothing of one that works."""
    text = service.app.state.cds.metrics.text().decode()
    failed = [line for line in text.splitlines() if line.startswith("cds_store_failures_total{")]
    assert not failed, failed


def checked(service: Service, body: Body, number: int, bearer: str) -> bytes:
    """One request with its answer checked."""
    [answer] = service.post((body.of_patient(number), bearer))
    check(body.who, answer)
    return answer
