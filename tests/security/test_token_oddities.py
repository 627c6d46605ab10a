"""Tokens that are signed by the right key and still wrong, and ones that no parser should fall over."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact

from cds_service import keys
from cds_service.auth import _MAX_TOKEN
from cds_service.request_tag import content_tag, request_tag
from tests.cds_clients import BODY, EC, PATH, claims_now, tenant, token


def signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Signed by the tenant's key, whatever header and claims are."""
    head = {"alg": "ES384", "kid": "ec-1"} | (header or {})
    return serialize_compact(head, json.dumps(claims_now(**claims)).encode(), EC, algorithms=["ES384"])


def part(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).rstrip(b"=").decode()


def status(client: Any, bearer: str) -> int:
    answer = client.post(PATH, json=BODY, headers={"Authorization": f"Bearer {bearer}"})
    if answer.status_code == 401:
        assert answer.json()["issue"][0]["diagnostics"] == "not authorized"
    return int(answer.status_code)


def test_signed_as_it_should_be_is_let_in(serve: Any) -> None:
    client = serve(tenant())
    assert status(client, signed()) != 401


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": float("nan")},
        {"iat": float("nan")},
        {"exp": float("inf")},
        pytest.param({"exp": 10**400}, id="exp an integer that fits no float"),
        pytest.param({"iat": -(10**400)}, id="iat an integer that fits no float"),
        pytest.param({"nbf": 10**400}, id="nbf an integer that fits no float"),
        {"exp": True},
        {"exp": "2030"},
        {"jti": 5},
        {"jti": ""},
        {"nbf": "x"},
        {"nbf": 4102444800},
        {"aud": {}},
        {"aud": [["x"]]},
        {"iss": ["https://ehr.example.org"]},
        pytest.param({"sub": "x" * _MAX_TOKEN}, id="a subject too long"),
    ],
    ids=str,
)
def test_odd_claims(serve: Any, claims: dict[str, Any]) -> None:
    assert status(serve(tenant()), signed(**claims)) == 401


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param(f"{part('[' * 5000)}.{part('{}')}.x", id="nested"),
        pytest.param(f"{part('{}')}.{part('{}')}.x", id="empty objects"),
        pytest.param(f"{part('5')}.{part('5')}.x", id="numbers"),
        pytest.param(f"{part(json.dumps({'alg': 5, 'kid': 'x', 'typ': 'JWT'}))}.{part('{}')}.x", id="alg a number"),
        pytest.param(
            f"{part(json.dumps({'alg': 'ES384', 'kid': 'ec-1', 'typ': 5}))}.{part('{}')}.x", id="typ a number"
        ),
        pytest.param(
            f"{part(json.dumps({'alg': 'ES384', 'kid': {}, 'typ': 'JWT'}))}.{part('{}')}.x", id="kid an object"
        ),
        pytest.param("..", id="dots"),
        pytest.param("é.é.é", id="not ASCII"),
    ],
)
def test_no_parser_falls_over(serve: Any, bearer: str) -> None:
    client = serve(tenant())
    answer = client.post(PATH, json=BODY, headers={"Authorization": f"Bearer {bearer}".encode()})
    assert answer.status_code == 401


def test_an_extension_that_must_be_understood(serve: Any) -> None:
    """`crit` names header members that a reader has to know; one that knows none of them must refuse (RFC 7515)."""
    client = serve(tenant())
    assert status(client, signed({"crit": ["b64"], "b64": True})) == 401


def test_a_header_seen_before_vouches_for_nothing_else(serve: Any) -> None:
    """What a header's text decides is remembered; claims and signature are checked each time."""
    client = serve(tenant())
    good = signed()
    assert status(client, good) != 401
    header, _, signature = good.split(".")
    assert status(client, f"{header}.{signed().split('.')[1]}.{signature}") == 401
    other = ECKey.generate_key("P-384", {"kid": "ec-1"})
    claims = signed().split(".")[1]
    forged = serialize_compact(
        {"alg": "ES384", "kid": "ec-1"}, base64.urlsafe_b64decode(claims + "=="), other, algorithms=["ES384"]
    )
    assert forged.split(".")[0] == header
    assert status(client, forged) == 401
    assert status(client, signed()) != 401


@pytest.mark.parametrize("more", ["=", "==", " ", "+", "/"])
def test_base64_has_one_spelling(serve: Any, more: str) -> None:
    client, good = serve(tenant()), signed()
    header, claims, signature = good.split(".")
    assert status(client, f"{header}{more}.{claims}.{signature}") == 401
    assert status(client, f"{header}.{claims}{more}.{signature}") == 401
    assert status(client, f"{header}.{claims}.{signature}{more}") == 401


def test_a_header_too_long(serve: Any) -> None:
    assert status(serve(tenant()), signed({"cty": "x" * 600})) == 401


def test_a_request_is_told_by_path_body_and_token() -> None:
    key, other = "11" * 32, "22" * 32
    tag = request_tag(key, "/a", b"body")
    assert tag == request_tag(key, "/a", b"body")
    others = {
        request_tag(other, "/a", b"body"),
        request_tag(key, "/a", b"bodY"),
        request_tag(key, "/", b"abody"),
        request_tag(key, "/a\0b", b"ody"),
    }
    assert len(others - {tag}) == 4


def test_a_chart_is_told_by_its_bytes_and_the_secret_wherever_they_are_parted() -> None:
    secret, other = b"1" * 32, b"2" * 32
    tag = content_tag(secret, (b"ab", memoryview(b"c"), msgspec.Raw(b"{}")))
    assert tag == content_tag(secret, (b"abc{}",))
    assert tag not in (content_tag(secret, (b"abc{]",)), content_tag(other, (b"abc{}",)))


def test_foreign_jku_is_refused_and_never_fetched(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:

    fetched: list[str] = []

    async def fetch(tenant: Any) -> dict[str, Any]:
        fetched.append(tenant.jku)
        return keys._by_kid({"keys": [EC.as_dict(private=False)]})

    monkeypatch.setattr(keys, "_fetch", fetch)
    own = "https://ehr.example.org/jwks"
    client = serve(tenant(jwks=None, jku=own))
    assert status(client, token(header={"jku": own})) != 401
    assert status(client, token(header={"jku": "https://attacker.example.org/jwks"})) == 401
    assert status(client, token()) != 401
    assert set(fetched) == {own}


def test_keys_in_the_token_are_ignored(serve: Any) -> None:

    other = ECKey.generate_key("P-384", {"kid": "ec-1"})
    client = serve(tenant())
    assert status(client, token(other, header={"jwk": other.as_dict(private=False)})) == 401
    assert status(client, token(other, header={"x5u": "https://attacker.example.org/cert"})) == 401
