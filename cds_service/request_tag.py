"""What tells a request delivered twice from another one that carries the same token."""

from __future__ import annotations

import hmac

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.poly1305 import Poly1305


def request_tag(key: str, path: str, body: bytes) -> str:
    """A tag of path and body under a key of 32 bytes (hexadecimal) that is used for one token only.

    Poly1305 (RFC 8439) is made for one key a message: who holds neither key nor tag finds no second body of the same
    tag. It costs a fifteenth of a digest of the body, which for a silent chart would be the largest single cost."""
    secret = bytes.fromhex(key)
    try:
        tag = Poly1305(secret)
    except UnsupportedAlgorithm:  # cryptography built on a library that is held to FIPS
        return hmac.digest(secret, path.encode() + b"\0" + body, "sha256").hex()
    tag.update(path.encode() + b"\0")
    tag.update(body)
    return tag.finalize().hex()
