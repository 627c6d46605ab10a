"""What tells a request delivered twice from another one that carries the same token, and a chart that is unchanged."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.poly1305 import Poly1305


def request_tag(key: str, path: str, body: bytes) -> str:
    """A tag of path and body under a key of 32 bytes (hexadecimal) that is used for one token only."""
    return content_tag(bytes.fromhex(key), (path.encode() + b"\0", body)).hex()


def content_tag(secret: bytes, parts: Iterable[bytes | memoryview | msgspec.Raw]) -> bytes:
    """A tag of these bytes, one after another, under a secret of 32 bytes.

    Poly1305 (RFC 8439): as long as nobody learns secret or tag, any two contents of as many bytes as a request may have
    share one with a chance below 2**-75. It costs a fifteenth of a digest, which for a silent chart would be the
    largest single cost."""
    try:
        tag = Poly1305(secret)
    except UnsupportedAlgorithm:  # cryptography built on a library that is held to FIPS
        return hmac.digest(secret, b"".join(parts), "sha256")
    for part in parts:
        tag.update(part)
    return tag.finalize()
