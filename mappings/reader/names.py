"""What the names of measurements mean, for the life of the process: every chart calls its sodium by the same few codes.

As in `silence.py` no chart text outlives its request: a name is kept as a digest under a random key, its meaning in
our own ids."""

from __future__ import annotations

import secrets
from hashlib import blake2b

from msgspec import Struct

from mappings.reader.digests import ByDigest

_MOST = 8192


class Test(Struct, frozen=True):
    """The analyte, the LOINC property of its code (mass, moles), the antibody; `conflict`: words against the code."""

    analyte: str
    property: str | None = None
    antibody: str | None = None
    conflict: bool = False


class Meaning(Struct):
    """The test that a code names, if it is one of ours and no other material is named; `says_nothing`: whether a panel
    of that name says nothing by itself, None until somebody asked."""

    test: Test | None
    other_material: bool
    says_nothing: bool | None = None


class Names(ByDigest[Meaning]):
    """Meanings of names."""

    def __init__(self, most: int = _MOST) -> None:
        super().__init__(most)
        self._key = secrets.token_bytes(32)

    def digest(self, written: bytes) -> bytes:
        return blake2b(written, digest_size=16, key=self._key).digest()
