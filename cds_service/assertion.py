"""Client assertions: how a client proves at a token endpoint who it is, by a JWT that it signs (`private_key_jwt`,
RFC 7523, as SMART App Launch asks for it)."""

from __future__ import annotations

import secrets

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SECONDS = 240
"""life of an assertion; SMART allows five minutes."""


def assertion(client_id: str, endpoint: str, key: ECKey | RSAKey, algorithm: str, now: int) -> dict[str, str]:
    """The fields of a token request that prove the client, with the key's own `kid`; `now` in seconds since 1970."""
    claims = {
        "iss": client_id, "sub": client_id, "aud": endpoint, "iat": now, "exp": now + _SECONDS,
        "jti": secrets.token_urlsafe(24),
    }  # fmt: skip
    header = {"alg": algorithm, "typ": "JWT", "kid": key.kid}
    signed = jwt.encode(header, claims, key, registry=JWSRegistry(algorithms=[algorithm]))
    return {"client_assertion_type": TYPE, "client_assertion": signed}
