"""How the companion proves who it is, who is signed in, and how long a token lasts: against a server that checks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from cds_service.companion.identity import user_of
from cds_service.companion.smart import LaunchError
from cds_service.fhir.client import Deadline
from cds_service.fhir.outbound import Policy
from cds_service.sandbox.registration import PUBLIC, Registered
from cds_service.store import Store
from cds_service.tenants import CompanionClient
from tests.cds_service.companion.hospital import PSEUDONYMS, hospital, post
from tests.serving import listening

EC = ECKey.generate_key("P-384", {"kid": "ours"})
RSA = RSAKey.generate_key(2048, {"kid": "ours"})
KNOWN = {
    PUBLIC: Registered(),
    "with-secret": Registered(secret="p:ss w%rd"),
    "with-ec": Registered(jwks={"keys": [EC.as_dict(private=False)]}),
    "with-rsa": Registered(jwks={"keys": [RSA.as_dict(private=False)]}),
}


def registration(folder: Path, kind: str, *, wrong: bool = False) -> dict[str, Any]:
    file = folder / f"{kind}.txt"
    if kind == "with-secret":
        file.write_text("another" if wrong else "p:ss w%rd\n")
        return {"clientId": kind, "clientSecretFile": str(file)}
    if kind in ("with-ec", "with-rsa"):
        key = ECKey.generate_key("P-384", {"kid": "ours"}) if wrong else {"with-ec": EC, "with-rsa": RSA}[kind]
        file.write_text(json.dumps(key.as_dict(private=True)))
        return {"clientId": kind, "clientKeyFile": str(file)}
    return {"clientId": "nobody" if wrong else kind}


@pytest.mark.parametrize(
    "kind", [PUBLIC, *(pytest.param(k, marks=pytest.mark.long) for k in ("with-secret", "with-rsa")), "with-ec"]
)
def test_each_kind_of_client_launches_and_the_finding_names_who_made_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hospital(tmp_path, monkeypatch, KNOWN) as place:
        place.companion = registration(tmp_path, kind)
        client = place.app()
        path = place.opened(client)
        assert post(client, path, "answers", {"question": "q1", "answers": ["hard"]}).status_code == 200
        assert post(client, path, "save", {"consent": True}).status_code == 200
        saved = [o for o in place.observations() if o.get("performer")]
        assert [o["performer"] for o in saved] == [[{"reference": "Practitioner/sandbox-clinician"}]]
        assert saved[0]["status"] == "final"
        published = client.get("/companion/jwks.json").json()["keys"]
        assert [key.get("kid") for key in published] == (["ours"] if kind in ("with-ec", "with-rsa") else [])
        assert not any({"d", "p", "q"} & key.keys() for key in published), "public halves only"
    with closing(Store(f"sqlite:///{tmp_path}/cds.sqlite3", PSEUDONYMS)) as store:
        trail = [(row["action"], row["what"], row["actor"], row["detail"]) for row in store.audit_rows()]
        who = store.key("hospital", "user", "Practitioner/sandbox-clinician")
        assert trail == [("read", "companion", who, "launched"), ("save", "companion", who, "saved=1 refused=0")]


@pytest.mark.parametrize("kind", ["with-secret", "with-ec"])
def test_a_wrong_secret_or_key_opens_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hospital(tmp_path, monkeypatch, KNOWN) as place:
        place.companion = registration(tmp_path, kind, wrong=True)
        assert place.callback(place.app()).status_code == 502


def test_without_openid_it_works_and_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = "launch patient/Patient.rs patient/Condition.rs patient/Observation.rs patient/Observation.c"
    with hospital(tmp_path, monkeypatch) as place:
        client = place.app()
        path = place.opened(client, scope=scope)
        post(client, path, "answers", {"question": "q1", "answers": ["hard"]})
        assert post(client, path, "save", {"consent": True}).status_code == 200
        assert len(place.observations()) == 2
        assert not any(o.get("performer") for o in place.observations())


@pytest.mark.long
def test_a_token_that_ends_is_renewed_where_the_server_offers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hospital(tmp_path, monkeypatch, seconds=1.5) as place:
        client = place.app()
        path = place.opened(client)
        time.sleep(2)
        assert client.get(path).status_code == 200, "the session outlives the first token"
        post(client, path, "answers", {"question": "q1", "answers": ["hard"]})
        answer = post(client, path, "save", {"consent": True})
        assert "1 finding saved" in answer.json()["dialogue"], "with a fresh token"
        path = place.opened(client, scope="launch patient/Patient.rs patient/Condition.rs patient/Observation.rs")
        time.sleep(2)
        assert client.get(path).status_code == 410, "no refresh token, no session"


@pytest.mark.parametrize(
    "changes",
    [
        {"clientSecretFile": "missing"},
        {"clientKeyFile": "missing"},
        {"clientKeyFile": "public"},
        {"clientSecretFile": "x", "clientKeyFile": "y"},
    ],
)
def test_a_registration_that_cant_be_used_disables_its_tenant(
    changes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "public").write_text(json.dumps(EC.as_dict(private=False)))
    with hospital(tmp_path, monkeypatch) as place:
        place.companion = {"clientId": "a"} | {key: str(tmp_path / name) for key, name in changes.items()}
        client = place.app()
        problems = client.app.state.cds.tenants.problems  # type: ignore[attr-defined]
        assert len(problems) == 1 and "companion" in problems[0]


@pytest.fixture(scope="module")
def keys() -> Iterator[str]:
    """A server of public keys."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = json.dumps({"keys": [EC.as_dict(private=False)]}).encode()
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
            )
            await send({"type": "http.response.body", "body": body})

    with listening(app) as url:
        yield url


