"""Who calls: the JWT of a CDS client, checked against its tenant. On failure a bare 401 that says nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from cds_service.errors import Unauthorized
from cds_service.keys import KeyStore
from cds_service.tenants import Tenant, Tenants

_MAX_TOKEN = 8192
_LEEWAY = 60
_MAX_LIFETIME = 3600
_REPEAT_SECONDS = 30
_MAX_SEEN = 200_000


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified call. `jti` and `body_hash` make a repeated delivery of the same request recognisable."""

    tenant: Tenant
    jti: str
    body_hash: str
    expires: float
    issued: float = 0.0


class Authenticator:
    """Verifies tokens: one Authorization header, asymmetric algorithm of the tenant, key by kid, aud, times, jti."""

    def __init__(self, tenants: Tenants, keys: KeyStore | None = None) -> None:
        self.tenants, self.keys, self.seen = tenants, keys or KeyStore(), SeenTokens()

    async def authenticate(self, headers: list[str], path: str, body: bytes) -> Caller:
        """`headers` are all Authorization headers of the request. Raises Unauthorized, always the same."""
        try:
            return await self._check(headers, path, body)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
            raise Unauthorized("not authorized") from None

    async def _check(self, headers: list[str], path: str, body: bytes) -> Caller:
        token = _bearer(headers)
        header, claims = _peek(token)
        algorithm, kid = header["alg"], header["kid"]
        if header.get("typ", "JWT").upper() != "JWT" or not isinstance(kid, str) or "crit" in header:
            raise ValueError("header")
        now = time.time()
        _check_times(claims, now)
        for tenant in self.tenants.with_issuer(str(claims["iss"])):
            if algorithm not in tenant.algorithms or not _fits(tenant, header, claims, path):
                continue
            key = await self.keys.find(tenant, kid, algorithm)
            if key is None:
                continue
            jwt.decode(token, key, algorithms=[algorithm])
            jti = claims["jti"]
            if not isinstance(jti, str) or not jti:
                raise ValueError("jti")
            digest = hashlib.sha256(path.encode() + b"\0" + body).hexdigest()
            return Caller(tenant, jti, digest, float(claims["exp"]), float(claims["iat"]))
        raise ValueError("no tenant")


def _bearer(headers: list[str]) -> str:
    if len(headers) != 1 or len(headers[0]) > _MAX_TOKEN:
        raise ValueError("header")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer" or token.count(".") != 2:
        raise ValueError("scheme")
    return token


def _peek(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, not yet verified: only to find the tenant and the key."""
    parts = []
    for part in token.split(".")[:2]:
        decoded = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
        if not isinstance(decoded, dict):
            raise ValueError("part")
        parts.append(decoded)
    return parts[0], parts[1]


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times = {name: claims[name] for name in ("exp", "iat")}
    if any(isinstance(t, bool) or not isinstance(t, int | float) or not isfinite(t) for t in times.values()):
        raise ValueError("times")
    if times["exp"] < now - _LEEWAY or times["iat"] > now + _LEEWAY or times["exp"] - times["iat"] > _MAX_LIFETIME:
        raise ValueError("times")
    before = claims.get("nbf")
    if before is not None and (not isinstance(before, int | float) or before > now + _LEEWAY):
        raise ValueError("nbf")


def _fits(tenant: Tenant, header: Mapping[str, Any], claims: Mapping[str, Any], path: str) -> bool:
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    accepted = {f"{tenant.audience}{path}"}
    if path.endswith("/feedback"):
        accepted.add(f"{tenant.audience}{path.removesuffix('/feedback')}")
    if not accepted & {a for a in audiences if isinstance(a, str)}:
        return False
    if tenant.jku is not None and header.get("jku", tenant.jku) != tenant.jku:
        return False
    if tenant.tenant is not None and claims.get("tenant") != tenant.tenant:
        return False
    return tenant.client_id is None or claims.get("sub") == tenant.client_id


class SeenTokens:
    """Each token once. The same request delivered again within seconds (a gateway's retry) gets the stored answer.

    Held in this process: with several workers or replicas a token could be used once in each (said in the docs)."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], tuple[str, float, float, bytes | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def claim(self, caller: Caller) -> bytes | None:
        """None for a token seen the first time; the stored answer for a retry; Unauthorized for any other reuse."""
        now = time.time()
        while self._seen:
            oldest = next(iter(self._seen.values()))
            if oldest[1] + _LEEWAY >= now and len(self._seen) <= _MAX_SEEN:
                break
            self._seen.popitem(last=False)
        key = (caller.tenant.id, caller.jti)
        known = self._seen.get(key)
        if known is None:
            self._seen[key] = (caller.body_hash, caller.expires, now, None)
            return None
        body_hash, _, first, stored = known
        if body_hash == caller.body_hash and now - first <= _REPEAT_SECONDS and stored is not None:
            return stored
        raise Unauthorized("not authorized")

    def forget(self, caller: Caller) -> None:
        """Lets the same request come again after it failed; the shared store still refuses any other."""
        self._seen.pop((caller.tenant.id, caller.jti), None)

    def store(self, caller: Caller, answer: bytes) -> None:
        """Keeps an answer for a retry, for seconds only."""
        key = (caller.tenant.id, caller.jti)
        known = self._seen.get(key)
        if known is not None:
            self._seen[key] = (known[0], known[1], known[2], answer)
        limit = time.time() - _REPEAT_SECONDS
        for other, (digest, expires, first, stored) in list(self._seen.items())[-500:]:
            if stored is not None and first < limit:
                self._seen[other] = (digest, expires, first, None)
