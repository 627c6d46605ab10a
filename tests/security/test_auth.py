"""Who may call: every way of a wrong token gets the same bare 401, and the right one gets the answer (J-1 … J-18)."""

from __future__ import annotations

import base64
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from hooks.services import PREFETCH
from tests.cds_clients import BASE, BODY, EC, PATH, RSA, tenant, token

OTHER = ECKey.generate_key("P-384", {"kid": "ec-1"})


def call(client: TestClient, *tokens: str, path: str = PATH, body: dict[str, Any] = BODY) -> Any:
    headers = [("Authorization", f"Bearer {t}") for t in tokens]
    return client.post(path, json=body, headers=headers)


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES384"), (RSA, "RS384")])
def test_right_token_is_answered(serve: Any, key: Any, alg: str) -> None:
    assert call(serve(tenant()), token(key, alg)).json() == {"cards": []}


def test_audience_may_be_a_list_and_feedback_accepts_its_service(serve: Any) -> None:
    client = serve(tenant())
    assert call(client, token(aud=["https://other", BASE + PATH])).status_code == 200
    feedback = {"feedback": []}
    assert call(client, token(), path=f"{PATH}/feedback", body=feedback).status_code == 200
    assert call(client, token(aud=f"{BASE}{PATH}/feedback"), path=f"{PATH}/feedback", body=feedback).status_code == 200


def unsigned() -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {"iss": "https://ehr.example.org", "aud": BASE + PATH, "iat": now, "exp": now + 60, "jti": "1"}
    return f"{part({'alg': 'none', 'kid': 'ec-1', 'typ': 'JWT'})}.{part(claims)}."


def confused() -> str:
    """HS256, signed with the text of the public key: what a verifier falls for that lets the token choose."""

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    now = int(time.time())
    claims = {"iss": "https://ehr.example.org", "aud": BASE + PATH, "iat": now, "exp": now + 60, "jti": "2"}
    head = json.dumps({"alg": "HS256", "kid": "rsa-1", "typ": "JWT"}).encode()
    signed = part(head) + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(RSA.as_pem(private=False), signed, "sha256"))).decode()


def tampered() -> str:
    head, body, signature = token(jti="first").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | {"jti": "second"}
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{other}.{signature}"


NOW = int(time.time())
WRONG = {
    "no header": [],
    "two headers": ["valid", "valid"],
    "garbage": ["abc.def.ghi"],
    "huge": ["a" * 9000 + ".b.c"],
    "alg none": [unsigned()],
    "HMAC with the public key": [confused()],
    "another key with the same kid": [token(OTHER)],
    "algorithm the tenant does not allow": [token(RSA, "RS256")],
    "unknown kid": [token(header={"kid": "nobody"})],
    "kid that is a path": [token(header={"kid": "../../etc/passwd"})],
    "typ of something else": [token(header={"typ": "at+jwt"})],
    "no kid": [token(drop="kid")],
    "unknown issuer": [token(iss="https://evil.example.org")],
    "another service's audience": [token(aud=BASE + "/cds-services/calcinosis-order-sign")],
    "audience of another host": [token(aud="https://evil.example.org" + PATH)],
    "expired": [token(exp=NOW - 600, iat=NOW - 900)],
    "not yet": [token(iat=NOW + 900, exp=NOW + 1200)],
    "nbf in the future": [token(nbf=NOW + 900)],
    "valid for ten years": [token(exp=NOW + 315_360_000)],
    "exp as text": [token(exp=str(NOW + 60))],
    "expired beyond the leeway": [token(exp=NOW - 120, iat=NOW - 300)],
    "issued beyond the leeway": [token(iat=NOW + 600, exp=NOW + 1200)],
    "nbf as NaN": [token(nbf=float("nan"))],
    "audience with a slash at the end": [token(aud=f"{BASE}{PATH}/")],
    "audience of the host alone": [token(aud=BASE)],
    "audience over http": [token(aud=BASE.replace("https", "http") + PATH)],
    "key of another type than the algorithm": [token(RSA, "RS384", {"kid": "ec-1"})],
    "claims changed after signing": [tampered()],
    "no signature": [token().rpartition(".")[0] + "."],
    "Basic": ["Basic"],
    **{f"without {claim}": [token(drop=claim)] for claim in ("iss", "aud", "exp", "iat", "jti")},
}


@pytest.mark.parametrize("tokens", WRONG.values(), ids=WRONG.keys())
def test_wrong_tokens_get_the_same_bare_401(serve: Any, tokens: list[str]) -> None:
    client = serve(tenant())
    if tokens == ["Basic"]:
        answer = client.post(PATH, json=BODY, headers={"Authorization": f"Basic {token()}"})
    else:
        answer = call(client, *[token() if t == "valid" else t for t in tokens])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"  # no reason here either
    assert answer.json() == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "login", "diagnostics": "not authorized"}],
    }


@pytest.mark.parametrize(
    ("changes", "claims", "status"),
    [
        ({"tenant": "t1"}, {"tenant": "t1"}, 200),
        ({"tenant": "t1"}, {"tenant": "t2"}, 401),
        ({"tenant": "t1"}, {}, 401),
        ({"clientId": "c1"}, {"sub": "c1"}, 200),
        ({"clientId": "c1"}, {"sub": "c2"}, 401),
    ],
)
def test_tenant_and_client_claims(serve: Any, changes: Any, claims: Any, status: int) -> None:
    assert call(serve(tenant(**changes)), token(**claims)).status_code == status


