"""Clients that the sandbox's authorization server knows, and how each proves at the token endpoint who it is."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cds_service.assertion import TYPE

PUBLIC = "calcinosis-companion"
ALGORITHMS = ("ES384", "RS384")
"""of client assertions, as SMART asks for them."""
_LONGEST_SECONDS = 300
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Registered:
    """A client: public, with a secret, or with its public keys (a JWK Set)."""

    secret: str | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Clients:
    """The registered clients by id."""

    known: Mapping[str, Registered] = field(default_factory=lambda: {PUBLIC: Registered()})
    _used: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def __contains__(self, client_id: object) -> bool:
        return client_id in self.known

    def authenticated(self, form: Mapping[str, str], authorization: str | None, endpoint: str) -> str | None:
        """The id of the client that proved itself in the one way that it is registered for; None otherwise."""
        if form.get("client_assertion_type") == TYPE:
            return self._by_assertion(form.get("client_assertion", ""), endpoint)
        if authorization is not None and authorization.startswith("Basic "):
            return self._by_secret(authorization.removeprefix("Basic "))
        client_id = form.get("client_id", "")
        found = self.known.get(client_id)
        return client_id if found is not None and found.secret is None and found.jwks is None else None

    def _by_secret(self, encoded: str) -> str | None:
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        client_id = unquote_plus(client_id)
        wanted = self.known.get(client_id, Registered()).secret
        same = wanted is not None and secrets.compare_digest(unquote_plus(secret).encode(), wanted.encode())
        return client_id if same else None

    def _by_assertion(self, assertion: str, endpoint: str) -> str | None:
        """A JWT of the client about itself, for this endpoint, short-lived, used once."""
        for client_id, registered in self.known.items():
            if registered.jwks is None:
                continue
            try:
                keys = KeySet.import_key_set(dict(registered.jwks))  # type: ignore[arg-type]
                token = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS))
                jwt.JWTClaimsRegistry(
                    iss={"essential": True, "value": client_id},
                    sub={"essential": True, "value": client_id},
                    aud={"essential": True, "value": endpoint},
                    exp={"essential": True},
                    jti={"essential": True},
                ).validate(token.claims)
            except (JoseError, ValueError, TypeError):
                continue
            if token.claims["exp"] > time.time() + _LONGEST_SECONDS or token.claims["jti"] in self._used:
                return None
            self._used[token.claims["jti"]] = None
            while len(self._used) > _MOST:
                self._used.popitem(last=False)
            return client_id
        return None
