"""Who calls: the JWT of a CDS client, checked against its tenant. On failure a bare 401 that says nothing."""

from __future__ import annotations

import binascii
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError

from cds_service.errors import Unauthorized
from cds_service.keys import KeyStore
from cds_service.seen_tokens import LEEWAY, SeenTokens
from cds_service.signature import Signatures, decoded
from cds_service.tenants import NOBODY, Tenant, Tenants

_MAX_TOKEN = 8192
_MAX_LIFETIME = 3600
_NEVER = 1e11
"""seconds since 1970, in the year 5138: neither infinity nor NaN is below it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller. `jti` and the hash of the request make a repeated delivery of the same request recognisable;
    of the token itself only a hash is kept."""

    tenant: Tenant
    jti: str
    expires: float
    issued: float = 0.0
    token_hash: bytes = b""

    @property
    def ends(self) -> float:
        """Until when the token is taken."""
        return self.expires + LEEWAY

    def sent(self, token: str) -> bool:
        """Whether this very text was the bearer token of the call."""
        return _hash(token) == self.token_hash


class Authenticator:
    """Verifies tokens: one Authorization header, asymmetric algorithm of the tenant, key by kid, aud, times, jti."""

    def __init__(self, tenants: Tenants, keys: KeyStore | None = None) -> None:
        self.tenants, self.keys, self.seen = tenants, keys or KeyStore(), SeenTokens()
        self._signatures = Signatures()

    async def authenticate(self, headers: list[str], path: str) -> Caller:
        """`headers` are all Authorization headers of the request. Raises Unauthorized, always the same."""
        try:
            return await self._check(headers, path)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
            raise Unauthorized("not authorized") from None

    def claimed(self, headers: list[str]) -> str:
        """The tenant whose issuer a token names, not verified: it may only decide in whose queue the call waits."""
        try:
            claims = decoded(_bearer(headers).split(".")[1])
            return next((tenant.id for tenant in self.tenants.with_issuer(str(claims["iss"]))), NOBODY)
        except (ValueError, KeyError, TypeError, RecursionError):
            return NOBODY

    async def _check(self, headers: list[str], path: str) -> Caller:
        token = _bearer(headers)
        header, claims = self._peek(token)
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
            try:
                self._signatures.check(token, algorithm, key)
            except JoseError:
                continue
            jti = claims["jti"]
            if not isinstance(jti, str) or not jti:
                raise ValueError("jti")
            return Caller(tenant, jti, float(claims["exp"]), float(claims["iat"]), _hash(token))
        raise ValueError("no tenant")

    def _peek(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Header and claims, not yet verified: only to find the tenant and the key."""
        header, claims, _ = token.split(".")
        return self._signatures.header(header), decoded(claims)


def _hash(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def _bearer(headers: list[str]) -> str:
    if len(headers) != 1 or len(headers[0]) > _MAX_TOKEN:
        raise ValueError("header")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer" or token.count(".") != 2:
        raise ValueError("scheme")
    return token


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    ends, issued = _seconds(claims["exp"]), _seconds(claims["iat"])
    if ends < now - LEEWAY:
        raise ValueError("exp")
    if issued > now + LEEWAY or ends - issued > _MAX_LIFETIME:
        raise ValueError("iat")
    if claims.get("nbf") is not None and _seconds(claims["nbf"]) > now + LEEWAY:
        raise ValueError("nbf")


def _seconds(value: object) -> float:
    """A time of a claim; an integer beyond any date is none (it would not even fit a float)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _NEVER:
        raise ValueError("times")
    return value


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
