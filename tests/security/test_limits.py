"""Hostile bodies: refused at once with the right status, over real sockets, and the service goes on answering."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cds_service import middleware
from cds_service.app import create_app
from cds_service.errors import BadRequest
from cds_service.limits import MAX_DEPTH, decode_request
from cds_service.settings import Settings
from tests.serving import listening

PATH = "/cds-services/calcinosis-patient-view"
MAX_BYTES = 64 * 1024
GOOD: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "c6e8d1a0-0000-4000-8000-000000000001",
    "context": {"userId": "Practitioner/1", "patientId": "p1"},
    "prefetch": {"conditions": None, "laboratory": None, "examinations": None},
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    settings = Settings(profile="sandbox", max_body_bytes=MAX_BYTES, max_nodes=2000, body_timeout_ms=400)
    app = create_app(settings)
    with listening(app) as url, httpx.Client(base_url=url, timeout=10) as client:
        app.state.cds.brain.prescan.prepare()  # from here on the fast path of silent charts is open too
        yield client


def good(member: bytes) -> bytes:
    """A call that is right but for one member."""
    return json.dumps(GOOD).encode()[:-1] + b"," + member + b"}"


HOSTILE = {
    "nothing": (b"", 400, "malformed JSON"),
    "not whole": (b"{", 400, "malformed JSON"),
    "a list": (b"[]", 400, "must be an object"),
    "null": (b"null", 400, "must be an object"),
    "NaN": (good(b'"extension": NaN'), 400, "malformed JSON"),
    "Infinity": (good(b'"extension": Infinity'), 400, "malformed JSON"),
    "just beyond binary64": (good(b'"extension": 1e400'), 400, "a number is out of range"),
    "large exponent": (good(b'"extension": 1e999999'), 400, "a number is out of range"),
    "small exponent": (good(b'"extension": 1e-999999'), 400, "a number is out of range"),
    "exponent beyond use": (good(b'"extension": 1e99999999999999999999'), 400, "a number is out of range"),
    "exponent below use": (good(b'"extension": 1e-99999999999999999999'), 400, "a number is out of range"),
    "many digits": (good(b'"extension": ' + b"9" * 5000), 400, "malformed JSON"),
    "many decimals": (good(b'"extension": 0.' + b"9" * 5000), 400, "a number is out of range"),
    "UTF-16": (b"\xff\xfe{}", 400, "malformed JSON"),
    "not UTF-8": (good(b'"extension": "\xe9"'), 400, "malformed JSON"),
    "half a surrogate": (good(b'"extension": "\xed\xa0\x80"'), 400, "malformed JSON"),
    "deep": (good(b'"extension": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), 400, "nested too deeply"),
    "very deep": (good(b'"extension": ' + b"[" * 30_000 + b"]" * 30_000), 400, "nested too deeply"),
    "many values": (good(b'"extension": ' + json.dumps(list(range(3000))).encode()), 400, "too many values"),
    "many empty lists": (good(b'"extension": ' + json.dumps([[]] * 3000).encode()), 400, "too many values"),
    "many lists in lists": (
        good(b'"extension": ' + json.dumps([[[]]] * 1500).encode()),
        400,
        "too many values",
    ),
    "a key twice": (good(b'"hook": "order-sign"'), 400, "a key occurs twice in one object"),
    "a key twice below": (good(b'"extension": {"a": 1, "a" \n: 2}'), 400, "a key occurs twice in one object"),
    "large": (b" " * (MAX_BYTES + 1), 413, "the body is over the limit"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_refused_quickly(service: httpx.Client, name: str) -> None:
    body, status, words = HOSTILE[name]
    begun = time.perf_counter()
    answer = service.post(PATH, content=body, headers=JSON)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["diagnostics"] == words
    assert time.perf_counter() - begun < 20  # bombs and squares take minutes
    assert service.post(PATH, json=GOOD).json() == {"cards": []}


@pytest.mark.parametrize("number", ["1.000000000000000000E-245", "-1.000000000000000000E+245", "9.9e307", "1e-307"])
def test_a_number_that_any_program_can_hold_costs_no_chart(service: httpx.Client, number: str) -> None:
    """The first two stand in a test chart of HL7 (observation-decimal); the calcium beside them is read."""
    bundle = b'{"resourceType": "Bundle", "type": "searchset", "entry": [%b]}' % b", ".join(
        b'{"resource": {"resourceType": "Observation", "id": "%b", "status": "final", "code": {"coding": [{"system": '
        b'"http://loinc.org", "code": "2000-8"}]}, "subject": {"reference": "Patient/p1"}, "effectiveDateTime": '
        b'"2020-01-01", "valueQuantity": {"value": %b, "unit": "mmol/L", "system": "http://unitsofmeasure.org", '
        b'"code": "mmol/L"}, "referenceRange": [{"low": {"value": %b}, "high": {"value": 2.6}}]}}' % (id_, value, low)
        for id_, value, low in ((b"odd", number.encode(), number.encode()), (b"plain", b"2.3", b"2.15"))
    )
    body = json.dumps(GOOD).encode().replace(b'"laboratory": null', b'"laboratory": ' + bundle)
    answer = service.post("/assessments", content=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert "Observation/plain" in answer.json()["criteria"]["calcium"]["evidence"]
    assert service.post(PATH, content=body, headers=JSON).json() == {"cards": []}


ZIPPED = gzip.compress(json.dumps(GOOD).encode())
PACKED = {
    "gzip": (b"gzip", ZIPPED, 200),
    "identity": (b"identity", json.dumps(GOOD).encode(), 200),
    "bomb": (b"gzip", gzip.compress(b" " * (200 * MAX_BYTES)), 413),
    "cut off": (b"gzip", ZIPPED[:-9], 400),
    "cut off after its data": (b"gzip", ZIPPED[:-4], 400),
    "something after it": (b"gzip", ZIPPED + ZIPPED, 400),
    "not gzip": (b"gzip", b"no gzip", 400),
    "unknown": (b"br", json.dumps(GOOD).encode(), 415),
    "two": (b"gzip, gzip", gzip.compress(ZIPPED), 415),
}


@pytest.mark.parametrize("name", PACKED)
def test_gzip_is_read_and_counted_after_inflation(service: httpx.Client, name: str) -> None:
    encoding, content, status = PACKED[name]
    assert len(content) < MAX_BYTES
    answer = service.post(PATH, content=content, headers={**JSON, "Content-Encoding": encoding.decode()})
    assert answer.status_code == status, answer.text


def test_no_more_is_inflated_than_may_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small bomb may not grow in memory before it is counted."""
    held: list[int] = []
    real = zlib.decompressobj

    class Counted:
        def __init__(self, *given: Any, **more: Any) -> None:
            self.inner = real(*given, **more)

        def decompress(self, *given: Any) -> bytes:
            held.append(len(found := self.inner.decompress(*given)))
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    monkeypatch.setattr(middleware, "zlib", SimpleNamespace(decompressobj=Counted, error=zlib.error))
    settings = Settings(profile="sandbox", max_body_bytes=MAX_BYTES)
    client = TestClient(create_app(settings), client=("127.0.0.1", 1))
    bomb = gzip.compress(b" " * (200 * MAX_BYTES))
    answer = client.post(PATH, content=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert max(held) <= MAX_BYTES + 1


def test_length_that_is_announced_too_large_is_refused_before_it_comes(service: httpx.Client) -> None:
    assert b" 413 " in _raw(service, b"Content-Length: 99999999\r\n\r\n")


def test_chunks_are_counted(service: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 8192

    assert service.post(PATH, content=chunks(), headers=JSON).status_code == 413


def test_slow_body_is_given_up(service: httpx.Client) -> None:
    begun = time.perf_counter()
    assert b" 408 " in _raw(service, b"Content-Length: 100\r\n\r\n{")
    assert time.perf_counter() - begun < 20  # nobody sends the rest


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_only_json_is_taken(service: httpx.Client, kind: str) -> None:
    assert service.post(PATH, content=b"{}", headers={"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize("kind", ["application/json", "application/fhir+json", "application/json; charset=utf-8"])
def test_both_json_types_are_taken(service: httpx.Client, kind: str) -> None:
    answer = service.post(PATH, content=json.dumps(GOOD).encode(), headers={"Content-Type": kind})
    assert answer.status_code == 200


def _raw(service: httpx.Client, rest: bytes) -> bytes:
    """The first bytes answered to a request that never ends."""
    parts = urlsplit(str(service.base_url))
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as connection:
        connection.sendall(head + rest)
        return connection.recv(400)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=6), json_values, max_size=5)


@given(objects, st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : "), ("\n,", "\t:\r\n")]), st.booleans())
def test_whatever_is_sent_once_is_read(value: dict[str, Any], separators: tuple[str, str], ascii_only: bool) -> None:
    body = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    assert decode_request(body.encode("utf-8", "surrogatepass") if ascii_only else body.encode()) == value


@given(objects, st.text(max_size=6), st.sampled_from([":", " :", "\n:"]), st.data())
def test_whatever_is_sent_twice_is_refused(value: dict[str, Any], key: str, colon: str, data: st.DataObject) -> None:
    """A second member of the same name is seen wherever it hides, also behind escapes in strings."""
    noise = data.draw(st.lists(st.sampled_from(['\\"', ":", '":', "\\\\", '\\":', "{", "}"]), max_size=6))
    name = json.dumps(key)
    text = f'{{"x":{json.dumps(value)},"y":[{{{name}{colon}1,{name}:{json.dumps("".join(noise))}}}]}}'
    with pytest.raises(BadRequest, match="twice"):
        decode_request(text.encode())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        decode_request(body)