def test_token_is_used_once_and_a_retry_gets_the_stored_answer(serve: Any) -> None:
    client, one = serve(tenant()), token()
    first = call(client, one)
    assert call(client, one).content == first.content  # a gateway's retry of the same request
    other = {**BODY, "hookInstance": str(uuid.uuid4())}
    assert call(client, one, body=other).status_code == 401


@pytest.mark.parametrize("drift", [{"iat": 50}, {"exp": -50, "iat": -300}, {"nbf": 50}], ids=str)
def test_clocks_may_differ_by_a_minute(serve: Any, drift: dict[str, int]) -> None:
    now = int(time.time())
    assert call(serve(tenant()), token(**{name: now + seconds for name, seconds in drift.items()})).status_code == 200


def test_the_fhir_access_token_does_not_open_our_door(serve: Any) -> None:
    """The two are easily confused: what is meant for a FHIR server is not ours, and ours is sent to no server."""
    client, bearer = serve(tenant()), token()
    granted = {"token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "s"}
    body = BODY | {"fhirServer": "https://fhir.example.org/r4", "fhirAuthorization": granted | {"access_token": bearer}}
    assert call(client, bearer, body=body).status_code == 401
    silent, again = body | {"prefetch": dict.fromkeys(PREFETCH)}, token()  # nothing is left to read
    assert call(client, token(), body=silent).status_code == 200
    silent["fhirAuthorization"] = granted | {"access_token": again}
    assert call(client, again, body=silent).status_code == 401
    fhir = token(aud="https://fhir.example.org/r4")
    assert call(client, fhir, body=BODY).status_code == 401


@pytest.mark.parametrize("prefetch", [{"patient": None}, dict.fromkeys(PREFETCH)], ids=["read whole", "fast path"])
@pytest.mark.parametrize("path", [PATH, "/assessments"])
def test_a_call_with_a_token_says_for_whom_it_asks(serve: Any, path: str, prefetch: dict[str, None]) -> None:
    """Else nobody would know whether a patient reads the card, who saw it before, and whom the trail shall name."""
    client = serve(tenant())
    for user in ({}, {"userId": None}):
        body = BODY | {"context": {"patientId": "p1"} | user, "prefetch": prefetch}
        answer = call(client, token(aud=BASE + path), body=body, path=path)
        assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, ["context.userId"])


def test_what_an_unknown_caller_sends_is_never_read(serve: Any) -> None:
    """No byte of the body is asked for before the answer has gone: an endless one would hold a place. What comes after
    it is let run dry, for seconds at most and without a place (test_overload.py)."""
    client, sent = serve(tenant()), []

    def endless() -> Iterator[bytes]:
        for _ in range(3):
            sent.append(b"x")
            yield b" " * 1024

    app = client.app
    asked: list[str] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def noted() -> Any:
            asked.append("receive")
            return await receive()

        async def told(message: Any) -> None:
            asked.append(message["type"])
            await send(message)

        await app(scope, noted, told)

    stranger = TestClient(watched, base_url=BASE)
    assert stranger.post(PATH, content=endless(), headers={"Content-Type": "application/json"}).status_code == 401
    assert asked[:2] == ["http.response.start", "http.response.body"]


def test_tenants_of_one_issuer_are_told_apart(serve: Any) -> None:
    """The vendor's issuer stands for many hospitals: the claim `tenant` decides, and where it can't, none is served."""
    client = serve(tenant(id="a", tenant="t-a"), tenant(id="b", tenant="t-b"))
    for name in ("a", "b"):
        bearer = token(tenant=f"t-{name}")
        assert call(client, bearer).status_code == 200
        assert f'status="200",tenant="{name}"' in client.get("/metrics").text
    assert call(client, token()).status_code == 401
    unclear = serve(tenant(id="a"), tenant(id="b", tenant="t-b"))
    assert [p.split(":")[1].strip() for p in unclear.app.state.cds.tenants.problems] == ["issuer", "issuer"]
    assert call(unclear, token(tenant="t-b")).status_code == 401


def test_every_post_needs_a_token(serve: Any) -> None:
    client = serve(tenant())
    for path in (PATH, f"{PATH}/feedback", "/assessments", "/questions", "/fhir/Questionnaire/$next-question"):
        assert client.post(path, json=BODY).status_code == 401
    assert client.get("/cds-services").status_code == 200
    assert client.get("/docs").status_code == 404


def test_bad_tenant_is_disabled_and_the_others_run(serve: Any) -> None:
    client = serve(tenant(id="bad", algorithms=["HS256"], issuer="https://bad.example.org"), tenant())
    assert call(client, token()).status_code == 200
    assert call(client, token(iss="https://bad.example.org")).status_code == 401
    assert client.app.state.cds.tenants.problems[0].startswith("tenants[0] (bad): algorithms:")  # type: ignore[attr-defined]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512"])
def test_a_symmetric_algorithm_disables_its_tenant(serve: Any, algorithm: str) -> None:
    client = serve(tenant(algorithms=["ES384", algorithm]))
    assert [p.split(":")[1].strip() for p in client.app.state.cds.tenants.problems] == ["algorithms"]
    assert call(client, token()).status_code == 401


def test_switched_off_and_silent_tenants_show_nothing(serve: Any) -> None:
    for mode in ("off", "silent"):
        assert call(serve(tenant(mode=mode)), token()).json() == {"cards": []}
