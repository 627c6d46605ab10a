"""Public keys of tenants: inline, from a file, or from the one `jku` a tenant may have; found by kid."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from msgspec import Struct, field

from cds_service.fhir.client import Deadline, get_bytes
from cds_service.fhir.outbound import Policy, open_client
from cds_service.tenants import Tenant

_LOG = logging.getLogger("cds_service")
_FRESH_SECONDS = 600.0
_COOL_DOWN_SECONDS = 60.0
_STALE_SECONDS = 86_400.0
"""keys that could not be fetched again are used no longer than this."""
_MAX_BYTES = 256 * 1024
_FETCH_MS = 2000
_TYPES = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey}


class _Cached(Struct):
    keys: dict[str, Any] = field(default_factory=dict)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    missed: float = float("-inf")
    """when a kid was last looked for that the keys at hand did not hold."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeyStore:
    """Keys by (tenant, kid). A kid is a look-up key and nothing else."""

    def __init__(self) -> None:
        self._cache: dict[str, tuple[str, _Cached]] = {}

    async def find(self, tenant: Tenant, kid: str, algorithm: str) -> RSAKey | ECKey | None:
        """The key of this kid if its type fits the algorithm; an unknown kid is looked up once a minute at most, and
        callers that come meanwhile wait for that one look. A tenant with another key source starts anew."""
        cached = self._cached(tenant)
        if self._due(cached, kid) or (kid not in cached.keys and cached.turn.locked()):
            async with cached.turn:
                if self._due(cached, kid):
                    cached.tried = time.monotonic()
                    if cached.keys and kid not in cached.keys:
                        cached.missed = cached.tried
                    found = await self._load(tenant)
                    if found is not None:
                        cached.keys, cached.fetched = found, cached.tried
        if time.monotonic() - cached.fetched > _STALE_SECONDS:
            cached.keys = {}
        key = cached.keys.get(kid)
        return key if isinstance(key, _TYPES[algorithm[:2]]) else None

    def _due(self, cached: _Cached, kid: str) -> bool:
        """An unknown kid has a time of its own: keys may be rotated right after they were looked at for another."""
        now = time.monotonic()
        if not cached.keys:
            return now - cached.tried > 1.0
        if kid not in cached.keys:
            return now - cached.missed > _COOL_DOWN_SECONDS
        return now - cached.fetched > _FRESH_SECONDS and now - cached.tried > _COOL_DOWN_SECONDS

    def _cached(self, tenant: Tenant) -> _Cached:
        """Keyed by the source too: keys taken out of the tenants file are gone with the next reading of it."""
        digest = tenant.key_source
        if tenant.jwks_file is not None:
            digest += f" {_stamp(tenant.jwks_file)}"
        known = self._cache.get(tenant.id)
        if known is None or known[0] != digest:
            known = self._cache[tenant.id] = (digest, _Cached())
        return known[1]

    async def _load(self, tenant: Tenant) -> dict[str, Any] | None:
        try:
            if tenant.jwks is not None:
                return _by_kid(tenant.jwks)
            if tenant.jwks_file is not None:
                return _by_kid(json.loads(tenant.jwks_file.read_text(encoding="utf-8")))
            return await _fetch(tenant)
        except (OSError, ValueError, JoseError):
            _LOG.error("keys of a tenant can't be read", extra={"tenant": tenant.id, "reason": "keys"})
            return None


async def fetch_keys(tenant: Tenant) -> dict[str, Any]:
    """The keys behind a tenant's jku, by kid; none when they can't be had or read."""
    try:
        return await _fetch(tenant) or {}
    except (OSError, ValueError, JoseError):
        return {}


def check_keys(tenant: Tenant) -> None:
    """Raises ValueError when keys that are at hand (inline, file) can't be used; fetched ones are not asked for."""
    name = "jwks" if tenant.jwks is not None else "jwksFile"
    document: Any = tenant.jwks
    try:
        if tenant.jwks_file is not None:
            document = json.loads(tenant.jwks_file.read_text(encoding="utf-8"))
        if document is not None and not _by_kid(document):
            raise ValueError("has no usable public key with a kid of its own")
    except OSError:
        raise ValueError(f"{name}: can't be read") from None
    except JoseError:
        raise ValueError(f"{name}: holds a key that is none") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


async def _fetch(tenant: Tenant) -> dict[str, Any] | None:
    assert tenant.jku is not None  # noqa: S101 - one of the three sources is set
    policy = Policy(bases=(tenant.jku,), allow_private=tenant.allow_private_addresses)
    context = ssl.create_default_context(cafile=str(tenant.ca_file)) if tenant.ca_file else None
    async with open_client(policy, context) as http:
        status, body = await get_bytes(http, policy, tenant.jku, Deadline.after(_FETCH_MS), _MAX_BYTES)
    return _by_kid(json.loads(body)) if status == 200 else None


def _by_kid(document: Any) -> dict[str, Any]:
    """Only keys with a kid of their own; a kid that stands twice is no key at all."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWK Set")
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for entry in entries:
        if (
            not isinstance(entry, dict)
            or entry.get("kty") not in ("RSA", "EC")
            or not isinstance(entry.get("kid"), str)
        ):
            continue
        public = {k: v for k, v in entry.items() if k not in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")}
        kid = entry["kid"]
        if kid in found:
            twice.add(kid)
        found[kid] = KeySet.import_key_set({"keys": [public]}).keys[0]
    return {kid: key for kid, key in found.items() if kid not in twice}
