"""Who calls: the JWT of a CDS client, checked against its tenant. On failure a bare 401 that says nothing."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from joserfc.errors import JoseError
from msgspec import Struct

from cds_service.errors import Overloaded, Unauthorized
from cds_service.keys import KeyStore
from cds_service.signature import Signatures, decoded
from cds_service.tenants import NOBODY, Tenant, Tenants

_MAX_TOKEN = 8192
_LEEWAY = 60
_MAX_LIFETIME = 3600
_REPEAT_SECONDS = 30
OUTAGE_SECONDS = 60
"""how old a token may be while the store does not answer; this process still takes each only once."""
_HELD_SECONDS = OUTAGE_SECONDS + _LEEWAY
"""since its first use: from then on only the store could let a token in again, and it knows it"""
_GENERATIONS = 1 + -(-(_HELD_SECONDS - _REPEAT_SECONDS) // _REPEAT_SECONDS)
_MAX_SEEN = 50_000
_MAX_KEPT = 4 * 1024 * 1024
"""bytes of answers that are kept for retries; the oldest go for a new one, and their retries are answered anew"""


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
        return self.expires + _LEEWAY

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
    if ends < now - _LEEWAY:
        raise ValueError("exp")
    if issued > now + _LEEWAY or ends - issued > _MAX_LIFETIME:
        raise ValueError("iat")
    if claims.get("nbf") is not None and _seconds(claims["nbf"]) > now + _LEEWAY:
        raise ValueError("nbf")


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
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


class Answer(Struct, frozen=True):
    """What a call was answered, to be given again to its retry."""

    body: bytes
    media_type: str


class _Seen(Struct):
    request_hash: str
    until: float
    first: float
    answer: asyncio.Future[Answer | None] | None
    """None once it can't be given again."""


class SeenTokens:
    """Each token for one request. The same request delivered again within seconds (a gateway's retry) gets the stored
    answer, waits for it where the first delivery is still under way, and is tried anew where that one failed.

    Held in this process, in front of the shared store: it keeps the answers, and stands in while the store is away.
    What the store took is held as long as an outage would let it in again, what it did not take until it ends."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._only_here: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._spent = Spent()
        self._answers: OrderedDict[int, tuple[_Seen, int]] = OrderedDict()
        self._kept = 0

    def __len__(self) -> int:
        return len(self._seen) + len(self._only_here) + len(self._spent)

    async def claim(self, caller: Caller, request_hash: str) -> Answer | None:
        """None for a request to be answered; the stored answer for a retry; Unauthorized for any other reuse."""
        now = time.time()
        self._spent.tidy(now)
        for key, ended in _ended(self._seen, now):
            if now - ended.first <= _HELD_SECONDS:
                self._spent.add(key)
        _ended(self._only_here, now)
        known = self._known(caller)
        if known is None:
            if _key(caller) in self._spent:
                raise Unauthorized("not authorized")
            self._seen[_key(caller)] = _Seen(request_hash, now + _REPEAT_SECONDS, now, _future())
            return None
        while True:
            if request_hash != known.request_hash or now - known.first > _REPEAT_SECONDS or known.answer is None:
                raise Unauthorized("not authorized")
            if known.answer.done():
                answer = known.answer.result()
                if answer is None:
                    known.answer = _future()
                return answer
            try:
                await asyncio.wait_for(asyncio.shield(known.answer), _REPEAT_SECONDS)
            except TimeoutError:
                raise Overloaded("the same request is still being answered") from None

    def not_stored(self, caller: Caller) -> None:
        """The store did not take the token: nobody but this process knows that it was used."""
        known = self._seen.pop(_key(caller), None)
        if known is not None:
            known.until = caller.ends
            self._only_here[_key(caller)] = known

    def answered(self, caller: Caller, answer: Answer | None) -> None:
        """Keeps the first answer for a retry, for seconds only; None: there is none, a retry is tried anew."""
        known = self._known(caller)
        if known is not None and known.answer is not None and not known.answer.done():
            if answer is not None and len(answer.body) > _MAX_KEPT:
                answer = None
            known.answer.set_result(answer)
            if answer is not None:
                while self._kept + len(answer.body) > _MAX_KEPT:
                    oldest, size = next(iter(self._answers.values()))
                    self._drop(oldest, size)
                    oldest.answer = _future()
                    oldest.answer.set_result(None)
                self._kept += len(answer.body)
                self._answers[id(known)] = known, len(answer.body)
                asyncio.get_running_loop().call_later(_REPEAT_SECONDS, self._drop, known, len(answer.body))

    def _drop(self, seen: _Seen, size: int) -> None:
        if self._answers.pop(id(seen), None) is not None:
            seen.answer = None
            self._kept -= size

    def _known(self, caller: Caller) -> _Seen | None:
        key = _key(caller)
        return self._seen.get(key) or self._only_here.get(key)


def _key(caller: Caller) -> tuple[str, str]:
    return caller.tenant.id, caller.jti


class Spent:
    """Tokens that can't be repeated any more, as digests: they are held until only the store could let them in."""

    def __init__(self) -> None:
        self._sets: deque[set[bytes]] = deque([set()], _GENERATIONS)
        self._begun = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._sets))

    def __contains__(self, key: tuple[str, str]) -> bool:
        digest = _digest(key)
        for spent in self._sets:  # noqa: SIM110 - a generator costs more than the looks do
            if digest in spent:
                return True
        return False

    def add(self, key: tuple[str, str]) -> None:
        self._sets[0].add(_digest(key))

    def tidy(self, now: float) -> None:
        """Begins a new set when the newest is old or full; the oldest goes."""
        old = min(int((now - self._begun) // _REPEAT_SECONDS), _GENERATIONS)
        for _ in range(old or len(self._sets[0]) >= _MAX_SEEN):
            self._sets.appendleft(set())
            self._begun = now


def _digest(key: tuple[str, str]) -> bytes:
    return hashlib.blake2b("\0".join(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _ended(table: OrderedDict[tuple[str, str], _Seen], now: float) -> list[tuple[tuple[str, str], _Seen]]:
    """Takes out, and gives, what need not be held here any more, and the oldest when there are too many."""
    out = []
    while table:
        oldest = next(iter(table.values()))
        if oldest.until >= now and len(table) <= _MAX_SEEN:
            break
        out.append(table.popitem(last=False))
    return out


def _future() -> asyncio.Future[Answer | None]:
    return asyncio.get_running_loop().create_future()
