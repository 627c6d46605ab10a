"""SMART Backend Services: a token for a signed assertion of who we are, and a new one before it runs out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cds_service.assertion import assertion
from cds_service.bulk.model import BulkError
from cds_service.fhir.client import Deadline, get_bytes
from cds_service.fhir.outbound import Policy, Refused

_EARLY_SECONDS = 30
_TIMEOUT_MS = 20_000
_MAX_BYTES = 64 * 1024


class _Granted(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float = 300.0


@dataclass(frozen=True, slots=True)
class Key:
    """The private key and how it signs."""

    key: RSAKey | ECKey = field(repr=False)
    algorithm: str
    kid: str


def read_key(path: Path) -> Key:
    """The first private key of a JWK or JWK Set that signs ES384 or RS384. BulkError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BulkError(f"--key-file: {error.strerror or 'unreadable'}", "keyFile") from None
    except ValueError:
        raise BulkError("--key-file: not JSON", "keyFile") from None
    entries = document.get("keys", [document]) if isinstance(document, dict) else []
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and "d" in entry:
            try:
                if entry.get("kty") == "RSA":
                    return Key(RSAKey.import_key(entry), "RS384", entry["kid"])
                if entry.get("kty") == "EC" and entry.get("crv") == "P-384":
                    return Key(ECKey.import_key(entry), "ES384", entry["kid"])
            except (JoseError, ValueError, KeyError, TypeError):
                raise BulkError("--key-file: holds a key that is none", "keyFile") from None
    raise BulkError("--key-file: no private key with a kid (RSA, or EC with P-384)", "keyFile")


@dataclass(slots=True)
class BackendTokens:
    """Tokens of one client, one at a time, found by the server's own discovery document."""

    http: httpx.AsyncClient
    policy: Policy
    base: str
    client_id: str
    key: Key
    scope: str
    clock: Callable[[], float] = time.time
    _endpoint: str | None = None
    _token: str | None = field(default=None, repr=False)
    _until: float = 0.0
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def token(self) -> str:
        """BulkError when there is none to be had."""
        # a server may take back the token before when it gives the next: downloads side by side ask for one together
        async with self._renewing:
            if self._token is None or self.clock() >= self._until:
                await self._renew()
        assert self._token is not None  # noqa: S101 - _renew sets it or raises
        return self._token

    def used_up(self, token: str) -> None:
        if token == self._token:
            self._token = None

    async def _renew(self) -> None:
        if self._endpoint is None:
            self._endpoint = await self._discover()
        proof = assertion(self.client_id, self._endpoint, self.key.key, self.key.algorithm, int(self.clock()))
        form = {"grant_type": "client_credentials", "scope": self.scope, **proof}
        status, body = await self._post(self._endpoint, urlencode(form))
        if status != 200:
            raise BulkError(f"token: the authorization server refused ({status or 'no answer'}{_why(body)})")
        try:
            granted = msgspec.json.decode(body, type=_Granted)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BulkError("token: the authorization server answered something else than a token") from None
        if granted.token_type.lower() != "bearer" or not granted.access_token:
            raise BulkError("token: the authorization server answered something else than a bearer token")
        self._token = granted.access_token
        # of a short-lived one at least half its life is used
        self._until = self.clock() + max(granted.expires_in - _EARLY_SECONDS, granted.expires_in / 2)

    async def _discover(self) -> str:
        url = f"{self.base}/.well-known/smart-configuration"
        status, body = await get_bytes(self.http, self.policy, url, Deadline.after(_TIMEOUT_MS), _MAX_BYTES)
        try:
            found: Any = json.loads(body) if status == 200 else None
        except ValueError:
            found = None
        endpoint = found.get("token_endpoint") if isinstance(found, dict) else None
        if not isinstance(endpoint, str):
            raise BulkError("token: the FHIR server names no token endpoint (.well-known/smart-configuration)")
        known = found.get("token_endpoint_auth_signing_alg_values_supported")
        if isinstance(known, list) and known and self.key.algorithm not in known:
            raise BulkError(f"token: the server does not take {self.key.algorithm} keys", "keyFile")
        try:
            self.policy.base_of(endpoint)
        except Refused as refused:
            raise BulkError(f"token: the token endpoint: {refused} (see --allow)", "allow") from None
        return endpoint

    async def _post(self, url: str, form: str) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = await self.http.post(url, content=form, headers=headers, timeout=_TIMEOUT_MS / 1000)
        except (Refused, httpx.HTTPError, OSError, ValueError):
            return 0, b""
        return answer.status_code, answer.content[:_MAX_BYTES]


class _Problem(msgspec.Struct):
    error: str = ""


_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope"}
)  # fmt: skip


def _why(body: bytes) -> str:
    """The error code of RFC 6749, when it is one."""
    try:
        code = msgspec.json.decode(body, type=_Problem).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return f", {code}" if code in _ERRORS else ""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that the user holds (CDS_TOKEN); there is no other when it is used up."""

    value: str = field(repr=False)

    async def token(self) -> str:
        return self.value

    def used_up(self, token: str) -> None:
        pass
