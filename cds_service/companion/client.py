"""How the companion proves at a token endpoint who it is: not at all, by a secret, or by a key of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cds_service.assertion import assertion
from cds_service.tenants import CompanionClient

_SIZES = {"P-384": "ES384", "P-256": "ES256"}


class ClientKeyError(ValueError):
    """The secret or the key can't be used; the text names the setting, never its content."""


class Credentials:
    """What one request to the token endpoint carries. Made anew for each request, so that a changed file acts."""

    def __init__(self, client_id: str, registered: CompanionClient | None) -> None:
        self.client_id = client_id
        self._secret = _secret(registered.client_secret_file if registered else None)
        self._key = _key(registered.client_key_file if registered else None)

    @property
    def public(self) -> bool:
        return self._secret is None and self._key is None

    @property
    def auth(self) -> httpx.BasicAuth | None:
        return httpx.BasicAuth(self.client_id, self._secret) if self._secret is not None else None

    def form(self, endpoint: str) -> dict[str, str]:
        """The fields by which a client with a key (private_key_jwt) proves itself; none for the others."""
        if self._key is None:
            return {}
        return assertion(self.client_id, endpoint, self._key, algorithm_of(self._key), int(time.time()))


def algorithm_of(key: ECKey | RSAKey) -> str:
    return "RS384" if isinstance(key, RSAKey) else _SIZES.get(str(key.curve_name), "")


def public_keys(registered: list[CompanionClient]) -> list[dict[str, Any]]:
    """The public halves of the keys, for hospitals that fetch them. A key that can't be read is left out."""
    found: list[dict[str, Any]] = []
    for client in registered:
        try:
            key = _key(client.client_key_file)
        except ClientKeyError:
            continue
        if key is not None:
            shown = {**key.as_dict(private=False), "use": "sig", "alg": algorithm_of(key)}
            found.extend([shown] if shown not in found else [])
    return found


def check_client(registered: CompanionClient) -> None:
    """Raises ClientKeyError when a file that the registration names can't be used."""
    Credentials(registered.client_id, registered)


def _secret(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ClientKeyError("companion.clientSecretFile: can't be read") from None


def _key(file: Path | None) -> ECKey | RSAKey | None:
    """A private JWK; its `kid`, or its thumbprint, is what the hospital knows it by."""
    if file is None:
        return None
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        key = _imported(data)
        if key.kid is None:
            key = _imported({**data, "kid": key.thumbprint()})
    except (OSError, ValueError, KeyError, TypeError, JoseError):
        raise ClientKeyError("companion.clientKeyFile: is not a readable private JWK (EC or RSA)") from None
    if not key.is_private or not algorithm_of(key):
        raise ClientKeyError("companion.clientKeyFile: must be a private key, EC P-384 or P-256, or RSA")
    return key


def _imported(data: dict[str, Any]) -> ECKey | RSAKey:
    return ECKey.import_key(data) if data["kty"] == "EC" else RSAKey.import_key(data)
