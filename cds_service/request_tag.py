"""What tells a request delivered twice from another one that carries the same token, and a chart that is unchanged.

Both are tags of AES-GCM (NIST SP 800-38D) over content that is not encrypted. Under a secret key any two contents of as
many bytes as a request may have share a tag with a chance below 2**-100. That no nonce may serve twice guards tags that
somebody sees: of the first kind one is written down for each key, the second kind never leaves the process. It costs a
tenth of the time of a digest, which for a silent chart would be the largest single cost."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

_NONCE = bytes(12)
_TAG_BYTES = 16


def request_tag(key: str, path: str, body: bytes) -> str:
    """A tag of path and body under a key of 32 bytes (hexadecimal) that is used for one token only."""
    # the tag tells where the one ends and the other begins; of the two the body is what need not be enciphered
    return AESGCM(bytes.fromhex(key)).encrypt(_NONCE, path.encode(), body)[-_TAG_BYTES:].hex()


def content_tag(secret: bytes, parts: Iterable[bytes | memoryview | msgspec.Raw]) -> bytes:
    """A tag of these bytes, one after another, under a secret of 32 bytes."""
    tag = Cipher(AES256(secret), GCM(_NONCE)).encryptor()
    for part in parts:
        tag.authenticate_additional_data(part)
    tag.finalize()
    return tag.tag
