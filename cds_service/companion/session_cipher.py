"""What leaves the process of a session is sealed: AES-256-GCM, a key of the settings, bound to the row it is for."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_USE = b"calcinosis-cds companion sessions 1"
_NONCE = 12


class SessionCipher:
    """`key` is the secret of the settings, of any length from 32 characters; what it seals no other key opens."""

    def __init__(self, key: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_USE).derive(key.encode())
        self._cipher = AESGCM(derived)

    def seal(self, plain: bytes, row: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes | None:
        """None when it was sealed with another key or for another row, or changed since."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], row.encode())
        except (InvalidTag, ValueError):
            return None
