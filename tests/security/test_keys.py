"""Keys and tokens over time: rotation, outages, repeats, the shapes of the vendors' tokens (J-7, J-11, J-12, J-18)."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from cds_service import calls, keys, seen_tokens
from cds_service.app import create_app
from cds_service.auth import Caller
from cds_service.errors import Unauthorized
from cds_service.seen_tokens import Answer, SeenTokens
from cds_service.settings import Settings
from cds_service.store import Store, StoreError
from cds_service.tenants import Tenant
from tests.cds_clients import BASE, BRAIN, EC, PATH, RSA, tenant, token
from tests.cds_service.test_switches import app_of, fire


def test_without_the_store_only_fresh_tokens_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreError("away")

    client = app_of(tmp_path, tenant())
    for name in ("use_tokens", "shown_before", "record", "ping"):
        monkeypatch.setattr(Store, name, away)
    now = int(time.time())
    fresh = token()
    assert fire(client, fresh).status_code == 200
    assert fire(client, fresh, patient="p2").status_code == 401, "another request with the same token"
    old = token(iat=now - calls._OUTAGE_SECONDS - 5)
    refused = fire(client, old)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_epic_and_oracle_shaped_tokens(tmp_path: Path) -> None:
    """Epic: RS384, jku, sub, nbf minutes before iat, lifetime 900 s. Oracle Health: a fixed issuer of the vendor."""
    now = int(time.time())
    jku = "https://epic.example.org/api/epic/2023/Security/Open/PublicKeys/530005/OIDC"
    epic = tenant(algorithms=["RS384"], clientId="client-1", issuer="https://epic.example.org/oauth2")
    oracle = tenant(id="oracle", issuer="https://cds-hooks.cerner.com", algorithms=["RS384", "ES384"])
    client = app_of(tmp_path, epic, oracle)
    shaped = token(
        RSA, "RS384", {"jku": jku}, iss=epic["issuer"], sub="client-1", nbf=now - 300, iat=now, exp=now + 900
    )
    assert fire(client, shaped).status_code == 200, "a jku beside static keys is not followed"
    assert fire(client, token(iss="https://cds-hooks.cerner.com", sub="system")).status_code == 200


class _Jwks:
    """Stands for the hospital's key server: counts, waits, fails, rotates."""

    def __init__(self) -> None:
        self.keys, self.fetched, self.broken = [EC], 0, False

    async def fetch(self, _: Any) -> dict[str, Any] | None:
        self.fetched += 1
        await asyncio.sleep(0.01)
        if self.broken:
            return None
        return keys._by_kid({"keys": [key.as_dict(private=False) for key in self.keys]})