ISS = "https://ehr.example.org/fhir"


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": ISS,
        "aud": "app",
        "sub": "u",
        "iat": now,
        "exp": now + 60,
        "nonce": "n",
        "fhirUser": "Practitioner/p",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def user(keys: str, token: str) -> str | None:
    async def ask() -> str | None:
        async with httpx.AsyncClient() as http:
            policy = Policy(open_loopback=True)
            return await user_of(http, policy, ISS, f"{keys}/jwks", ISS, "app", "n", token, Deadline.after(5000))

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Practitioner/p"),
        ({"fhirUser": f"{ISS}/PractitionerRole/r"}, "PractitionerRole/r"),
        ({"fhirUser": "https://elsewhere.example.org/fhir/Practitioner/p"}, None),
        ({"fhirUser": "Practitioner/../Patient/p"}, None),
        ({"fhirUser": None}, None),
        ({"aud": ["app", "other"], "azp": "app"}, "Practitioner/p"),
    ],
)
def test_the_user_of_a_good_token(keys: str, changes: dict[str, Any], expected: str | None) -> None:
    assert (
        user(keys, jwt.encode({"alg": "ES384", "kid": "ours"}, claims(**changes), EC, algorithms=["ES384"])) == expected
    )


_STRANGER = ECKey.generate_key("P-384", {"kid": "ours"})


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"iss": "https://evil.example.org"}, EC),
        ({"aud": "other"}, EC),
        ({"aud": ["app", "other"]}, EC),
        ({"nonce": "m"}, EC),
        ({"nonce": None}, EC),
        ({"exp": 1}, EC),
        ({"exp": None}, EC),
        ({"sub": None}, EC),
        ({}, _STRANGER),
    ],
    ids=["issuer", "audience", "two audiences", "nonce", "no nonce", "expired", "no end", "no subject", "signature"],
)
def test_a_token_that_is_wrong_in_one_part_is_refused(keys: str, changes: dict[str, Any], key: ECKey) -> None:
    token = jwt.encode({"alg": "ES384", "kid": "ours"}, claims(**changes), key, algorithms=["ES384"])
    with pytest.raises(LaunchError):
        user(keys, token)


def test_an_unsigned_token_is_refused(keys: str) -> None:
    with pytest.raises(LaunchError):
        user(keys, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.")


def test_a_client_has_one_proof() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        CompanionClient(clientId="a", clientSecretFile=Path("x"), clientKeyFile=Path("y"))