def test_rotation_cool_down_and_keys_that_can_not_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    served, clock = _Jwks(), [1000.0]
    monkeypatch.setattr(keys, "_fetch", served.fetch)
    monkeypatch.setattr(keys, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    hospital = Tenant.model_validate(tenant(jwks=None, jku="https://ehr.example.org/jwks"))

    async def go() -> None:
        store = keys.KeyStore()
        together = await asyncio.gather(*(store.find(hospital, "ec-1", "ES384") for _ in range(5)))
        assert all(together), "callers that come together wait for the one look"
        assert served.fetched == 1
        assert await store.find(hospital, "ec-1", "RS384") is None, "the type of the key decides"
        served.keys = [EC, RSA]
        clock[0] += 61
        for _ in range(20):
            await store.find(hospital, "nobody", "ES384")
        assert served.fetched == 2, "unknown kids make one look a minute"
        assert await store.find(hospital, "rsa-1", "RS384")
        served.broken = True
        clock[0] += 3600
        assert await store.find(hospital, "ec-1", "ES384"), "known keys outlast an outage"
        clock[0] += 100_000
        assert await store.find(hospital, "ec-1", "ES384") is None, "but not for ever"

    asyncio.run(go())


def test_a_key_rotated_right_after_a_look_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    served, clock = _Jwks(), [1000.0]
    monkeypatch.setattr(keys, "_fetch", served.fetch)
    monkeypatch.setattr(keys, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    hospital = Tenant.model_validate(tenant(jwks=None, jku="https://ehr.example.org/jwks"))

    async def go() -> None:
        store = keys.KeyStore()
        assert await store.find(hospital, "ec-1", "ES384")
        served.keys = [EC, RSA]
        clock[0] += 1
        assert await store.find(hospital, "rsa-1", "RS384"), "J-12: an unknown kid has one look"
        for _ in range(20):
            clock[0] += 1
            assert await store.find(hospital, "nobody", "RS384") is None
        assert served.fetched == 2, "and the next one waits a minute"

    asyncio.run(go())


def test_the_type_of_a_key_fits_the_algorithm() -> None:
    async def go() -> None:
        store, hospital = keys.KeyStore(), Tenant.model_validate(tenant())
        found = {
            (kid, algorithm): await store.find(hospital, kid, algorithm) is not None
            for kid in ("ec-1", "rsa-1")
            for algorithm in ("ES384", "RS384", "PS256")
        }
        assert [pair for pair, fits in found.items() if fits] == [
            ("ec-1", "ES384"),
            ("rsa-1", "RS384"),
            ("rsa-1", "PS256"),
        ]

    asyncio.run(go())


def test_a_key_taken_out_of_the_file_is_gone_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        store = keys.KeyStore()
        assert await store.find(Tenant.model_validate(tenant()), "ec-1", "ES384")
        less = tenant(jwks={"keys": [RSA.as_dict(private=False)]})
        assert await store.find(Tenant.model_validate(less), "ec-1", "ES384") is None

    asyncio.run(go())


def _caller(jti: str = "1") -> Caller:
    return Caller(Tenant.model_validate(tenant()), jti, time.time() + 300)


def test_a_retry_waits_for_the_first_answer_and_is_tried_anew_after_a_failure() -> None:
    async def go() -> None:
        seen, answer = SeenTokens(), Answer(b"{}", "application/json")
        assert await seen.claim(_caller(), "same") is None
        retry = asyncio.create_task(seen.claim(_caller(), "same"))
        await asyncio.sleep(0.01)
        assert not retry.done()
        with pytest.raises(Unauthorized):
            await seen.claim(_caller(), "another request")
        seen.answered(_caller(), answer)
        assert await retry == answer
        assert await seen.claim(_caller(), "same") == answer
        assert await seen.claim(_caller("2"), "same") is None
        retries = [asyncio.create_task(seen.claim(_caller("2"), "same")) for _ in range(2)]
        await asyncio.sleep(0)
        seen.answered(_caller("2"), None)
        done, waiting = await asyncio.wait(retries, timeout=0.1)
        assert [task.result() for task in done] == [None]
        seen.answered(_caller("2"), answer)
        assert [await task for task in waiting] == [answer]

    asyncio.run(go())


def test_an_answer_is_kept_for_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_tokens, "_REPEAT_SECONDS", 0.05)

    async def go() -> None:
        seen = SeenTokens()
        await seen.claim(_caller(), "same")
        seen.answered(_caller(), Answer(b"chart", "application/json"))
        assert await seen.claim(_caller(), "same")
        await asyncio.sleep(0.1)
        assert [entry.answer for entry in seen._seen.values()] == [seen_tokens._Without.ANY_MORE]
        with pytest.raises(Unauthorized):
            await seen.claim(_caller(), "same")

    asyncio.run(go())


def test_tokens_are_held_no_longer_than_they_could_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store took: two minutes. What it did not take: until the token ends."""
    begun = time.time()
    clock = [begun]
    now = SimpleNamespace(time=lambda: clock[0], monotonic=lambda: clock[0] + 7)
    monkeypatch.setattr(seen_tokens, "time", now)

    def caller(jti: str) -> Caller:
        return Caller(Tenant.model_validate(tenant()), jti, begun + 3600)

    async def go() -> None:
        seen = SeenTokens()
        for jti in ("stored", "away"):
            assert await seen.claim(caller(jti), "same") is None
        seen.not_stored(caller("away"))
        for second in range(1, seen_tokens.OUTAGE_SECONDS + 60):
            clock[0] = begun + second
            await seen.claim(caller(f"other {second}"), "same")
            if second > seen_tokens._REPEAT_SECONDS:
                with pytest.raises(Unauthorized):
                    await seen.claim(caller("stored"), "same")
        assert len(seen._seen) <= seen_tokens._REPEAT_SECONDS + 2, "the others are digests"
        clock[0] = begun + 300
        assert await seen.claim(caller("new"), "same") is None
        clock[0] += seen_tokens._REPEAT_SECONDS + 1
        assert await seen.claim(caller("newest"), "same") is None
        assert len(seen) == 3, "not stored, new, newest"
        assert await seen.claim(caller("stored"), "same") is None, "here it is forgotten, the store knows it"
        clock[0] = begun + 3659
        with pytest.raises(Unauthorized):
            await seen.claim(caller("away"), "same")
        clock[0] += 2
        assert await seen.claim(caller("away"), "same") is None, "never reached: nobody takes it any more"

    asyncio.run(go())


def test_a_token_used_while_the_store_was_away_is_spent_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreError("away")

    client, fresh = app_of(tmp_path, tenant()), token()
    with monkeypatch.context() as outage:
        outage.setattr(Store, "use_tokens", away)
        assert fire(client, fresh).status_code == 200
    monkeypatch.setattr(seen_tokens, "_REPEAT_SECONDS", -1.0)
    monkeypatch.setattr(seen_tokens.SpentTokens, "__contains__", lambda *_: False)
    assert fire(client, token()).status_code == 200
    assert fire(client, fresh, patient="p2").status_code == 401


def test_the_store_knows_a_token_as_long_as_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute beyond its end, as clocks may differ; a cleaning in that minute must not make it new."""
    monkeypatch.setattr(seen_tokens, "_REPEAT_SECONDS", -1.0)
    monkeypatch.setattr(seen_tokens.SpentTokens, "__contains__", lambda *_: False)
    client, now = app_of(tmp_path, tenant()), int(time.time())
    used = token(iat=now - 100, exp=now - 5)
    assert fire(client, used).status_code == 200
    client.app.state.cds.async_store.store.expire(now * 1000 + 1000, {}, 90)  # type: ignore[attr-defined]
    assert fire(client, used, patient="p2").status_code == 401


def test_answers_that_are_kept_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes for a new one, and its retry is answered anew."""
    monkeypatch.setattr(seen_tokens, "_MAX_KEPT", 10)
    monkeypatch.setattr(seen_tokens, "_REPEAT_SECONDS", 0.1)

    async def go() -> None:
        seen, answer = SeenTokens(), Answer(b"123456", "application/json")
        for jti in "12":
            assert await seen.claim(_caller(jti), "same") is None
            seen.answered(_caller(jti), answer)
        assert await seen.claim(_caller("2"), "same") == answer
        assert await seen.claim(_caller("1"), "same") is None, "to be answered anew"
        assert seen._kept == 6
        await asyncio.sleep(0.15)
        assert not seen._kept
        assert await seen.claim(_caller("3"), "same") is None
        seen.answered(_caller("3"), answer)
        assert await seen.claim(_caller("3"), "same") == answer

    asyncio.run(go())


@pytest.mark.parametrize(
    ("held", "usable"),
    [
        ([EC], {"ec-1"}),
        ([EC, EC], set()),
        ([EC, RSA], {"ec-1", "rsa-1"}),
        ([{"kty": "oct", "kid": "s", "k": "AAAA"}, EC], {"ec-1"}),
        ([ECKey.generate_key("P-384")], set()),
        ([{"kty": "EC", "crv": "P-384", "kid": 5}], set()),
        ([EC.as_dict(private=True)], {"ec-1"}),
    ],
    ids=[
        "one",
        "a kid that stands twice",
        "two",
        "a symmetric key",
        "no kid",
        "a kid that is a number",
        "a private key",
    ],
)
def test_which_keys_of_a_set_count(held: list[Any], usable: set[str]) -> None:
    found = keys._by_kid({"keys": [k if isinstance(k, dict) else k.as_dict(private=False) for k in held]})
    assert set(found) == usable
    assert not any(key.is_private for key in found.values())


def test_a_token_is_spent_for_every_worker(tmp_path: Path) -> None:
    """Two applications on one database stand for two workers."""
    url = f"sqlite:///{tmp_path}/cds.sqlite3"
    file = tmp_path / "tenants.json"
    file.write_text(json.dumps({"tenants": [tenant()]}))
    settings = Settings(profile="production", tenants_file=file, public_url=BASE)
    spent = {"Authorization": f"Bearer {token()}"}
    body = {"hook": "patient-view", "hookInstance": "1", "context": {"userId": "Practitioner/1", "patientId": "p"}}
    with (
        TestClient(create_app(settings, brain=BRAIN, store=Store(url)), base_url=BASE) as one,
        TestClient(create_app(settings, brain=BRAIN, store=Store(url)), base_url=BASE) as two,
    ):
        assert one.post(PATH, json=body, headers=spent).status_code == 412
        assert one.post(PATH, json=body, headers=spent).status_code == 412, "it may be tried again as it was"
        assert one.post(PATH, json=body | {"hookInstance": "2"}, headers=spent).status_code == 401
        assert two.post(PATH, json=body, headers=spent).status_code == 412, "the same request again: a gateway's retry"
        assert two.post(PATH, json=body | {"hookInstance": "2"}, headers=spent).status_code == 401
    with TestClient(create_app(settings, brain=BRAIN, store=Store(url)), base_url=BASE) as three:
        assert three.post(PATH, json=body | {"hookInstance": "3"}, headers=spent).status_code == 401
